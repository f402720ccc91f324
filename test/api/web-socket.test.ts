/** The graph over WebSockets (graphql-transport-ws), and subscriptions with the clients that people use. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from "@urql/core";
import { createToken } from "../../src/api/tokens.ts";
import { answered, register } from "../gateway/graph.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { until } from "../support/client.ts";
import { bySse, byWebSocket, subscriber, webSocketClient, wsUrl } from "../support/subscriber.ts";
import { startTicker, type Ticker } from "../support/ticker.ts";
import { rawRequest } from "../support/wire.ts";

let app: TestApp;
let service: Ticker;

beforeAll(async () => {
  app = await startApp({ config: { bodyLimitBytes: 20_000 } });
  service = startTicker("graphql-ws");
  await join(app);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

async function join(to: TestApp): Promise<void> {
  const metadata = { endpoints: { graphql: "/graphql" }, gateway: { headers: ["x-tenant"] } };
  await register(to, "ticker", service, { metadata });
  await answered(to, "{ tickReady }");
}

const subscribed = (count: number) =>
  until(
    () => service.subscribed,
    (now) => now === count,
  );

/** How the handshake is answered. */
function handshake(
  url: string,
  headers: Record<string, string>,
  enough = (answer: string) => /\r\n\r\n($|.*\})/s.test(answer),
): Promise<string> {
  const { host } = new URL(url);
  const all = {
    host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "graphql-transport-ws",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return rawRequest(url, `GET /graphql HTTP/1.1\r\n${lines.join("")}\r\n`, enough);
}

test("queries, mutations and subscriptions are answered on one connection", async () => {
  const client = webSocketClient(app.urls.gateway);
  const subscribe = client.subscribe as Parameters<typeof subscriber>[0];
  using ticks = subscriber(subscribe, "subscription ($name: String) { ticks(name: $name) { at name } }", {
    name: "v",
  });
  await subscribed(1);
  using query = subscriber(subscribe, "{ tickReady getServices { name } }");
  expect(await query.ended()).toBe("complete");
  expect(query.events).toEqual([
    { data: { tickReady: "yes", getServices: [{ name: "core" }, { name: "ticker" }] } },
  ]);
  using mutation = subscriber(subscribe, "mutation { tickSet(to: 3) }");
  expect(await mutation.have(1)).toEqual([{ data: { tickSet: 3 } }]);
  service.emit({ at: 1 });
  expect(await ticks.have(1)).toEqual([{ data: { ticks: { at: 1, name: "v" } } }]);
  expect(ticks.end).toBeUndefined();
});

test("what is wrong with a question has the codes that it has over HTTP", async () => {
  const cases: [query: string, code: string][] = [
    ["{ tickReady", "GRAPHQL_PARSE_FAILED"],
    ["{ noSuchField }", "GRAPHQL_VALIDATION_FAILED"],
    [`{ ${"a: tickReady ".repeat(6_000)} }`.slice(0, 19_000), "GRAPHQL_PARSE_FAILED"],
    ["query One { tickReady } query Two { tickReady }", "GRAPHQL_REQUEST_INVALID"],
    ["query ($to: Int!) { tickReady getService(name: $to) { name } }", "GRAPHQL_VALIDATION_FAILED"],
  ];
  for (const [query, code] of cases) {
    using asked = byWebSocket(app.urls.gateway, query);
    const end = (await asked.ended()) as { extensions?: { code?: string } }[];
    expect({ query: query.slice(0, 30), code: end[0]?.extensions?.code }).toEqual({
      query: query.slice(0, 30),
      code,
    });
  }
  // A field's error leaves the rest of the answer.
  using partly = byWebSocket(app.urls.gateway, '{ tickReady getService(name: "nobody") { name } }');
  const [answer] = await partly.have(1);
  expect(answer.data.tickReady).toBe("yes");
  expect(answer.errors).toMatchObject([{ path: ["getService"], extensions: { code: "SERVICE_NOT_FOUND" } }]);
  expect(JSON.stringify(answer)).not.toContain('"http"');
});

test("the headers of the connection are those of every question on it", async () => {
  using one = byWebSocket(app.urls.gateway, "subscription { ticks { at } }", { "x-tenant": "blue" });
  await subscribed(1);
  expect(service.attempts.at(-1)?.headers.get("x-tenant")).toBe("blue");
  expect(service.attempts.at(-1)?.headers.get("x-bobbin-hops")).toBe("1");
  one.leave();
  await subscribed(0);
});

test("a page of a foreign origin gets no connection, nor does a foreign Host or a call in a circle", async () => {
  const { gateway } = app.urls;
  expect(await handshake(gateway, {})).toStartWith("HTTP/1.1 101");
  expect(await handshake(gateway, { origin: gateway })).toStartWith("HTTP/1.1 101");
  const foreign = await handshake(gateway, { origin: "https://evil.example" });
  expect(foreign).toStartWith("HTTP/1.1 403");
  expect(foreign).toContain("FORBIDDEN_ORIGIN");
  expect(await handshake(gateway, { origin: "null" })).toContain("FORBIDDEN_ORIGIN");
  expect(await handshake(gateway, { host: "evil.example" })).toContain("FORBIDDEN_HOST");
  expect(await handshake(gateway, { "x-bobbin-hops": "9" })).toContain("LOOP_DETECTED");
  expect(await handshake(gateway, { "sec-websocket-protocol": "graphql-ws" })).toContain(
    "GRAPHQL_REQUEST_INVALID",
  );
  expect(await handshake(gateway, { "sec-websocket-key": "" })).not.toStartWith("HTTP/1.1 101");
});

test("what writes to the registry needs the same as over HTTP: a token, and no page of another origin", async () => {
  const corsOrigins = ["https://shop.example"];
  await using other = await startApp({
    config: { jwtSecret: "secret", coreMutationsInGraph: true, corsOrigins },
  });
  const authorization = `Bearer ${await createToken("secret", 60)}`;
  const write = async (headers: Record<string, string>) => {
    const mutation = 'mutation { registerService(input: { name: "w", url: "http://127.0.0.1:1" }) { name } }';
    using one = byWebSocket(other.urls.gateway, mutation, headers);
    await one.ended();
    return one.events[0]?.errors?.[0]?.extensions?.code ?? one.events[0]?.data.registerService.name;
  };
  expect(await write({})).toBe("UNAUTHENTICATED");
  expect(await write({ authorization, origin: "https://shop.example" })).toBe("FORBIDDEN_ORIGIN");
  expect(await write({ authorization })).toBe("w");
});

test("CORS_ORIGINS says whose pages may connect", async () => {
  await using other = await startApp({ config: { corsOrigins: ["https://shop.example"] } });
  const { gateway } = other.urls;
  expect(await handshake(gateway, { origin: "https://shop.example" })).toStartWith("HTTP/1.1 101");
  expect(await handshake(gateway, { origin: "http://localhost:5173" })).toContain("FORBIDDEN_ORIGIN");
});

test("a message that is too long, or no GraphQL, ends the connection", async () => {
  for (const [message, code] of [
    ["x".repeat(20_001), 1009],
    ["not JSON", 4400],
    ['{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}', 4401],
  ] as const) {
    const socket = new WebSocket(wsUrl(app.urls.gateway), "graphql-transport-ws");
    socket.onopen = () => socket.send(message);
    const { promise, resolve } = Promise.withResolvers<number>();
    socket.onclose = (close) => resolve(close.code);
    expect(await promise).toBe(code);
  }
});

test("a connection has 100 operations at a time", async () => {
  const client = webSocketClient(app.urls.gateway);
  const subscribe = client.subscribe as Parameters<typeof subscriber>[0];
  const all = Array.from({ length: 100 }, () => subscriber(subscribe, "subscription { ticks { at } }"));
  await subscribed(100);
  using more = subscriber(subscribe, "{ tickReady }");
  expect(await more.ended()).toMatchObject([{ extensions: { code: "OVERLOADED" } }]);
  for (const each of all) each.leave();
  await subscribed(0);
});

test("a connection that breaks off ends its subscriptions", async () => {
  const client = webSocketClient(app.urls.gateway);
  using _ticks = subscriber(
    client.subscribe as Parameters<typeof subscriber>[0],
    "subscription { ticks { at } }",
  );
  await subscribed(1);
  client.terminate();
  await subscribed(0);
});

test("urql is served over WebSockets", async () => {
  const sockets = webSocketClient(app.urls.gateway);
  const client = new UrqlClient({
    url: `${app.urls.gateway}/graphql`,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe(
              { query, variables: variables as Record<string, unknown> },
              {
                next: (result) => sink.next(result as never),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  });
  const seen: unknown[] = [];
  const { unsubscribe } = client
    .subscription("subscription { ticks { at } }", {})
    .subscribe(({ data }) => seen.push(data));
  await subscribed(1);
  for (const at of [1, 2]) service.emit({ at });
  await until(
    () => seen,
    ({ length }) => length === 2,
  );
  expect(seen).toMatchObject([{ ticks: { at: 1 } }, { ticks: { at: 2 } }]);
  unsubscribe();
  await subscribed(0);
});

test("bobbin's end ends every subscription and every connection at once", async () => {
  const other = await startApp();
  await join(other);
  const sockets = webSocketClient(other.urls.gateway);
  let code: unknown;
  sockets.on("closed", (close) => {
    code = (close as CloseEvent).code;
  });
  using one = subscriber(
    sockets.subscribe as Parameters<typeof subscriber>[0],
    "subscription { ticks { at } }",
  );
  using two = bySse(other.urls.gateway, "subscription { ticks { at } }");
  await subscribed(2);
  // One that answers nothing, not even the close.
  const { promise: isOpen, resolve } = Promise.withResolvers<void>();
  const stubborn = handshake(other.urls.gateway, {}, (answer) => {
    if (answer.includes(" 101 ")) resolve();
    return false;
  });
  await isOpen;
  const startedAt = performance.now();
  await other[Symbol.asyncDispose]();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  for (const each of [one, two]) await each.ended();
  expect(code).toBe(1001);
  await stubborn;
  await subscribed(0);
});
