/** Health over real ports: what is asked of which service, and how its status follows. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startService } from "../support/service.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const definition = { typeDefs: "type Query { ok: String }" };
const quick = { interval: 0.1, failureThreshold: 2 };

function register(serviceName: string, url: string, more: object = {}) {
  return post(`${app.urls.registry}/register`, {
    serviceName,
    url,
    metadata: { healthCheck: quick },
    ...more,
  });
}

const inRegistry = async (name: string) => (await get(`${app.urls.registry}/services/${name}`)).body;

const becomes = (name: string, status: string) =>
  until(
    () => inRegistry(name),
    (service) => service.status === status,
  );

test("a health URL decides by any 2xx, whatever the service itself answers", async () => {
  await using service = await startService(definition);
  let status = 503;
  service.answerWith(({ url }) =>
    url.endsWith("/up") ? new Response(null, { status }) : new Response("busy", { status: 500 }),
  );
  await register("by-health", service.url, { health: "/up" });
  const before = await until(
    () => inRegistry("by-health"),
    ({ statusReason }) => statusReason?.includes("503"),
  );
  expect(before.status).toBe("INACTIVE");
  status = 204;
  expect((await becomes("by-health", "ACTIVE")).statusReason).toBeNull();
  status = 301;
  expect((await becomes("by-health", "ERROR")).statusReason).toBe(`${service.url}/up answered 301`);
});

test("after a restart with all services down, their states are right before their intervals are over", async () => {
  await using folder = await tempFolder();
  const names = Array.from({ length: 30 }, (_, i) => `s${i}`);
  const healthCheck = { interval: 3600, failureThreshold: 3 };
  const statuses = async ({ urls }: TestApp): Promise<Set<string>> => {
    const { body } = await get(`${urls.gateway}/gateway/health`);
    const all: { name: string; status: string }[] = body.services;
    return new Set(all.filter(({ name }) => names.includes(name)).map(({ status }) => status));
  };
  const are = (on: TestApp, status: string) =>
    until(
      () => statuses(on),
      (now) => now.size === 1 && now.has(status),
    );
  const services = await Promise.all(names.map(() => startService(definition)));
  {
    await using before = await startApp({ folder: folder.path });
    for (const [i, serviceName] of names.entries())
      await post(`${before.urls.registry}/register`, {
        serviceName,
        url: services[i]?.url,
        metadata: { healthCheck },
      });
    await are(before, "ACTIVE");
  }
  for (const service of services) await service.stop();
  await using after = await startApp({ folder: folder.path });
  await are(after, "ERROR");
  for (const service of services) service.start();
  await are(after, "ACTIVE");
  for (const service of services) await service.stop();
});

test("without a health URL GraphQL has to answer { __typename }", async () => {
  await using service = await startService(definition);
  await register("by-graphql", service.url, {
    metadata: { healthCheck: quick, endpoints: { graphql: "/graphql" } },
  });
  await becomes("by-graphql", "ACTIVE");
  expect(service.requests.map(({ query }) => query)).toContain("{__typename}");
  service.answerWith(() => new Response("<html>welcome</html>"));
  expect((await becomes("by-graphql", "ERROR")).statusReason).toBe(
    `${service.graphqlUrl} does not answer { __typename } as GraphQL does`,
  );
});

test("a plain service is well while its URL answers below 500", async () => {
  await using service = await startService(definition);
  let status = 404;
  service.answerWith(() => new Response(null, { status }));
  await register("plain", service.url);
  await becomes("plain", "ACTIVE");
  status = 502;
  expect((await becomes("plain", "ERROR")).statusReason).toBe(`${service.url} answered 502`);
  status = 404;
  await becomes("plain", "ACTIVE");
  await service.stop();
  expect((await becomes("plain", "ERROR")).statusReason).toBe("connection refused");
});

test("a service that does not answer its probe in time is down", async () => {
  await using service = await startService(definition);
  await register("slow", service.url);
  await becomes("slow", "ACTIVE");
  service.answerWith(() => new Promise(() => {}));
  expect((await becomes("slow", "ERROR")).statusReason).toBe("no answer in time");
});

test("a status goes ACTIVE, DEGRADED below the limit of failures, ERROR at it; healthy ones only are ?healthy", async () => {
  await using service = await startService(definition);
  await register("counted", service.url, {
    metadata: { healthCheck: { interval: 3600, failureThreshold: 2 } },
  });
  await becomes("counted", "ACTIVE");
  await service.stop();
  await graphql(app.urls.core, "{ checkAllServicesHealth { service } }");
  expect(await becomes("counted", "DEGRADED")).toMatchObject({ statusReason: "connection refused" });
  const check = () => graphql(app.urls.core, "{ checkAllServicesHealth { service healthy } }");
  const { data } = await until(check, (answer) =>
    answer.data.checkAllServicesHealth.some(
      ({ service: name, healthy }: { service: string; healthy: boolean }) => name === "counted" && !healthy,
    ),
  );
  expect(data.checkAllServicesHealth).toContainEqual({ service: "core", healthy: true });
  expect((await inRegistry("counted")).status).toBe("ERROR");
  expect((await get(`${app.urls.registry}/services/counted?healthy=true`)).status).toBe(503);
});

test("a service with one of two instances down is DEGRADED and says how many", async () => {
  await using one = await startService(definition);
  await using two = await startService(definition);
  await register("pair", one.url);
  await register("pair", two.url);
  await becomes("pair", "ACTIVE");
  await one.stop();
  const { statusReason, url } = await until(
    () => inRegistry("pair"),
    (service) => service.statusReason?.startsWith("1 of 2 instances are down"),
  );
  expect(statusReason).toBe("1 of 2 instances are down: connection refused");
  expect(url).toBe(two.url);
  await two.stop();
  await becomes("pair", "ERROR");
});

test("a service that never answered is INACTIVE, and ACTIVE with its first answer", async () => {
  await using service = await startService(definition, { listening: false });
  await register("late", service.url);
  const waiting = await until(
    () => inRegistry("late"),
    ({ statusReason }) => statusReason === "connection refused",
  );
  expect(waiting.status).toBe("INACTIVE");
  service.start();
  await becomes("late", "ACTIVE");
});

test("probes that show nothing new make no events, each transition makes one", async () => {
  const clock = new FakeClock();
  await using own = await startApp({ clock });
  await using service = await startService(definition);
  service.answerWith(() => new Response("ok"));
  await post(`${own.urls.registry}/register`, {
    serviceName: "steady",
    url: service.url,
    metadata: { healthCheck: { failureThreshold: 1 } },
  });
  const revision = async () => (await get(`${own.urls.registry}/health`)).body.revision as number;
  const look = async () => (await get(`${own.urls.registry}/services/steady`)).body;
  /** Moves on by more than an interval until a probe was answered that shows this status. */
  const probed = async (status: string) => {
    const { lastHealthCheck: before } = await look();
    const isNew = (service: { status: string; lastHealthCheck: string }) =>
      service.status === status && service.lastHealthCheck !== before;
    await until(() => clock.advance(11_000).then(look), isNew);
  };
  const registered = await revision();
  for (let i = 0; i < 5; i += 1) await probed("ACTIVE");
  expect(await revision()).toBe(registered + 1);
  service.answerWith(() => new Response("broken", { status: 500 }));
  for (let i = 0; i < 5; i += 1) await probed("ERROR");
  expect(await revision()).toBe(registered + 2);
});
