/** Staying registered: without the registry, after it forgot, with a token, and with what the program says of itself. */
import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { type Client, createClient } from "../../src/client/index.ts";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { SECRET, token } from "../support/tokens.ts";
import { start } from "./program.ts";

let app: TestApp;
let service: TestService;
beforeAll(async () => {
  app = await startApp();
  service = await startService({
    typeDefs: "type Query { a: String }",
    resolvers: { Query: { a: () => "A" } },
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

type Closing = Client & AsyncDisposable;
const clientOf = (options: Parameters<typeof createClient>[0] = {}): Closing => {
  const client = createClient({ registryUrl: app.urls.registry, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
};
const find = async (name: string, on = app) => (await get(`${on.urls.registry}/services/${name}`)).body;

/** What was written to standard error meanwhile. */
function listenToErrors(): { lines: string[] } & Disposable {
  const lines: string[] = [];
  const spy = spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
  return { lines, [Symbol.dispose]: () => spy.mockRestore() };
}

test("keeps trying until the registry is there, and says so at the first failure and at the last", async () => {
  using errors = listenToErrors();
  const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = taken;
  await taken.stop(true);
  await using client = clientOf({ registryUrl: `http://127.0.0.1:${port}` });
  expect(await client.registerService("early", service.url)).toBe(false);
  await Bun.sleep(600);
  await using late = await startApp({ config: { host: "127.0.0.1", registryPort: port as number } });
  await until(
    () => find("early", late),
    ({ status }) => status === "ACTIVE",
  );
  await until(
    () => errors.lines.length,
    (length) => length >= 2,
  );
  expect(errors.lines).toEqual([
    expect.stringMatching(/^bobbin: early: its instance cannot be registered at .* tried again: .+/),
    expect.stringMatching(/^bobbin: early at .* is registered at .*, after [3-9] attempts$/),
  ]);
});

test("what the registry refuses is said in its own words, and never thrown", async () => {
  using errors = listenToErrors();
  await using client = clientOf();
  expect(await client.registerService("Not A Name", service.url)).toBe(false);
  expect(await client.registerService("no-url", "here")).toBe(false);
  expect(errors.lines).toEqual([
    expect.stringContaining("422 INVALID_INPUT: name"),
    expect.stringContaining("422 INVALID_INPUT: url"),
  ]);
});

test("registers at once when the registry has forgotten it", async () => {
  using errors = listenToErrors();
  await using client = clientOf();
  await client.registerService("forgotten", service.url, { version: "2" }, { ttl: 1 });
  await post(`${app.urls.registry}/unregister`, { serviceName: "forgotten" });
  await until(
    () => find("forgotten"),
    ({ version }) => version === "2",
  );
  expect(errors.lines).toEqual([expect.stringContaining("has forgotten forgotten; registering again")]);
});

test("sends the token that it is given with every write, and says when there should be one", async () => {
  await using guarded = await startApp({ config: { jwtSecret: SECRET } });
  const registryUrl = guarded.urls.registry;
  using errors = listenToErrors();
  await using without = clientOf({ registryUrl });
  expect(await without.registerService("guarded", service.url)).toBe(false);
  expect(errors.lines[0]).toContain("401 UNAUTHENTICATED");
  await using given = clientOf({ registryUrl, token: await token({ claims: { service: "guarded" } }) });
  expect(await given.registerService("guarded", service.url, {}, { ttl: 1 })).toBe(true);
  expect(await given.unregisterService("guarded")).toBe(true);
  process.env.SERVICE_REGISTRY_TOKEN = await token();
  try {
    await using fromEnvironment = clientOf({ registryUrl });
    expect(await fromEnvironment.registerService("guarded", service.url)).toBe(true);
  } finally {
    delete process.env.SERVICE_REGISTRY_TOKEN;
  }
});

test.concurrent("registers with what the metadata says, under a lease", async () => {
  await using client = clientOf();
  const metadata = { version: "1.2.0", endpoints: { health: "/health", graphql: "/graphql" } };
  expect(await client.registerService("joined", service.url, metadata)).toBe(true);
  expect(await find("joined")).toMatchObject({
    url: service.url,
    version: "1.2.0",
    metadata,
    health: `${service.url}/health`,
    graphqlUrl: service.graphqlUrl,
    ttl: 30,
  });
  await until(
    () => graphql(app.urls.gateway, "{ a }"),
    ({ data }) => data?.a === "A",
  );
});

test.concurrent("a lease is renewed for as long as the client is there", async () => {
  await using client = clientOf();
  await client.registerService("leased", service.url, {}, { ttl: 1 });
  const { instances } = await find("leased");
  const end = Date.parse(instances[0].leaseUntil);
  const later = await until(
    () => find("leased"),
    ({ instances }) => Date.parse(instances[0].leaseUntil) >= end + 1_000,
  );
  expect(later.instances[0]).toMatchObject({ healthy: true });
});

test.concurrent("over a registry that is killed, wiped and replaced it is back within one heartbeat, with no code of its own", async () => {
  const ttl = 9;
  const first = await startBinary();
  const port = new URL(first.urls.registry).port;
  await using _program = await start(
    "main.mjs",
    `import { registerService } from "bobbin/client";
    setInterval(() => {}, 1000);
    registerService("survivor", "${service.url}", { endpoints: { graphql: "/graphql" } }, { ttl: ${ttl} });`,
    { env: { SERVICE_REGISTRY_URL: first.urls.registry } },
  );
  await until(
    () => graphql(first.urls.gateway, "{ a }"),
    ({ data }) => data?.a === "A",
  );
  await first.stop("SIGKILL");
  await using second = await startBinary({ args: ["--registry-port", port] });
  await first[Symbol.asyncDispose]();
  const startedAt = performance.now();
  await until(
    () => get(`${second.urls.registry}/services/survivor`),
    ({ status }) => status === 200,
  );
  // One heartbeat is a third of the lease; the rest of the time that two would take is for a busy machine.
  expect(performance.now() - startedAt).toBeLessThan((2 * ttl * 1000) / 3 - 500);
  await until(
    () => graphql(second.urls.gateway, "{ a }"),
    ({ data }) => data?.a === "A",
  );
});

test.concurrent("removes the one instance that it registered, once, and counts one that is gone already as removed", async () => {
  await using client = clientOf();
  await using other = clientOf();
  await other.registerService("pair", "http://127.0.0.1:9");
  await client.registerService("pair", service.url);
  expect(await client.unregisterService("pair")).toBe(true);
  expect((await find("pair")).instances.map(({ url }: { url: string }) => url)).toEqual([
    "http://127.0.0.1:9",
  ]);
  expect(await client.unregisterService("pair")).toBe(true);
  expect(await client.unregisterService("never-registered")).toBe(true);
  expect((await find("pair")).instances).toHaveLength(1);
  await post(`${app.urls.registry}/unregister`, { serviceName: "pair" });
  expect(await other.unregisterService("pair")).toBe(true);
});

test.concurrent("registering again with the same origin replaces what is told of the instance, and needs one removal", async () => {
  await using client = clientOf();
  await client.registerService("moved", `${service.url}/v1`);
  expect(await client.registerService("moved", `${service.url}/v2`, { version: "2" })).toBe(true);
  expect(await find("moved")).toMatchObject({ url: `${service.url}/v2`, version: "2", instances: [{}] });
  expect(await client.unregisterService("moved")).toBe(true);
  expect((await find("moved")).code).toBe("SERVICE_NOT_FOUND");
});

test.concurrent("one program may register several unix sockets as instances of a service", async () => {
  await using folder = await tempFolder();
  await using allowing = await startApp({ config: { unixSockets: folder.path } });
  await using client = clientOf({ registryUrl: allowing.urls.registry });
  const socket = (name: string) => `http+unix://${encodeURIComponent(`${folder.path}/${name}.sock`)}`;
  for (const name of ["a", "b"]) await client.registerService("sockets", socket(name));
  const urls = async () =>
    (await find("sockets", allowing)).instances?.map(({ url }: { url: string }) => url);
  expect(await urls()).toEqual([socket("a"), socket("b")]);
  expect(await client.unregisterService("sockets")).toBe(true);
  expect(await urls()).toBeUndefined();
});

test.concurrent("what was removed stays away, even where its registration was still under way", async () => {
  await using client = clientOf();
  const registering = client.registerService("brief", service.url, {}, { ttl: 1 });
  expect(await client.unregisterService("brief")).toBe(true);
  await registering;
  await Bun.sleep(700);
  expect((await find("brief")).code).toBe("SERVICE_NOT_FOUND");
});

test.concurrent("an instance that says it is not ready gets no requests, and gets them at once when it is", async () => {
  let ready = false;
  await using client = clientOf();
  const metadata = { endpoints: { graphql: "/graphql" } };
  await client.registerService("unready", service.url, metadata, { health: () => ready });
  const isActive = ({ status }: { status: string }) => status === "ACTIVE";
  // The registry finds it well, and still sends it nothing.
  const before = await until(
    () => find("unready"),
    ({ lastHealthCheck }) => lastHealthCheck !== null,
  );
  expect(before).toMatchObject({
    status: "INACTIVE",
    statusReason: "an instance says that it is not ready",
    instances: [{ healthy: false, reason: "it says that it is not ready" }],
  });
  const { body } = await get(`${app.urls.registry}/services/unready?healthy=true`);
  expect(body.code).toBe("NO_HEALTHY_INSTANCE");
  ready = true;
  await until(() => find("unready"), isActive);
  ready = false;
  expect(
    await until(
      () => find("unready"),
      ({ status }) => status !== "ACTIVE",
    ),
  ).toMatchObject({
    status: "ERROR",
    statusReason: "an instance says that it is not ready",
  });
  // Whoever cannot say it either is not.
  await client.registerService("unready", service.url, metadata, {
    health: () => {
      throw new Error("cannot tell");
    },
  });
  expect(isActive(await find("unready"))).toBe(false);
});

test.concurrent("readiness outlives a restart of the registry, and a heartbeat that does not speak of it changes nothing", async () => {
  await using folder = await tempFolder();
  const instance = { serviceName: "quiet", url: service.url };
  {
    await using first = await startApp({ folder: folder.path });
    await post(`${first.urls.registry}/register`, { ...instance, ttl: 60 });
    const { status, body } = await post(`${first.urls.registry}/heartbeat`, { ...instance, ready: false });
    expect({ status, healthy: body.instances[0].healthy }).toEqual({ status: 200, healthy: false });
  }
  await using second = await startApp({ folder: folder.path });
  expect((await post(`${second.urls.registry}/heartbeat`, instance)).body.instances[0]).toMatchObject({
    healthy: false,
    reason: "it says that it is not ready",
  });
  expect((await post(`${second.urls.registry}/heartbeat`, { ...instance, ready: "no" })).status).toBe(422);
  await post(`${second.urls.registry}/heartbeat`, { ...instance, ready: true });
  await until(
    () => find("quiet", second),
    ({ instances }) => instances[0].healthy,
  );
});
