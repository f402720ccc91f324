/** The stream of events of the registry's REST API: a snapshot first, then what follows, and how it is resumed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { type ExecutionResult, parse, subscribe } from "graphql";
import { coreSchema } from "../../src/api/core.ts";
import { eventMessages } from "../../src/api/events.ts";
import { Guard } from "../../src/api/guard.ts";
import type { Operations } from "../../src/api/operations.ts";
import { type Message, Streams } from "../../src/api/sse.ts";
import { EventLog } from "../../src/events.ts";
import { createLog } from "../../src/log.ts";
import type { Service } from "../../src/registry/service.ts";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { openStream } from "../support/stream.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const register = (serviceName: string, on = app) =>
  post(`${on.urls.registry}/register`, { serviceName, url: "http://127.0.0.1:9" });
const open = (lastId?: string, on = app) =>
  openStream(`${on.urls.registry}/events`, { headers: lastId ? { "last-event-id": lastId } : {} });
const about = (service: string) => (message: { data: { service?: string } }) =>
  message.data.service === service;

test("begins with a snapshot, then tells every change with its index, type, service, time and cause", async () => {
  await register("before");
  await using stream = await open();
  expect(stream.response.headers.get("content-type")).toContain("text/event-stream");
  const snapshot = await stream.find(({ event }) => event === "snapshot");
  expect(snapshot.id).toBe(String(snapshot.data.index));
  const { services } = (await get(`${app.urls.registry}/services`)).body;
  expect(snapshot.data.services.map((service: { serviceName: string }) => service.serviceName)).toEqual(
    services.map((service: { serviceName: string }) => service.serviceName),
  );
  await register("after");
  const told = await stream.find(about("after"));
  expect(told.id).toBe(String(told.data.index));
  expect(told.data).toEqual({
    index: expect.any(Number),
    type: "REGISTERED",
    service: "after",
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    cause: "registration",
  });
  expect(told.data.index).toBeGreaterThan(snapshot.data.index);
});

test("tells an update, a removal and a change of status", async () => {
  await using stream = await open();
  await stream.find(({ event }) => event === "snapshot");
  await register("told");
  for (const status of ["MAINTENANCE", "ACTIVE"]) {
    await graphql(
      app.urls.core,
      `mutation { updateService(name: "told", input: { status: ${status} }) { id } }`,
    );
  }
  await post(`${app.urls.registry}/unregister`, { serviceName: "told" });
  await stream.find(({ data }) => data.service === "told" && data.type === "REMOVED");
  const types = stream.messages.filter(about("told")).map(({ data }) => data.type);
  expect(types.filter((type) => type !== "STATUS")).toEqual(["REGISTERED", "UPDATED", "UPDATED", "REMOVED"]);
  const indexes = stream.messages.map(({ data }) => data.index);
  expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
  expect(new Set(indexes).size).toBe(indexes.length);
});

test("resumes after the Last-Event-ID without a snapshot and without a gap", async () => {
  let lastId: string | undefined;
  {
    await using first = await open();
    await register("one");
    lastId = (await first.find(about("one"))).id;
  }
  await register("two");
  await register("three");
  await using second = await open(lastId);
  await second.find(about("three"));
  expect(second.messages.map(({ event }) => event)).not.toContain("snapshot");
  expect(second.messages.every(({ data }) => data.index > Number(lastId))).toBe(true);
  expect(second.messages.some(about("two"))).toBe(true);
});

test("begins with a snapshot where the Last-Event-ID is not known", async () => {
  for (const lastId of ["999999999", "-1", "abc", "9".repeat(40)]) {
    await using stream = await open(lastId);
    expect((await stream.find(() => true)).event).toBe("snapshot");
  }
});

test("misses nothing over a restart: what the reader did not see is told, or a snapshot comes", async () => {
  await using folder = await tempFolder();
  let lastId: string | undefined;
  {
    await using first = await startApp({ folder: folder.path });
    {
      await using stream = await open(undefined, first);
      await register("seen", first);
      lastId = (await stream.find(about("seen"))).id;
    }
    await register("unseen", first);
  }
  await using second = await startApp({ folder: folder.path });
  await using stream = await open(lastId, second);
  const { event, data } = await stream.find(() => true);
  expect(event).toBe("snapshot");
  expect(data.index).toBeGreaterThan(Number(lastId));
  expect(data.services.map((service: { serviceName: string }) => service.serviceName)).toContain("unseen");
  // And from there on it goes on as if nothing had been.
  await register("later", second);
  await using third = await open(String(data.index), second);
  await third.find(about("later"));
  expect(third.messages.map((message) => message.event)).not.toContain("snapshot");
});

test("resumes over a restart without a snapshot where the reader had seen everything", async () => {
  await using folder = await tempFolder();
  // The clock stands still: no probe changes anything between the reader's last event and the end.
  const clock = new FakeClock();
  const first = await startApp({ folder: folder.path, clock });
  await using seen = await open(undefined, first);
  await register("seen", first);
  const { id } = await seen.find(about("seen"));
  await first[Symbol.asyncDispose]();
  await using second = await startApp({ folder: folder.path, clock });
  await register("new", second);
  await using stream = await open(id, second);
  await stream.find(about("new"));
  expect(stream.messages.map(({ event }) => event)).not.toContain("snapshot");
  expect(stream.messages.every(({ data }) => data.index > Number(id))).toBe(true);
});

test("a HEAD is answered with the headers and no stream", async () => {
  const response = await fetch(`${app.urls.registry}/events`, { method: "HEAD" });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(await response.text()).toBe("");
});

test("a reader that stalls holds up its own stream; when it lags too far behind, the stream ends", async () => {
  const events = new EventLog(0, () => {});
  const operations = { events, services: () => [] as Service[] } as Partial<Operations> as Operations;
  const streams = new Streams();
  let taken = 0;
  async function* counted(messages: AsyncIterable<Message>) {
    for await (const message of messages) {
      taken += 1;
      yield message;
    }
  }
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      streams.respond(request, (signal) =>
        counted(eventMessages({ operations, revision: () => 0 }, null, signal)),
      ),
  });
  const socket = connect(server.port as number, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  socket.pause();
  await until(
    () => taken,
    (count) => count > 0,
  );
  const published = 8_000;
  const cause = "x".repeat(10_000);
  for (let index = 1; index <= published; index++) {
    events.publish([{ index, type: "UPDATED", service: "a", at: 0, cause }]);
    if (index % 100 === 0) await new Promise(setImmediate);
  }
  expect(taken).toBeLessThan(published / 2);
  let tail = "";
  socket.on("data", (chunk) => {
    tail = (tail + chunk).slice(-10);
  });
  socket.resume();
  await until(
    () => tail,
    (text) => text.endsWith("\r\n0\r\n\r\n"),
  );
  expect(taken).toBeLessThan(published / 2);
  socket.destroy();
});

test("subscriptions and streams of REST share one limit, and one that ends makes room", async () => {
  const streams = new Streams();
  const operations = { events: new EventLog(0, () => {}) } as Partial<Operations> as Operations;
  const schema = coreSchema({
    operations,
    guard: new Guard({ jwtSecret: undefined, loopback: true, corsOrigins: undefined }),
    streams,
    stopping: new AbortController().signal,
    log: createLog("silent", "json"),
  });
  const open = () =>
    subscribe({ schema, document: parse("subscription { serviceEvents { index } }"), contextValue: {} });
  const first = (await open()) as AsyncGenerator;
  const waiting = first.next();
  for (let count = 1; count < 999; count++) await open();
  const leaving = new AbortController();
  const request = new Request("http://localhost/events", { signal: leaving.signal });
  streams.respond(request, async function* () {});
  const refused = (await open()) as ExecutionResult;
  expect(refused.errors?.[0]?.extensions.code).toBe("OVERLOADED");
  leaving.abort();
  expect(await open()).not.toHaveProperty("errors");
  streams.endAll();
  expect(await waiting).toEqual({ done: true, value: undefined });
});

test("ends at once when bobbin stops", async () => {
  const stopping = await startApp();
  await using stream = await open(undefined, stopping);
  await stream.find(() => true);
  await stopping[Symbol.asyncDispose]();
  expect(stream.hasEnded).toBe(true);
});
