/** What the gateway says of itself: composition states with their reasons, reload, schema, live, ready and health. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { rawRequest } from "../support/wire.ts";
import {
  answered,
  becomes,
  inRegistry,
  introspections,
  register,
  saying,
  serviceLine,
  unregister,
} from "./graph.ts";

let app: TestApp;
let owner: TestService;

beforeAll(async () => {
  app = await startApp();
  owner = await startService(saying("hello", "world"));
  await register(app, "owner", owner);
  await answered(app, "{ hello }");
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await owner[Symbol.asyncDispose]();
});

test("COMPOSED: its newest schema is in the graph", async () => {
  await becomes(app, "owner", { status: "ACTIVE" });
  expect(await serviceLine(app, "owner")).toEqual({
    name: "owner",
    source: "REMOTE",
    status: "ACTIVE",
    statusReason: null,
    url: owner.url,
    graphqlUrl: owner.graphqlUrl,
    version: null,
    composition: "COMPOSED",
    reason: null,
    kind: "plain",
    kindForced: false,
    changes: null,
  });
});

test("REJECTED: it collides; the reason is in the gateway and, as ERROR, in the registry", async () => {
  await using service = await startService(saying("hello", "mine"));
  await register(app, "rival", service);
  const { reason } = await becomes(app, "rival", { composition: "REJECTED", status: "ERROR" });
  expect(reason.code).toBe("ROOT_FIELD_TAKEN");
  expect(reason.message).toContain("Query.hello of rival belongs to owner");
  const { status, statusReason } = await inRegistry(app, "rival");
  expect(status).toBe("ERROR");
  expect(statusReason).toBe(`${reason.code}: ${reason.message}`);
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
  await unregister(app, "rival");
});

test("PREVIOUS: a changed schema collides, the one before serves on; DEGRADED in the registry until it fits", async () => {
  await using service = await startService(saying("mine", "1"));
  await register(app, "changing", service);
  await answered(app, "{ mine }");
  service.change({
    typeDefs: "type Query { mine: String hello: String }",
    resolvers: { Query: { mine: () => "2" } },
  });
  await register(app, "changing", service);
  const { reason } = await becomes(app, "changing", { composition: "PREVIOUS", status: "DEGRADED" });
  expect(reason.code).toBe("ROOT_FIELD_TAKEN");
  expect((await inRegistry(app, "changing")).statusReason).toContain("ROOT_FIELD_TAKEN");
  expect(await answered(app, "{ mine hello }")).toEqual({ mine: "2", hello: "world" });

  service.change(saying("mine", "3"));
  await register(app, "changing", service);
  expect((await becomes(app, "changing", { composition: "COMPOSED", status: "ACTIVE" })).reason).toBeNull();
  expect((await inRegistry(app, "changing")).statusReason).toBeNull();
  await unregister(app, "changing");
});

test("PREVIOUS: a service that answers nonsense when asked again keeps its last good schema", async () => {
  await using service = await startService(saying("steady", "1"));
  const health = `${service.url}/health`;
  await register(app, "steady", service, { health });
  await answered(app, "{ steady }");
  service.answerWith(({ url }) => (url === health ? new Response("ok") : new Response("<html>")));
  await register(app, "steady", service, { health });
  const { reason } = await becomes(app, "steady", { composition: "PREVIOUS", status: "DEGRADED" });
  expect(reason.code).toBe("SCHEMA_UNREACHABLE");
  service.answerWith(undefined);
  await becomes(app, "steady", { composition: "COMPOSED", status: "ACTIVE" });
  await unregister(app, "steady");
});

test("REJECTED: a service that is well but has no usable schema is ERROR with the reason", async () => {
  await using service = await startService(saying("x", "x"));
  service.answerWith(({ url }) =>
    url.endsWith("/health") ? new Response("ok") : Response.json({ data: {} }),
  );
  await register(app, "schemaless", service, { health: "/health" });
  const { reason } = await becomes(app, "schemaless", { composition: "REJECTED", status: "ERROR" });
  expect(reason.code).toBe("SCHEMA_INVALID");
  await unregister(app, "schemaless");
});

test("PENDING: it was not reached yet", async () => {
  await using service = await startService(saying("later", "x"), { listening: false });
  await register(app, "later", service);
  const line = await until(
    () => serviceLine(app, "later"),
    ({ reason }) => reason !== null,
  );
  expect(line).toMatchObject({ composition: "PENDING", status: "INACTIVE" });
  expect(line.reason.code).toBe("SCHEMA_UNREACHABLE");
  expect(line.reason.message).toContain("connection refused");
  await unregister(app, "later");
});

test("NOT_GRAPHQL: a service without a GraphQL endpoint is found and health-checked, and never asked for a schema", async () => {
  await using service = await startService(saying("x", "x"));
  await register(app, "plain", service, { metadata: {} });
  await becomes(app, "plain", { composition: "NOT_GRAPHQL", status: "ACTIVE" });
  await post(`${app.urls.gateway}/gateway/reload`, "");
  expect(introspections(service)).toBe(0);
  await unregister(app, "plain");
});

test("a service whose schema was refused is ACTIVE when it is registered without GraphQL", async () => {
  await using service = await startService(saying("x", "x"));
  service.answerWith(({ url }) =>
    url.endsWith("/health") ? new Response("ok") : Response.json({ data: {} }),
  );
  await register(app, "given-up", service, { health: "/health" });
  await becomes(app, "given-up", { composition: "REJECTED", status: "ERROR" });
  await register(app, "given-up", service, { metadata: {} });
  await becomes(app, "given-up", { composition: "NOT_GRAPHQL", status: "ACTIVE" });
  await unregister(app, "given-up");
});

test("a plugin's door with a name that is not UTF-8 is NOT_FOUND", async () => {
  const { status, body } = await get(`${app.urls.gateway}/plugins/%E0%A4%A/graphql`);
  expect([status, body.errors[0].extensions.code]).toEqual([404, "NOT_FOUND"]);
});

test("a service that gives up its GraphQL endpoint leaves the graph", async () => {
  await using service = await startService(saying("soon", "gone"));
  await register(app, "leaving", service);
  await answered(app, "{ soon }");
  await register(app, "leaving", service, { metadata: {} });
  await becomes(app, "leaving", { composition: "NOT_GRAPHQL" });
  await until(
    async () => (await get(`${app.urls.gateway}/gateway/schema`)).body,
    (sdl) => !sdl.includes("soon"),
  );
  await unregister(app, "leaving");
});

test("a reload fetches every schema anew and says what came of it; callers at the same time share one pass", async () => {
  await using service = await startService(saying("old", "1"));
  await using rival = await startService(saying("hello", "mine"));
  await register(app, "quiet", service);
  await register(app, "rival", rival);
  await answered(app, "{ old }");
  await becomes(app, "rival", { composition: "REJECTED" });
  service.change(saying("fresh", "2"));
  const before = introspections(service);
  // Holds the pass open until all callers are there.
  const release = Promise.withResolvers<void>();
  owner.answerWith(async (request) => {
    const { method, headers } = request;
    const body = await request.text();
    await release.promise;
    owner.answerWith(undefined);
    return fetch(request.url, { method, headers, ...(method === "POST" ? { body } : {}) });
  });
  const ask = "POST /gateway/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  const calls = Array.from({ length: 10 }, () =>
    rawRequest(app.urls.gateway, ask, (answer) => answer.endsWith("}")),
  );
  await until(
    () => introspections(service),
    (count) => count > before,
  );
  // By the time that those who ask after the ten are answered one after the other, all ten wait.
  for (let later = 0; later < 10; later++) await get(`${app.urls.gateway}/gateway/live`);
  release.resolve();
  const answers = (await Promise.all(calls)).map((answer) => answer.split("\r\n\r\n"));
  for (const [head] of answers) expect(head).toStartWith("HTTP/1.1 200");
  const [body] = answers.map(([, text = ""]) => JSON.parse(text));
  expect(body.services).toEqual(expect.arrayContaining(["core", "owner", "quiet"]));
  expect(body.services).not.toContain("rival");
  expect(body.rejected).toContainEqual({
    name: "rival",
    reason: { code: "ROOT_FIELD_TAKEN", message: expect.stringContaining("owner") },
  });
  for (const [, text = ""] of answers) expect(JSON.parse(text)).toEqual(body);
  expect(introspections(service)).toBe(before + 1);
  expect((await get(`${app.urls.gateway}/gateway/services`)).body.revision).toBe(body.revision);
  expect((await get(`${app.urls.gateway}/gateway/schema`)).body).toContain("fresh: String");
  await unregister(app, "quiet");
  await unregister(app, "rival");
});

test("live and ready answer 200 once everything was asked for", async () => {
  expect(await get(`${app.urls.gateway}/gateway/live`)).toMatchObject({
    status: 200,
    body: { status: "ok" },
  });
  const ready = () => get(`${app.urls.gateway}/gateway/ready`);
  expect((await until(ready, ({ status }) => status === 200)).body).toEqual({ status: "ok" });
});

test("health is 503 while a required service gets no requests, and 200 though another one is down", async () => {
  await using service = await startService(saying("needed", "x"), { listening: false });
  const health = () => get(`${app.urls.gateway}/gateway/health`);
  await register(app, "needed", service);
  expect((await health()).status).toBe(200);
  expect((await health()).body.status).toBe("degraded");
  await register(app, "needed", service, { isRequired: true });
  const { status, body } = await health();
  expect(status).toBe(503);
  expect(body.status).toBe("unhealthy");
  expect(body.services).toContainEqual(
    expect.objectContaining({ name: "needed", status: "INACTIVE", healthy: false }),
  );
  service.start();
  const well = await until(health, (answer) => answer.status === 200);
  const line = well.body.services.find(({ name }: { name: string }) => name === "needed");
  expect(line).toEqual({
    name: "needed",
    status: "ACTIVE",
    healthy: true,
    lastHealthCheck: expect.stringMatching(/^\d{4}-/),
    statusReason: null,
  });
  await unregister(app, "needed");
});
