/** When the database cannot be had: writes are refused, everything else goes on, and it heals by itself. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({
    typeDefs: "type Query { steady: String }",
    resolvers: { Query: { steady: () => "yes" } },
  });
});
afterAll(() => service[Symbol.asyncDispose]());

const STEADY = () => ({
  serviceName: "steady",
  url: service.url,
  metadata: { endpoints: { graphql: "/graphql" } },
});
const served = (app: TestApp) =>
  until(
    () => graphql(app.urls.gateway, "{ steady }"),
    ({ data }) => data?.steady === "yes",
  );

/** Starts in the folder, registers the service, and waits until the composed set is on disk. */
async function startWithService(folder: string, fields = {}): Promise<TestApp> {
  const app = await startApp({ folder });
  await post(`${app.urls.registry}/register`, { ...STEADY(), ...fields });
  await served(app);
  // A new handle each time: Bun's keeps the size that the file had when it was read first.
  const saved = () => Bun.file(`${folder}/data/last-composed.json`);
  await until(async () => (await saved().exists()) && (await saved().text()).includes("steady"), Boolean);
  return app;
}

/** Every write over both doors, and what it answered. */
async function writes({ urls }: TestApp): Promise<unknown[]> {
  const rest = await Promise.all([
    post(`${urls.registry}/register`, { serviceName: "new", url: "http://127.0.0.1:9" }),
    post(`${urls.registry}/register`, STEADY()),
    post(`${urls.registry}/unregister`, { serviceName: "steady" }),
    post(`${urls.registry}/heartbeat`, { serviceName: "steady", url: service.url }),
  ]);
  const mutations = await Promise.all(
    [
      'registerService(input: { name: "new", url: "http://127.0.0.1:9/graphql" })',
      'unregisterService(name: "steady")',
      'updateService(name: "steady", input: { version: "2" })',
    ].map((field) => graphql(urls.core, `mutation { it: ${field} { id } }`)),
  );
  return [
    ...rest.map(({ status, body }) => `${status} ${body.code}`),
    ...mutations.map(({ errors }) => errors?.[0]?.extensions?.code),
  ];
}
const REFUSED = [...Array(4).fill("503 REGISTRY_UNAVAILABLE"), ...Array(3).fill("REGISTRY_UNAVAILABLE")];

test("a second process on the same file is refused its writes and serves on; it takes over when the first is gone", async () => {
  await using folder = await tempFolder();
  const first = await startWithService(folder.path);
  await using second = await startApp({ folder: folder.path });
  expect(await writes(second)).toEqual(REFUSED);
  expect((await served(second)).data).toEqual({ steady: "yes" });
  expect(await get(`${second.urls.registry}/health`)).toMatchObject({
    status: 503,
    body: { status: "unhealthy", database: "unavailable" },
  });
  expect((await get(`${second.urls.registry}/services/steady`)).body.url).toBe(service.url);
  // The first one never notices.
  expect((await post(`${first.urls.registry}/register`, { ...STEADY(), version: "7" })).status).toBe(200);
  await first[Symbol.asyncDispose]();
  const well = await until(
    () => get(`${second.urls.registry}/health`),
    ({ body }) => body.database === "ok",
  );
  expect(well).toMatchObject({ status: 200, body: { status: "ok" } });
  expect((await get(`${second.urls.registry}/services/steady`)).body.version).toBe("7");
  expect((await post(`${second.urls.registry}/register`, STEADY())).status).toBe(200);
});

test("with a damaged file writes are refused, and the last composed set is served", async () => {
  await using folder = await tempFolder();
  await (await startWithService(folder.path))[Symbol.asyncDispose]();
  await writeFile(`${folder.path}/data/bobbin.db`, "this is no database ".repeat(1_000));
  await using app = await startApp({ folder: folder.path });
  expect(await writes(app)).toEqual(REFUSED);
  expect((await served(app)).data).toEqual({ steady: "yes" });
  const { services } = (await get(`${app.urls.registry}/services`)).body;
  expect(services.map(({ serviceName }: { serviceName: string }) => serviceName).sort()).toEqual([
    "core",
    "steady",
  ]);
});

test("before the registry is read no lease runs out, because none can be renewed", async () => {
  await using folder = await tempFolder();
  const TTL_MS = 10_000;
  await (await startWithService(folder.path, { ttl: TTL_MS / 1_000 }))[Symbol.asyncDispose]();
  await writeFile(`${folder.path}/data/bobbin.db`, "this is no database ".repeat(1_000));
  const clock = new FakeClock(Date.now() + 2 * TTL_MS);
  await using app = await startApp({ folder: folder.path, clock });
  const instance = async () => (await get(`${app.urls.registry}/services/steady`)).body.instances[0];
  expect(Date.parse((await instance()).leaseUntil)).toBe(clock.now() + TTL_MS);
  await clock.advance(3 * TTL_MS);
  expect((await instance()).reason).not.toBe("its lease ran out");
});

test("with a damaged file and no last composed set the core is still there", async () => {
  await using folder = await tempFolder();
  await Bun.write(`${folder.path}/data/bobbin.db`, "this is no database ".repeat(1_000));
  await using app = await startApp({ folder: folder.path });
  const { data } = await graphql(app.urls.gateway, "{ getServices { name status } }");
  expect(data).toEqual({ getServices: [{ name: "core", status: "ACTIVE" }] });
  const refused = await post(`${app.urls.registry}/register`, STEADY());
  expect(refused.body).toMatchObject({ status: 503, code: "REGISTRY_UNAVAILABLE" });
  expect(refused.body.detail).toContain("Nothing was written");
});
