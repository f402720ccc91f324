/** Looking up: from a cache that the registry's events keep fresh, over its absence, and what follows where it is silent. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Client, createClient, DiscoveryError } from "../../src/client/index.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";

let app: TestApp;
let one: TestService;
let two: TestService;
beforeAll(async () => {
  app = await startApp();
  const definition = { typeDefs: "type Query { a: String }" };
  [one, two] = await Promise.all([startService(definition), startService(definition)]);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
});

interface Road extends AsyncDisposable {
  readonly url: string;
  /** Paths of the requests that came through. */
  readonly paths: string[];
  /** From now on it leads nowhere; `lead`: to this registry. */
  block(): Promise<void>;
  lead(registry: string): void;
}

/** A way to the registry that counts who comes by, and that can be blocked. */
function roadTo(registry: string): Road {
  let target = registry;
  const paths: string[] = [];
  const open = (port: number) =>
    Bun.serve({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch(request) {
        const { pathname } = new URL(request.url);
        paths.push(pathname);
        return fetch(`${target}${pathname}`, { headers: request.headers, signal: request.signal });
      },
    });
  let server: ReturnType<typeof open> | undefined = open(0);
  const port = server.port as number;
  return {
    url: `http://127.0.0.1:${port}`,
    paths,
    async block() {
      await server?.stop(true);
      server = undefined;
    },
    lead(to) {
      target = to;
      server ??= open(port);
    },
    async [Symbol.asyncDispose]() {
      await server?.stop(true);
    },
  };
}

const clientOf = (registryUrl: string, localDefaults = {}): Client & AsyncDisposable => {
  const client = createClient({ registryUrl, localDefaults });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
};
const register = (serviceName: string, url: string, on = app) =>
  post(`${on.urls.registry}/register`, { serviceName, url, health: "/health" });
const registerWell = async (name: string, ...services: TestService[]) => {
  for (const { url } of services) await register(name, url);
  await until(
    () => get(`${app.urls.registry}/services/${name}`),
    ({ body }) => body.instances.every(({ healthy }: { healthy: boolean }) => healthy),
  );
};

test("a call asks nobody: one stream tells of everything", async () => {
  await registerWell("told", one);
  await using road = roadTo(app.urls.registry);
  await using client = clientOf(road.url);
  for (let call = 0; call < 100; call++) expect(await client.getServiceUrl("told")).toBe(one.url);
  expect(road.paths).toEqual(["/events"]);
  // What nobody has told of is asked for before it is said not to be there, but not by every call.
  for (let call = 0; call < 10; call++) {
    await expect(client.getServiceUrl("unheard-of")).rejects.toThrow(DiscoveryError);
  }
  expect(road.paths.splice(0)).toEqual(["/events", "/services/unheard-of"]);
  // What changes is read once, however much of it there is to tell; what nobody asked for is not.
  await register("not-asked-for", one.url);
  await registerWell("told", one, two);
  await until(
    async () => (await client.resolveService("told")).instances,
    (instances) => instances.length === 2 && instances.every(({ healthy }) => healthy),
  );
  expect(new Set(road.paths)).toEqual(new Set(["/services/told"]));
});

test("calls are spread over the healthy instances", async () => {
  const dead = "http://127.0.0.1:9";
  await registerWell("spread", one, two);
  await register("spread", dead);
  await using client = clientOf(app.urls.registry);
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.getServiceUrl("spread")));
  expect(answers.filter((url) => url === one.url)).toHaveLength(5);
  expect(answers.filter((url) => url === two.url)).toHaveLength(5);
  expect((await client.resolveService("spread")).instances).toContainEqual({ url: dead, healthy: false });
});

test("a registered URL is answered even where no instance is healthy", async () => {
  await register("unwell", "http://127.0.0.1:9/base");
  await using client = clientOf(app.urls.registry);
  expect(await client.resolveService("unwell")).toEqual({
    name: "unwell",
    url: "http://127.0.0.1:9/base",
    source: "REGISTRY",
    stale: false,
    healthy: false,
    instances: [{ url: "http://127.0.0.1:9/base", healthy: false }],
  });
});

test("what comes later and what goes is known without asking again and again", async () => {
  await using client = clientOf(app.urls.registry);
  await expect(client.getServiceUrl("newcomer")).rejects.toThrow("newcomer: not registered at");
  await register("newcomer", one.url);
  await until(
    () => client.getServiceUrl("newcomer").catch(() => undefined),
    (url) => url === one.url,
  );
  await post(`${app.urls.registry}/unregister`, { serviceName: "newcomer" });
  await until(
    () => client.getServiceUrl("newcomer").catch(({ code }) => code),
    (answer) => answer === "SERVICE_NOT_FOUND",
  );
});

