/** fetch by a service's name: where it goes, when it is tried again, and how long it may take. */

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createServer } from "node:net";
import { type Client, createClient } from "../../src/client/index.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";

let app: TestApp;
let client: Client;
/** Both are instances of the one service. */
let good: ReturnType<typeof serve>;
let bad: ReturnType<typeof serve>;
let answerBadly: (request: Request) => Response | Promise<Response>;
const seen: string[] = [];

function serve(name: string, answer: (request: Request) => Response | Promise<Response>, port = 0) {
  return Bun.serve({
    port,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/base/health") return new Response("ok");
      seen.push(`${name} ${request.method} ${pathname}${search} ${await request.clone().text()}`.trim());
      return answer(request);
    },
  });
}

beforeAll(async () => {
  app = await startApp();
  client = createClient({ registryUrl: app.urls.registry });
  good = serve("good", () => new Response("well done"));
  bad = serve("bad", (request) => answerBadly(request));
  for (const { port } of [good, bad]) {
    const url = `http://127.0.0.1:${port}/base/`;
    await post(`${app.urls.registry}/register`, { serviceName: "pair", url, health: "/base/health" });
  }
  await until(
    () => get(`${app.urls.registry}/services/pair`),
    ({ body }) =>
      body.status === "ACTIVE" && body.instances.every((each: { healthy: boolean }) => each.healthy),
  );
});
afterEach(() => {
  seen.length = 0;
});
afterAll(async () => {
  await client.close();
  await app[Symbol.asyncDispose]();
  await good.stop(true);
  await bad.stop(true);
});

/** As many calls as it takes for both instances to have been first. */
const twice = async (path: string, init: () => RequestInit = () => ({})) => [
  await client.serviceFetch("pair", path, init()),
  await client.serviceFetch("pair", path, init()),
];

test("the path is below the service's URL", async () => {
  answerBadly = () => new Response("well done");
  for (const path of ["/orders?id=1", "orders?id=1", "//orders?id=1"])
    await client.serviceFetch("pair", path);
  expect(seen.map((line) => line.replace(/^\w+ /, ""))).toEqual(Array(3).fill("GET /base/orders?id=1"));
});

test("without a path it is the service's URL itself: of one registered over GraphQL its endpoint", async () => {
  await using endpoint = serve("endpoint", () => new Response("well done"));
  const url = `http://127.0.0.1:${endpoint.port}/graphql`;
  const mutation = `mutation { registerService(input: { name: "graph", url: "${url}" }) { name } }`;
  await graphql(app.urls.core, mutation);
  for (const path of ["", "?query={a}"]) await client.serviceFetch("graph", path, { method: "PUT" });
  // It is asked for its schema as well.
  const asked = seen.filter((line) => line.includes("PUT"));
  expect(asked).toEqual(["endpoint PUT /graphql", "endpoint PUT /graphql?query={a}"]);
});

/** In place of the bad instance, a listener that hangs up on everybody. */
async function hangUp(): Promise<AsyncDisposable> {
  const { port } = bad;
  await bad.stop(true);
  const listener = createServer((socket) => {
    seen.push("hung up");
    socket.on("error", () => {});
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => listener.close(resolve));
      bad = serve("bad", (request) => answerBadly(request), port);
    },
  };
}

test("where an instance answers 503, another one is asked, once", async () => {
  answerBadly = () => new Response("not me", { status: 503 });
  const answers = await twice("/read");
  expect(await Promise.all(answers.map((each) => each.text()))).toEqual(["well done", "well done"]);
  expect(seen.sort()).toEqual(["bad GET /base/read", "good GET /base/read", "good GET /base/read"]);
});

test("where an instance hangs up, another one is asked what may be asked twice", async () => {
  await using _hanging = await hangUp();
  const answers = await twice("/read");
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const writes = await Promise.allSettled(
    [1, 2].map(() => client.serviceFetch("pair", "/w", { method: "POST" })),
  );
  expect(writes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("what may have been done is not done twice", async () => {
  answerBadly = () => new Response("not me", { status: 503 });
  const answers = await twice("/write", () => ({ method: "POST", body: "1" }));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 503]);
  expect(seen.sort()).toEqual(["bad POST /base/write 1", "good POST /base/write 1"]);
});

test("what never reached an instance is sent to another one, whatever the method", async () => {
  const { port } = bad;
  await bad.stop(true);
  try {
    const answers = await twice("/write", () => ({ method: "POST", body: "1" }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    // A body that is a stream can be read once.
    const stream = () => ({ method: "POST", body: new Response("1").body, duplex: "half" }) as RequestInit;
    const outcomes = await Promise.allSettled(
      [stream(), stream()].map((init) => client.serviceFetch("pair", "/write", init)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  } finally {
    bad = serve("bad", (request) => answerBadly(request), port);
  }
});

test("there is a deadline, and the caller's own signal counts", async () => {
  await using slow = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Promise<Response>(() => {}),
  });
  await post(`${app.urls.registry}/register`, { serviceName: "slow", url: `http://127.0.0.1:${slow.port}` });
  await expect(client.serviceFetch("slow", "/", { deadlineMs: 50 })).rejects.toMatchObject({
    name: "TimeoutError",
  });
  const given = AbortSignal.abort(new Error("not wanted any more"));
  await expect(client.serviceFetch("slow", "/", { signal: given })).rejects.toThrow("not wanted any more");
  const later = new AbortController();
  const call = client.serviceFetch("slow", "/", {
    signal: later.signal,
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  setTimeout(() => later.abort(new Error("given up")), 50);
  await expect(call).rejects.toThrow("given up");
});

test("a service that nobody knows is said to be one", async () => {
  await expect(client.serviceFetch("nobody", "/")).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND" });
});
