/** Restarts: the last composed set keeps the graph whole while a service or the registry itself is away. */
import { expect, test } from "bun:test";
import { copyFile, rm } from "node:fs/promises";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask, becomes, register, saying, serviceLine } from "./graph.ts";

/** Runs bobbin in the folder once, with these services registered and composed. */
async function runOnce(folder: string, services: Record<string, TestService>): Promise<void> {
  await using app = await startApp({ folder });
  for (const [name, service] of Object.entries(services)) {
    await register(app, name, service);
    await becomes(app, name, { composition: "COMPOSED", status: "ACTIVE" });
  }
}

/** The graph's SDL. */
const schemaOf = async (app: TestApp) => (await get(`${app.urls.gateway}/gateway/schema`)).body as string;

/** A URL where nothing listens. */
async function closedUrl(): Promise<string> {
  await using service = await startService(saying("x", "x"));
  return service.url;
}

test("a service that is down while bobbin restarts keeps its fields, and answers when it is back", async () => {
  await using folder = await tempFolder();
  await using up = await startService(saying("up", "yes"));
  await using down = await startService(saying("down", "back"));
  await runOnce(folder.path, { up, down });
  await down.stop();
  await using app = await startApp({ folder: folder.path });
  // The very first request: nothing has been fetched yet.
  const sdl = await schemaOf(app);
  expect(sdl).toContain("up: String");
  expect(sdl).toContain("down: String");
  const { data, errors } = await ask(app, "{ up down }");
  expect(data).toEqual({ up: "yes", down: null });
  expect(errors?.[0]).toMatchObject({
    path: ["down"],
    extensions: { code: "SERVICE_UNAVAILABLE", service: "down" },
  });
  down.start();
  expect(await answered(app, "{ up down }")).toEqual({ up: "yes", down: "back" });
});

test("who came first before a restart still owns its field, though the other answers first after it", async () => {
  await using folder = await tempFolder();
  await using first = await startService(saying("hello", "first"));
  await using second = await startService(saying("hello", "second"), { listening: false });
  await runOnce(folder.path, { first });
  await first.stop();
  await using app = await startApp({ folder: folder.path });
  second.start();
  await register(app, "second", second);
  await becomes(app, "second", { composition: "REJECTED" });
  first.start();
  expect(await answered(app, "{ hello }")).toEqual({ hello: "first" });
});

test("a service that was unregistered is not brought back by the last composed set", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await runOnce(folder.path, { service });
  const saved = `${folder.path}/data/last-composed.json`;
  await copyFile(saved, `${folder.path}/older.json`);
  {
    await using app = await startApp({ folder: folder.path });
    await post(`${app.urls.registry}/unregister`, { serviceName: "service" });
  }
  await copyFile(`${folder.path}/older.json`, saved);
  await using app = await startApp({ folder: folder.path });
  expect(await schemaOf(app)).not.toContain("hello");
});

test("what is not of its shape in the last composed set is passed over, the rest is used", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await runOnce(folder.path, { service });
  await service.stop();
  const saved = Bun.file(`${folder.path}/data/last-composed.json`);
  const { format, services } = await saved.json();
  const wrong = [null, 5, {}, { service: null, sdl: "type Query { a: Int }", namespace: null }];
  await saved.write(JSON.stringify({ format, services: [...wrong, ...services] }));
  await using app = await startApp({ folder: folder.path });
  expect(await schemaOf(app)).toContain("hello: String");
});

