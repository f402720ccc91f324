/** What an answer promises: that it is in the file, in order, under a revision that only grows. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { startApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const start = () => startApp({ folder: folder.path });
type Running = Awaited<ReturnType<typeof start>>;
const register = (app: Running, body: object) =>
  post(`${app.urls.registry}/register`, { url: "http://127.0.0.1:9", ...body });
const revisionOf = async (app: Running) => (await get(`${app.urls.registry}/health`)).body.revision;

test("everything that was answered is there after a restart, letter for letter", async () => {
  const full = {
    serviceName: "full",
    url: "http://LOCALHOST:9/a/../b",
    displayName: "Füll ✓",
    description: "with \"quotes\", 'others' and\nlines",
    version: "1.2.3",
    health: "/health?x=1",
    metadata: { nested: { list: [1, 2.5, null, true, "ä"] }, version: "ignored", __proto__x: 1 },
    dependencies: ["core"],
    tags: ["a", "b"],
    isRequired: true,
    ttl: 3600,
  };
  let answered: Record<string, unknown>;
  {
    await using app = await start();
    await register(app, full);
    await register(app, { serviceName: "full", url: "http://127.0.0.1:8" });
    await register(app, { serviceName: "gone" });
    await post(`${app.urls.registry}/unregister`, { serviceName: "gone" });
    await register(app, { serviceName: "resting" });
    const update = 'mutation { updateService(name: "resting", input: { status: MAINTENANCE }) { id } }';
    await graphql(app.urls.core, update);
    answered = (await get(`${app.urls.registry}/services/full`)).body;
  }
  await using app = await start();
  const {
    lastHealthCheck: _probed,
    instances,
    ...rest
  } = (await get(`${app.urls.registry}/services/full`)).body;
  expect(answered).toMatchObject({ ...rest, statusReason: expect.anything() });
  expect(rest.metadata).toEqual(full.metadata);
  expect(instances.map(({ url }: { url: string }) => url)).toEqual([full.url, "http://127.0.0.1:8"]);
  expect((await get(`${app.urls.registry}/services/gone`)).status).toBe(404);
  expect((await get(`${app.urls.registry}/services/resting`)).body.status).toBe("MAINTENANCE");
});

test("instances that come, change and go one by one are there after a restart, in their order", async () => {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const urls = async (app: Running) =>
    (await get(`${app.urls.registry}/services/many`)).body.instances.map(({ url }: { url: string }) => url);
  {
    await using app = await start();
    for (const port of [1, 2, 3, 4]) await register(app, { serviceName: "many", url: at(port) });
    await post(`${app.urls.registry}/unregister`, { serviceName: "many", url: at(2) });
    await register(app, { serviceName: "many", url: at(5) });
    await register(app, { serviceName: "many", url: `${at(3)}/moved` });
    await register(app, { serviceName: "many", url: at(2) });
  }
  const expected = [at(1), `${at(3)}/moved`, at(4), at(5), at(2)];
  {
    await using app = await start();
    expect(await urls(app)).toEqual(expected);
    await post(`${app.urls.registry}/unregister`, { serviceName: "many" });
    await register(app, { serviceName: "many", url: at(4) });
  }
  await using app = await start();
  expect(await urls(app)).toEqual([at(4)]);
});

test("services keep the order of their first registration", async () => {
  const names = async (app: Running) =>
    (await get(`${app.urls.registry}/services`)).body.services
      .map(({ serviceName }: { serviceName: string }) => serviceName)
      .filter((name: string) => name.startsWith("order-"));
  const order = ["order-c", "order-a", "order-b"];
  {
    await using app = await start();
    for (const serviceName of [...order, "order-c"]) await register(app, { serviceName });
    expect(await names(app)).toEqual(order);
  }
  await using app = await start();
  expect(await names(app)).toEqual(order);
});

test("the revision grows over the removal of the last that had it, and over restarts", async () => {
  let before: number;
  {
    await using app = await start();
    await register(app, { serviceName: "highest" });
    const registered = await revisionOf(app);
    await post(`${app.urls.registry}/unregister`, { serviceName: "highest" });
    before = await revisionOf(app);
    expect(before).toBeGreaterThan(registered);
  }
  await using app = await start();
  expect(await revisionOf(app)).toBeGreaterThanOrEqual(before);
  await register(app, { serviceName: "highest" });
  expect(await revisionOf(app)).toBeGreaterThan(before);
});

test("writes to one name at the same time are done one after the other, and none is lost", async () => {
  await using app = await start();
  const ports = Array.from({ length: 40 }, (_, i) => 10_000 + i);
  const answers = await Promise.all(
    ports.map((port) => register(app, { serviceName: "contended", url: `http://127.0.0.1:${port}` })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(39).fill(200), 201]);
  const counts = answers.map(({ body }) => body.instances.length).sort((a, b) => a - b);
  expect(counts).toEqual(ports.map((_, i) => i + 1));
  const removals = await Promise.all(
    [1, 2, 3].map(() => post(`${app.urls.registry}/unregister`, { serviceName: "contended" })),
  );
  expect(removals.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
});

test("a burst of writes shares commits", async () => {
  await using fresh = await tempFolder();
  await using app = await startApp({ folder: fresh.path });
  // The log in front of the database holds every page that each commit changed.
  const log = () => statSync(`${fresh.path}/data/bobbin.db-wal`).size;
  const names = (prefix: string) => Array.from({ length: 30 }, (_, i) => `${prefix}-${i}`);
  const url = "http://127.0.0.1:9";
  const measure = async (write: () => Promise<unknown>) => {
    const before = log();
    await write();
    return log() - before;
  };
  const each = await measure(async () => {
    for (const serviceName of names("each")) await register(app, { serviceName, url });
  });
  const burst = await measure(() =>
    Promise.all(names("burst").map((serviceName) => register(app, { serviceName, url }))),
  );
  expect(burst).toBeLessThan(each / 2);
});

test("a write that is refused leaves nothing, and those committed with it stand", async () => {
  await using app = await start();
  const answers = await Promise.all([
    register(app, { serviceName: "stands-1" }),
    register(app, { serviceName: "core" }),
    register(app, { serviceName: "stands-2" }),
    register(app, { serviceName: "BAD" }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([201, 409, 201, 422]);
});

test("a service's health is known again after a restart, before it was probed", async () => {
  await using service = await startService({ typeDefs: "type Query { a: String }" });
  {
    await using app = await start();
    await register(app, { serviceName: "well", url: service.url, health: "/health" });
    await until(
      () => get(`${app.urls.registry}/services/well`),
      ({ body }) => body.status === "ACTIVE",
    );
  }
  await service.stop();
  await using app = await start();
  expect((await get(`${app.urls.registry}/services/well`)).body.status).not.toBe("INACTIVE");
});
