/** The registry's REST API: every call with the bodies as published, what is replaced and what is kept. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const send = (path: string, body: unknown) => post(`${app.urls.registry}${path}`, body);
const read = (path: string) => get(`${app.urls.registry}${path}`);

/** The registration's body as published. */
const REGISTRATION = `{
  "serviceName": "service-name",
  "url": "http://hostname:3000",
  "health": "http://hostname:3000/health",
  "metadata": {
    "version": "1.0.0",
    "endpoints": {
      "endpoint1": "/path/to/endpoint1",
      "endpoint2": "/path/to/endpoint2"
    }
  }
}`;

describe("the published calls", () => {
  test("register answers 201 for a new service and 200 for a known one, with the service", async () => {
    const { status, body } = await send("/register", REGISTRATION);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      serviceName: "service-name",
      url: "http://hostname:3000",
      health: "http://hostname:3000/health",
      version: "1.0.0",
      status: "INACTIVE",
      graphqlUrl: null,
      source: "REMOTE",
      ttl: null,
      metadata: JSON.parse(REGISTRATION).metadata,
      instances: [{ url: "http://hostname:3000", healthy: false }],
    });
    const again = await send("/register", REGISTRATION);
    expect({ status: again.status, id: again.body.id }).toEqual({ status: 200, id: body.id });
  });

  test("a service is found by its name and in the list, beside the core", async () => {
    expect((await read("/services/service-name")).body.serviceName).toBe("service-name");
    const { body } = await read("/services");
    expect(Object.keys(body)).toEqual(["services"]);
    expect(body.services.map((service: { serviceName: string }) => service.serviceName)).toEqual([
      "core",
      "service-name",
    ]);
    expect((await read("/services/nobody")).body).toMatchObject({ status: 404, code: "SERVICE_NOT_FOUND" });
  });

  test("unregister answers what was removed, and 404 where there is nothing", async () => {
    const { status, body } = await send("/unregister", '{\n  "serviceName": "service-name"\n}');
    expect({ status, name: body.serviceName }).toEqual({ status: 200, name: "service-name" });
    expect((await read("/services/service-name")).status).toBe(404);
    expect((await send("/unregister", { serviceName: "service-name" })).body).toMatchObject({
      status: 404,
      code: "SERVICE_NOT_FOUND",
    });
  });

  test("health says ok", async () => {
    expect(await read("/health")).toMatchObject({ status: 200, body: { status: "ok", database: "ok" } });
  });
});

describe("a registration", () => {
  test("replaces the fields that it names and leaves the others; metadata is replaced whole", async () => {
    const named = { displayName: "Kept", description: "Kept too", tags: ["a"], dependencies: ["b"] };
    const url = "http://127.0.0.1:9";
    await send("/register", {
      serviceName: "kept",
      url,
      ...named,
      isRequired: true,
      metadata: { a: 1, b: 2 },
    });
    const { body } = await send("/register", {
      serviceName: "kept",
      url,
      tags: ["c"],
      displayName: null,
      metadata: { c: 3 },
    });
    expect(body).toMatchObject({ ...named, tags: ["c"], isRequired: true });
    expect(body.metadata).toEqual({ c: 3 });
  });

  test("takes its version and health check from the metadata where it does not say them itself", async () => {
    const metadata = { version: "2.1.0", endpoints: { health: "/healthz" } };
    const url = "http://127.0.0.1:9/base";
    const defaults = await send("/register", { serviceName: "defaults", url, metadata });
    expect(defaults.body).toMatchObject({ version: "2.1.0", health: "http://127.0.0.1:9/healthz" });
    const own = { version: "3", health: "http://127.0.0.1:8/ping" };
    expect((await send("/register", { serviceName: "own", url, metadata, ...own })).body).toMatchObject(own);
  });

  test("finds its GraphQL endpoint by a path or by a URL in the metadata", async () => {
    const cases: [graphql: string, graphqlUrl: string][] = [
      ["/graphql", "http://127.0.0.1:9/graphql"],
      ["api", "http://127.0.0.1:9/base/api"],
      ["http://127.0.0.1:7/elsewhere", "http://127.0.0.1:7/elsewhere"],
    ];
    for (const [graphql, graphqlUrl] of cases) {
      const { body } = await send("/register", {
        serviceName: "endpoint",
        url: "http://127.0.0.1:9/base/",
        metadata: { endpoints: { graphql } },
      });
      expect(body).toMatchObject({ url: "http://127.0.0.1:9/base/", graphqlUrl });
    }
  });

  test("keeps the URL letter for letter", async () => {
    const url = "http://LOCALHOST:9/A/../b//";
    expect((await send("/register", { serviceName: "letters", url })).body.url).toBe(url);
  });

  test("ignores fields that it does not know, and those that only the registry sets", async () => {
    const { body } = await send("/register", {
      serviceName: "extra",
      url: "http://127.0.0.1:9",
      source: "PLUGIN",
      status: "ACTIVE",
      node: "here",
      healthReason: "invented",
      colour: "blue",
    });
    expect(body).toMatchObject({ source: "REMOTE", status: "INACTIVE", statusReason: "not yet healthy" });
    expect(body).not.toHaveProperty("colour");
  });
});

