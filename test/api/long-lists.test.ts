/** Lists that are too long to be written in one go: they come in pieces, and are whole and the same wherever asked. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { openStream } from "../support/stream.ts";

const SERVICES = 20;
const INSTANCES = 30;
const FURTHER = 120;

let app: TestApp;
beforeAll(async () => {
  // The clock stands still: nothing is probed, and nothing changes between one answer and the next.
  app = await startApp({ clock: new FakeClock() });
  for (let i = 0; i < SERVICES * INSTANCES; i++) {
    const { status } = await post(`${app.urls.registry}/register`, {
      serviceName: `many${i % SERVICES}`,
      url: `http://127.0.${Math.floor(i / SERVICES)}.1:9`,
      metadata: { note: "ü".repeat(4_000) },
    });
    expect(status).toBeLessThan(300);
  }
  for (let i = 0; i < FURTHER; i++)
    await post(`${app.urls.registry}/register`, { serviceName: `further${i}`, url: `http://127.1.${i}.1:9` });
});
afterAll(() => app[Symbol.asyncDispose]());

interface Listed {
  serviceName: string;
  instances: unknown[];
}

const remote = (services: Listed[]) => services.filter(({ serviceName }) => serviceName.startsWith("many"));

test("GET /services comes in pieces, and each service is as it is alone", async () => {
  const { headers, body } = await get(`${app.urls.registry}/services`);
  expect(headers.get("content-type")).toContain("application/json");
  expect(headers.get("content-length")).toBeNull();
  const services = remote(body.services);
  expect(services.map(({ serviceName }) => serviceName)).toEqual(
    Array.from({ length: SERVICES }, (_, i) => `many${i}`),
  );
  for (const service of services) {
    expect(service.instances).toHaveLength(INSTANCES);
    expect((await get(`${app.urls.registry}/services/${service.serviceName}`)).body).toEqual(service);
  }
});

test("many who ask at once, and one who hangs up half-way, are each answered or let go", async () => {
  const leaving = new AbortController();
  const left = await fetch(`${app.urls.registry}/services`, { signal: leaving.signal });
  const reader = left.body?.getReader();
  await reader?.read();
  leaving.abort();
  const lists = await Promise.all(Array.from({ length: 8 }, () => get(`${app.urls.registry}/services`)));
  for (const { body } of lists) expect(body).toEqual(lists[0]?.body);
});

test("the snapshot of /events is one message with the same list", async () => {
  await using stream = await openStream(`${app.urls.registry}/events`);
  const { data } = await stream.find(({ event }) => event === "snapshot");
  expect(data.services).toEqual((await get(`${app.urls.registry}/services`)).body.services);
});

test("getServices over GraphQL has every service and instance, in order", async () => {
  for (const door of [app.urls.core, app.urls.gateway]) {
    const { data, errors } = await graphql(door, "{ getServices { name instances { url } } }");
    expect(errors).toBeUndefined();
    const services = data.getServices.filter(({ name }: { name: string }) => name.startsWith("many"));
    expect(services).toHaveLength(SERVICES);
    expect(services[3].instances[2].url).toBe("http://127.0.2.1:9");
  }
});

const FIELDS = "__typename id called: name status metadata tags createdAt instances { url healthy ...More }";
const MORE = "fragment More on RegistryInstance { reason leaseUntil }";

test("getServices has the same text at both doors, and each service in it is as it is alone", async () => {
  const query = `query ($skipped: Boolean!) {
    all: getServices { ${FIELDS} isRequired @skip(if: $skipped) }
    getServices { name } other: getService(name: "many3") { name }
  } ${MORE}`;
  const [core = "", gateway = ""] = await Promise.all(
    [app.urls.core, app.urls.gateway].map(async (door) => {
      const response = await fetch(`${door}/graphql`, asking(query, { skipped: true }));
      expect(response.headers.get("content-type")).toContain("json");
      expect(response.headers.get("content-length")).toBeNull();
      return response.text();
    }),
  );
  expect(gateway).toBe(core);
  const { data } = JSON.parse(gateway);
  expect(Object.keys(data)).toEqual(["all", "getServices", "other"]);
  expect(data.all).toHaveLength(SERVICES + FURTHER + 1);
  expect(gateway).toBe(JSON.stringify({ data }));
  for (const service of data.all.filter((_: unknown, i: number) => i % 20 === 0)) {
    const alone = await graphql(
      app.urls.gateway,
      `query ($name: String) { getService(name: $name) { ${FIELDS} } } ${MORE}`,
      { name: service.called },
    );
    expect(service).toEqual(alone.data.getService);
  }
});

test("an error beside a long list is told with its code, its path and the status that the list alone would have", async () => {
  const query = '{ getServices { name } getService(name: "nobody") { name } }';
  for (const door of [app.urls.core, app.urls.gateway]) {
    const response = await fetch(`${door}/graphql`, asking(query));
    const { data, errors } = (await response.json()) as {
      data: { getServices: unknown[] };
      errors: unknown[];
    };
    expect(response.status).toBe(200);
    expect(data.getServices.length).toBeGreaterThan(FURTHER);
    expect(data).toHaveProperty("getService", null);
    expect(errors).toEqual([
      expect.objectContaining({ path: ["getService"], extensions: { code: "SERVICE_NOT_FOUND" } }),
    ]);
  }
});

test("who takes events only gets a long list as one", async () => {
  const { headers, ...init } = asking("{ getServices { name } }");
  const accept = { ...headers, accept: "text/event-stream" };
  for (const door of [app.urls.core, app.urls.gateway]) {
    const text = await (await fetch(`${door}/graphql`, { ...init, headers: accept })).text();
    const [, data = ""] = /^event: next\ndata: (.*)$/m.exec(text) ?? [];
    expect(JSON.parse(data).data.getServices).toHaveLength(SERVICES + FURTHER + 1);
  }
});

function asking(query: string, variables: object = {}) {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify({ query, variables }) };
}
