/** A service that fails costs its own fields and nothing else, and is back when it is back. */
import { expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { get, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import {
  answered,
  ask,
  becomes,
  gone,
  inRegistry,
  introspections,
  register,
  saying,
  serviceLine,
  setStatus,
} from "./graph.ts";

/** Probed so often that a test need not wait. */
const quick = {
  metadata: { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 0.1, failureThreshold: 2 } },
};

test("the fields of a service that is down fail at their path, its schema stays, and the rest is delivered", async () => {
  await using app = await startApp();
  await using well = await startService(saying("well", "yes"));
  await using down = await startService(saying("down", "no"));
  await register(app, "well", well);
  await register(app, "down", down, quick);
  await answered(app, "{ well down }");
  await down.stop();
  await becomes(app, "down", { status: "ERROR" });
  const { data, errors } = await ask(app, "{ well first: down second: down }");
  expect(data).toEqual({ well: "yes", first: null, second: null });
  expect(errors?.map(({ path, extensions }) => [path, extensions]).sort()).toEqual([
    [["first"], { code: "SERVICE_UNAVAILABLE", service: "down" }],
    [["second"], { code: "SERVICE_UNAVAILABLE", service: "down" }],
  ]);
  expect((await get(`${app.urls.gateway}/gateway/schema`)).body).toContain("down: String");
  const { composition, statusReason } = await serviceLine(app, "down");
  expect(composition).toBe("COMPOSED");
  expect(statusReason).toContain("connection refused");
  expect((await inRegistry(app, "down")).statusReason).toBe(statusReason);
});

test("the first requests to a service that just died fail with SERVICE_UNAVAILABLE, and its death is found soon", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  const metadata = {
    endpoints: { graphql: "/graphql" },
    healthCheck: { interval: 3600, failureThreshold: 1 },
  };
  await register(app, "dying", service, { metadata });
  await answered(app, "{ hello }");
  await becomes(app, "dying", { status: "ACTIVE" });
  await service.stop();
  // The interval is an hour: only the failing requests can have brought about the probe.
  await until(
    async () => {
      const { errors } = await ask(app, "{ hello }");
      expect(errors?.[0]?.extensions).toEqual({ code: "SERVICE_UNAVAILABLE", service: "dying" });
      return serviceLine(app, "dying");
    },
    ({ status }) => status === "ERROR",
  );
});

test("a service that comes back is served again, with a changed schema too, without registering", async () => {
  await using app = await startApp();
  await using service = await startService(saying("before", "1"));
  await register(app, "back", service, quick);
  await answered(app, "{ before }");
  await service.stop();
  await becomes(app, "back", { status: "ERROR" });
  service.change(saying("after", "2"));
  service.start();
  expect(await answered(app, "{ after }")).toEqual({ after: "2" });
  await gone(app, "{ before }");
});

test("a service that was refused and comes back with a schema that fits joins the graph", async () => {
  await using app = await startApp();
  await using owner = await startService(saying("hello", "world"));
  await using service = await startService(saying("hello", "mine"));
  await register(app, "owner", owner);
  await answered(app, "{ hello }");
  await register(app, "later", service, quick);
  await becomes(app, "later", { composition: "REJECTED", status: "ERROR" });
  await service.stop();
  await until(
    () => inRegistry(app, "later"),
    ({ instances }) => !instances[0].healthy,
  );
  service.change(saying("other", "x"));
  service.start();
  expect(await answered(app, "{ hello other }")).toEqual({ hello: "world", other: "x" });
  await becomes(app, "later", { composition: "COMPOSED", status: "ACTIVE" });
});

/** What a bad service answers, to introspections and to everything else. */
const badAnswers: [kind: string, answer: () => Response | Promise<Response>][] = [
  ["hangs", () => new Promise<Response>(() => {})],
  ["answers HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["answers truncated JSON", () => new Response('{"data":{"__schema":{"types":[')],
  ["answers JSON that is no schema", () => Response.json({ data: { __schema: { types: {} } } })],
  ["answers a body without end", () => new Response(endless())],
  ["answers 500", () => new Response("broken", { status: 500 })],
  ["redirects", () => Response.redirect("http://localhost:1/")],
];

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(1024 * 1024).fill(32);
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
}