describe("instances", () => {
  const urls = (body: { instances: { url: string }[] }) => body.instances.map(({ url }) => url);

  test("the same origin replaces the paths, another origin adds an instance", async () => {
    const register = (url: string) => send("/register", { serviceName: "many", url });
    await register("http://127.0.0.1:9/v1");
    expect(urls((await register("http://127.0.0.1:9/v2")).body)).toEqual(["http://127.0.0.1:9/v2"]);
    const two = await register("http://127.0.0.1:8/v1");
    expect(two.status).toBe(200);
    expect(urls(two.body)).toEqual(["http://127.0.0.1:9/v2", "http://127.0.0.1:8/v1"]);
    expect(urls((await register("https://127.0.0.1:8/v1")).body)).toHaveLength(3);
  });

  test("are unregistered by their URL, and with the last one the service is gone", async () => {
    const register = (url: string) => send("/register", { serviceName: "leaving", url });
    await register("http://127.0.0.1:9/a");
    await register("http://127.0.0.1:8/a");
    const unknown = await send("/unregister", { serviceName: "leaving", url: "http://127.0.0.1:7" });
    expect(unknown.body).toMatchObject({ status: 404, code: "INSTANCE_NOT_FOUND" });
    const one = await send("/unregister", { serviceName: "leaving", url: "http://127.0.0.1:9/other" });
    expect(urls(one.body)).toEqual(["http://127.0.0.1:9/a"]);
    expect(urls((await read("/services/leaving")).body)).toEqual(["http://127.0.0.1:8/a"]);
    await send("/unregister", { serviceName: "leaving", url: "http://127.0.0.1:8" });
    expect((await read("/services/leaving")).status).toBe(404);
  });

  test("?healthy=true names the healthy ones only, and 503 where there is none", async () => {
    await using service = await startService({ typeDefs: "type Query { a: String }" });
    const health = "/health";
    await send("/register", { serviceName: "mixed", url: "http://127.0.0.1:9", health });
    const none = await read("/services/mixed?healthy=true");
    expect(none.body).toMatchObject({ status: 503, code: "NO_HEALTHY_INSTANCE" });
    expect(none.headers.get("content-type")).toBe("application/problem+json");
    await send("/register", { serviceName: "mixed", url: service.url, health });
    const some = await until(
      () => read("/services/mixed?healthy=true"),
      ({ status }) => status === 200,
    );
    expect(urls(some.body)).toEqual([service.url]);
    expect(some.body).toMatchObject({ url: service.url, status: "DEGRADED" });
    expect(urls((await read("/services/mixed")).body)).toHaveLength(2);
  });
});