test("after the registry come the environment and then the defaults, and the answer says which it was", async () => {
  process.env.PAYMENT_SERVICE_URL = "http://payments.example:8080";
  try {
    await using client = clientOf(app.urls.registry, { "payment-service": 3002, hrms: "http://hrms.local" });
    const resolved = async (name: string) => {
      const { url, source, stale, healthy } = await client.resolveService(name);
      return { url, source, stale, healthy };
    };
    expect(await resolved("payment-service")).toEqual({
      url: "http://payments.example:8080",
      source: "ENVIRONMENT",
      stale: false,
      healthy: null,
    });
    expect(await client.getServiceUrl("payment-service")).toBe("http://payments.example:8080");
    await registerWell("payment-service", one);
    await until(
      () => resolved("payment-service"),
      ({ url, source, healthy }) => url === one.url && source === "REGISTRY" && healthy === true,
    );
    expect(await resolved("hrms")).toMatchObject({ url: "http://hrms.local", source: "DEFAULT" });
    delete process.env.PAYMENT_SERVICE_URL;
    await post(`${app.urls.registry}/unregister`, { serviceName: "payment-service" });
    await until(
      () => resolved("payment-service"),
      ({ url, source }) => url === "http://localhost:3002" && source === "DEFAULT",
    );
  } finally {
    delete process.env.PAYMENT_SERVICE_URL;
  }
});

test("without a registry the fallbacks answer at once, and the error says what was tried", async () => {
  await using client = clientOf("http://127.0.0.1:9", { known: 4000 });
  expect(await client.getServiceUrl("known")).toBe("http://localhost:4000");
  expect(await client.getServiceUrl("core")).toBe("http://localhost:3001/graphql");
  await expect(client.getServiceUrl("un.known-service")).rejects.toThrow(
    /un\.known-service: the registry at http:\/\/127\.0\.0\.1:9 is away \(.+\), UN_KNOWN_SERVICE_URL is not set, and there is no/,
  );
  await expect(client.listServices()).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
});

test("what was known holds while the registry is away, and is read anew when it is back", async () => {
  await registerWell("lasting", one);
  await using road = roadTo(app.urls.registry);
  await using client = clientOf(road.url);
  expect(await client.resolveService("lasting")).toMatchObject({ url: one.url, stale: false });
  const listed = await client.listServices();
  await road.block();
  await until(
    () => client.resolveService("lasting"),
    ({ stale }) => stale,
  );
  expect(await client.getServiceUrl("lasting")).toBe(one.url);
  expect(await client.listServices()).toEqual(listed);
  await registerWell("lasting", two);
  road.lead(app.urls.registry);
  await until(
    () => client.resolveService("lasting"),
    ({ stale, instances }) => !stale && instances.length === 2,
  );
});

test("what was known holds where the registry was replaced by an empty one, until its service is there again", async () => {
  await registerWell("kept", one);
  await using road = roadTo(app.urls.registry);
  await using client = clientOf(road.url);
  expect(await client.resolveService("kept")).toMatchObject({ url: one.url, stale: false });
  await using empty = await startApp();
  await road.block();
  road.lead(empty.urls.registry);
  // It is live again when it knows what only the new one has.
  await register("only-here", two.url, empty);
  await until(
    () => client.getServiceUrl("only-here").catch(() => undefined),
    (url) => url === two.url,
  );
  expect(await client.resolveService("kept")).toMatchObject({ url: one.url, stale: true });
  await register("kept", two.url, empty);
  await until(
    () => client.resolveService("kept"),
    ({ url, stale }) => url === two.url && !stale,
  );
});

test("where there are no events, what is asked for is read, and kept for a while", async () => {
  const registry = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      new URL(request.url).pathname === "/events"
        ? new Response("too many", { status: 503 })
        : fetch(`${app.urls.registry}${new URL(request.url).pathname}`),
  });
  await registerWell("polled", one);
  await using client = clientOf(`http://127.0.0.1:${registry.port}`);
  expect(await client.resolveService("polled")).toMatchObject({
    url: one.url,
    source: "REGISTRY",
    stale: true,
  });
  await registerWell("polled", two);
  await until(
    () => client.resolveService("polled"),
    ({ instances }) => instances.length === 2,
  );
  await registry.stop(true);
});

test("the list has every service, plugins and the core among them", async () => {
  await registerWell("listed", one);
  await using client = clientOf(`${app.urls.registry}/`);
  const services = await client.listServices();
  expect(services.map(({ serviceName }) => serviceName)).toEqual(expect.arrayContaining(["core", "listed"]));
  expect(services.find(({ serviceName }) => serviceName === "listed")).toMatchObject({
    url: one.url,
    status: "ACTIVE",
    instances: [{ url: one.url, healthy: true }],
  });
});