test("services that hang or answer nonsense never keep others out of the graph", async () => {
  await using app = await startApp();
  await using stack = new AsyncDisposableStack();
  const bad: TestService[] = [];
  for (const [i, [, answer]] of badAnswers.entries()) {
    const service = stack.use(await startService(saying(`bad${i}`, "never")));
    service.answerWith(answer);
    bad.push(service);
  }
  await Promise.all(bad.map((service, i) => register(app, `bad${i}`, service)));
  const good = stack.use(await startService(saying("good", "yes")));
  await register(app, "good", good);
  expect(await answered(app, "{ good }")).toEqual({ good: "yes" });
  expect((await serviceLine(app, "bad0")).composition).toBe("PENDING");

  // The others say why they are left out, and join when what they answer is a schema.
  const answering = bad.slice(1);
  const names = answering.map((_, i) => `bad${i + 1}`);
  for (const name of names) {
    const { reason } = await until(
      () => serviceLine(app, name),
      (line) => line.reason !== null,
    );
    expect(["SCHEMA_UNREACHABLE", "SCHEMA_INVALID"]).toContain(reason.code);
  }
  for (const service of answering) service.answerWith(undefined);
  await answered(app, `{ good ${names.join(" ")} }`);
});

test("a slow field of one service does not hold back requests to others", async () => {
  await using app = await startApp();
  const release = Promise.withResolvers<string>();
  await using slow = await startService({
    typeDefs: "type Query { slow: String }",
    resolvers: { Query: { slow: () => release.promise } },
  });
  await using fast = await startService(saying("fast", "yes"));
  await register(app, "slow", slow);
  await register(app, "fast", fast);
  await until(
    () => ask(app, '{ __type(name: "Query") { fields { name } } }'),
    ({ data }) => data.__type.fields.some(({ name }: { name: string }) => name === "slow"),
  );
  const waiting = Promise.all(Array.from({ length: 80 }, () => ask(app, "{ slow }")));
  expect(await answered(app, "{ fast }")).toEqual({ fast: "yes" });
  release.resolve("done");
  for (const { data } of await waiting) expect(data).toEqual({ slow: "done" });
});

test("MAINTENANCE stops requests, probes and introspections, keeps the schema, and ends again", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  await register(app, "resting", service, quick);
  await answered(app, "{ hello }");
  await setStatus(app, "resting", "MAINTENANCE");
  await becomes(app, "resting", { status: "MAINTENANCE", composition: "COMPOSED" });
  await register(app, "resting", service, quick);
  const before = service.requests.length;
  const { data, errors } = await ask(app, "{ hello getServices { name } }");
  expect(data.hello).toBeNull();
  expect(data.getServices).toHaveLength(2);
  expect(errors?.[0]?.extensions).toEqual({ code: "SERVICE_UNAVAILABLE", service: "resting" });
  // A whole pass over all services, and a reload, leave it alone.
  await ask(app, "{ checkAllServicesHealth { service healthy } }");
  await fetch(`${app.urls.gateway}/gateway/reload`, { method: "POST" });
  expect(service.requests.length).toBe(before);

  service.change(saying("again", "yes"));
  await setStatus(app, "resting", "ACTIVE");
  expect(await answered(app, "{ again }")).toEqual({ again: "yes" });
});

test("a service in MAINTENANCE whose schema was never seen is asked for it only afterwards", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  service.answerWith(() => new Response("not yet", { status: 500 }));
  await register(app, "early", service);
  await until(
    () => serviceLine(app, "early"),
    ({ reason }) => reason !== null,
  );
  await setStatus(app, "early", "MAINTENANCE");
  service.answerWith(undefined);
  await fetch(`${app.urls.gateway}/gateway/reload`, { method: "POST" });
  await register(app, "early", service);
  await fetch(`${app.urls.gateway}/gateway/reload`, { method: "POST" });
  expect(introspections(service)).toBe(0);
  await setStatus(app, "early", "ACTIVE");
  await answered(app, "{ hello }");
});
