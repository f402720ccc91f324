/** The stream of events of the registry's REST API: a snapshot first, then what follows, and how it is resumed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
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

test("ends at once when bobbin stops", async () => {
  const stopping = await startApp();
  await using stream = await open(undefined, stopping);
  await stream.find(() => true);
  await stopping[Symbol.asyncDispose]();
  expect(stream.hasEnded).toBe(true);
});