test("a schema that the registry has as refused, but which is composed, is CURRENT once the registry is read", async () => {
  await using folder = await tempFolder();
  await using owner = await startService(saying("hello", "world"));
  await using service = await startService(saying("mine", "1"));
  {
    await using app = await startApp({ folder: folder.path });
    await register(app, "owner", owner);
    await becomes(app, "owner", { composition: "COMPOSED", status: "ACTIVE" });
    await register(app, "changing", service);
    await becomes(app, "changing", { composition: "COMPOSED", status: "ACTIVE" });
    service.change(saying("hello", "taken"));
    await register(app, "changing", service);
    await becomes(app, "changing", { composition: "PREVIOUS", status: "DEGRADED" });
  }
  service.change(saying("mine", "2"));
  const database = `${folder.path}/data/bobbin.db`;
  await copyFile(database, `${folder.path}/good.db`);
  await Bun.write(database, "this is no database, and never was one ".repeat(500));
  await using app = await startApp({ folder: folder.path });
  await becomes(app, "changing", { composition: "COMPOSED" });
  await rm(`${database}-wal`, { force: true });
  await rm(`${database}-shm`, { force: true });
  await copyFile(`${folder.path}/good.db`, database);
  // Refused until the registry is read.
  await until(
    () => post(`${app.urls.registry}/heartbeat`, { serviceName: "owner", url: owner.url }),
    ({ status }) => status === 200,
  );
  await becomes(app, "changing", { composition: "COMPOSED", status: "ACTIVE" });
});

test("the gateway is not ready before every schema was asked for", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await runOnce(folder.path, { service });
  const release = Promise.withResolvers<Response>();
  service.answerWith(() => release.promise.then((answer) => answer.clone()));
  await using app = await startApp({ folder: folder.path });
  expect((await get(`${app.urls.gateway}/gateway/ready`)).status).toBe(503);
  expect((await get(`${app.urls.gateway}/gateway/live`)).status).toBe(200);
  release.resolve(new Response("no schema"));
  await until(
    () => get(`${app.urls.gateway}/gateway/ready`),
    ({ status }) => status === 200,
  );
});

test("with a damaged database the last composed set is served, and the registry is read once it is repaired", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await using later = await startService(saying("later", "yes"));
  await runOnce(folder.path, { service });
  const database = `${folder.path}/data/bobbin.db`;
  const saved = `${folder.path}/data/last-composed.json`;
  await copyFile(saved, `${folder.path}/older.json`);
  await runOnce(folder.path, { later });
  // The set on disk is older than the database: what the registry adds is seen only once it is read.
  await copyFile(`${folder.path}/older.json`, saved);
  await copyFile(database, `${folder.path}/good.db`);
  await Bun.write(database, "this is no database, and never was one ".repeat(500));

  await using app = await startApp({ folder: folder.path });
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
  expect((await serviceLine(app, "later")) ?? null).toBeNull();
  const refused = await register(app, "new", service);
  expect(refused.status).toBe(503);
  expect(refused.body.code).toBe("REGISTRY_UNAVAILABLE");

  await rm(`${database}-wal`, { force: true });
  await rm(`${database}-shm`, { force: true });
  await copyFile(`${folder.path}/good.db`, database);
  expect(await answered(app, "{ hello later getServices { name } }")).toMatchObject({
    hello: "world",
    later: "yes",
  });
  expect(
    (
      await until(
        () => register(app, "new", service),
        ({ status }) => status !== 503,
      )
    ).status,
  ).toBe(201);
});

test("with a remote database that cannot be reached the last composed set is served with its services", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await runOnce(folder.path, { service });
  await using app = await startBinary({
    folder: folder.path,
    env: { DATABASE_URL: await closedUrl() },
  });
  expect(await answered(app, "{ hello getServices { name } }")).toEqual({
    hello: "world",
    getServices: [{ name: "service" }, { name: "core" }],
  });
});

test("with neither a registry nor a last composed set the core's own API is the graph", async () => {
  await using app = await startBinary({ env: { DATABASE_URL: await closedUrl() } });
  expect(await answered(app, "{ getServices { name status } }")).toEqual({
    getServices: [{ name: "core", status: "ACTIVE" }],
  });
  expect((await graphql(app.urls.core, "{ getActiveServices { name } }")).data.getActiveServices).toEqual([
    { name: "core" },
  ]);
});

test("a damaged last composed set is as good as none: the registry is read, and its services join", async () => {
  await using folder = await tempFolder();
  await using service = await startService(saying("hello", "world"));
  await runOnce(folder.path, { service });
  await Bun.write(`${folder.path}/data/last-composed.json`, '{"format":1,"services":[{"service":');
  await using app = await startApp({ folder: folder.path });
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
});
