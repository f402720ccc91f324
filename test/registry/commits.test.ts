/** What becomes of writes when a commit fails, when one who follows it fails, and when its file is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rename, rm } from "node:fs/promises";
import { createLog } from "../../src/log.ts";
import { Database, reasonOf } from "../../src/registry/database.ts";
import { Registry } from "../../src/registry/registry.ts";
import { startApp, tempFolder } from "../support/app.ts";
import { get, post } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startSqld } from "../support/sqld.ts";

const URL_GIVEN = "http://127.0.0.1:9";

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function startRegistry(file: string): Promise<Registry> {
  const registry = new Registry({
    database: { url: `file:${folder.path}/${file}`, authToken: undefined },
    ownDoor: () => undefined,
    clock: new FakeClock(),
    log: createLog("silent", "json"),
  });
  await registry.start(() => []);
  return registry;
}

test("a commit that took effect although its answer was lost is undone by the next one", async () => {
  await using sqld = startSqld(`${folder.path}/remote.db`, "token");
  let losing = false;
  await using front = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const { method, headers } = request;
      const body = method === "POST" ? await request.text() : null;
      const answer = await fetch(`${sqld.url}${pathname}`, { method, headers, body });
      return losing && body?.includes("service_registry") ? new Response(null, { status: 502 }) : answer;
    },
  });
  const config = { databaseUrl: `http://127.0.0.1:${front.port}`, databaseAuthToken: "token" };
  await using app = await startApp({ config, folder: folder.path, clock: new FakeClock() });
  const register = (serviceName: string) =>
    post(`${app.urls.registry}/register`, { serviceName, url: URL_GIVEN });
  const written = () =>
    sqld
      .read("SELECT name FROM service_registry WHERE source = 'REMOTE' ORDER BY name")
      .map(({ name }) => name);
  await register("kept");

  losing = true;
  const lost = await register("lost");
  expect(lost.body).toMatchObject({ status: 503, code: "REGISTRY_UNAVAILABLE" });
  expect(lost.body.detail).toContain("not confirmed");
  expect(written()).toEqual(["kept", "lost"]);
  expect((await get(`${app.urls.registry}/services/lost`)).status).toBe(404);
  expect((await post(`${app.urls.registry}/unregister`, { serviceName: "kept" })).status).toBe(503);
  expect(written()).toEqual([]);

  losing = false;
  expect((await register("next")).status).toBe(201);
  expect(written()).toEqual(["kept", "next"]);
});

test("a follower of the registry that throws costs no write its answer, and the others are told", async () => {
  await using registry = await startRegistry("followed.db");
  const told: string[] = [];
  registry.events.subscribe(() => {
    throw new Error("the follower's own fault");
  });
  registry.events.subscribe((events) => told.push(...events.map(({ service }) => service)));
  for (const name of ["one", "two"]) {
    const { created } = await registry.register({ name, url: URL_GIVEN, door: "REST", source: "REMOTE" });
    expect(created).toBe(true);
  }
  expect(told).toEqual(["one", "two"]);
});

test("writes are refused once the database's file was deleted or replaced, until it is back", async () => {
  await using own = await tempFolder();
  await using app = await startApp({ folder: own.path, clock: new FakeClock() });
  const register = (serviceName: string) =>
    post(`${app.urls.registry}/register`, { serviceName, url: URL_GIVEN });
  const file = `${own.path}/data/bobbin.db`;
  expect((await register("before")).status).toBe(201);

  await rename(file, `${file}.moved`);
  for (const replacement of [undefined, "another file"]) {
    if (replacement) await Bun.write(file, replacement);
    const { body } = await register("meanwhile");
    expect(body).toMatchObject({ status: 503, code: "REGISTRY_UNAVAILABLE" });
    expect(body.detail).toContain("deleted or replaced");
  }
  expect((await get(`${app.urls.registry}/services/meanwhile`)).status).toBe(404);
  expect((await get(`${app.urls.registry}/services/before`)).status).toBe(200);

  await rm(file);
  await rename(`${file}.moved`, file);
  expect((await register("after")).status).toBe(201);
});

test("a service that is removed and registered anew within one commit goes to the end", async () => {
  await using registry = await startRegistry("ordered.db");
  const register = (name: string) =>
    registry.register({ name, url: URL_GIVEN, door: "REST", source: "REMOTE" });
  for (const name of ["first", "second", "third"]) await register(name);
  // Called in one go, they wait in the queue together.
  await Promise.all([registry.unregister("first"), register("first")]);
  expect(registry.list().map(({ name }) => name)).toEqual(["second", "third", "first"]);
});

test("a schema that changes the status is told as both, the status after the schema", async () => {
  await using registry = await startRegistry("schema.db");
  await registry.register({ name: "told", url: URL_GIVEN, door: "REST", source: "REMOTE" });
  const health = { service: "told", origin: URL_GIVEN, health: "HEALTHY", reason: null, at: 0 } as const;
  await registry.recordHealth(health);
  const told: string[] = [];
  registry.events.subscribe((events) => told.push(...events.map(({ type }) => type)));
  const refused = { state: "REJECTED", code: "SCHEMA_INVALID", message: "is none", hash: null } as const;
  await registry.recordSchema("told", refused);
  expect(registry.get("told")?.status).toBe("ERROR");
  expect(told).toEqual(["SCHEMA", "STATUS"]);
  await registry.recordSchema("told", { ...refused, message: "is none either" });
  expect(told).toEqual(["SCHEMA", "STATUS", "SCHEMA"]);
});

test("why a database cannot be opened is said by its first cause", async () => {
  const database = { url: `file:${folder.path}/taken.db`, authToken: undefined };
  await using _first = await Database.open(database);
  const reason = (options: typeof database) => Database.open(options).then(() => "opened", reasonOf);
  expect(await reason(database)).toBe("another bobbin has this database open");
  await using unheard = Bun.serve({ port: 0, fetch: () => new Response(null, { status: 418 }) });
  expect(await reason({ ...database, url: `http://127.0.0.1:${unheard.port}` })).toContain("418");
});

test("what waits for the database is bounded: beyond that a write or a heartbeat is refused, what is observed is not", async () => {
  await using registry = await startRegistry("bounded.db");
  const origin = new URL(URL_GIVEN).origin;
  await registry.register({ name: "leased", url: URL_GIVEN, ttl: 30, door: "REST", source: "REMOTE" });
  const heartbeats = Array.from({ length: 10_010 }, () => registry.heartbeat("leased", URL_GIVEN));
  const update = registry.update("leased", { displayName: "late" });
  const observed = registry.recordHealth({
    service: "leased",
    origin,
    health: "HEALTHY",
    reason: null,
    at: 1,
  });
  const refused = (await Promise.allSettled([...heartbeats, update])).filter(
    ({ status }) => status === "rejected",
  );
  expect(refused.map((each) => (each as PromiseRejectedResult).reason.code)).toEqual(
    Array(11).fill("OVERLOADED"),
  );
  await observed;
  expect(registry.get("leased")).toMatchObject({ status: "ACTIVE", displayName: null });
});
