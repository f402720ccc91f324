/** Numbers keep their digits on their way over WebSockets and in the events of subscriptions, too. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { wsUrl } from "../support/subscriber.ts";
import { becomes, register } from "./graph.ts";

let app: TestApp;
let bank: TestService;

const LARGE = "12345678901234567890";
const EVENT = `{"data":{"paid":{"amount":${LARGE},"note":{"a":[1.10,-0]},"count":2}}}`;
const WITHOUT = '{"data":{"paid":{"amount":7,"note":null,"count":3}}}';
const SUBSCRIPTION = "subscription { paid { amount note count } }";

beforeAll(async () => {
  app = await startApp();
  bank = await startService({
    typeDefs: `scalar BigInt  scalar JSON
      type Query { echo(big: BigInt, json: JSON): JSON }
      type Subscription { paid: Paid }
      type Paid { amount: BigInt  note: JSON  count: Int }`,
  });
  await register(app, "bank", bank);
  await becomes(app, "bank", { composition: "COMPOSED" });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await bank[Symbol.asyncDispose]();
});

/** A client's WebSocket, and every message as it is written. */
async function open(base: string) {
  const messages: string[] = [];
  const socket = new WebSocket(wsUrl(base), ["graphql-transport-ws"]);
  socket.onmessage = ({ data }) => void messages.push(String(data));
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  socket.send('{"type":"connection_init"}');
  const of = (type: string) => messages.filter((message) => message.includes(`"type":"${type}"`));
  await until(
    () => of("connection_ack"),
    ({ length }) => length > 0,
  );
  return {
    socket,
    of,
    next: (count: number) =>
      until(
        () => of("next"),
        ({ length }) => length >= count,
      ),
    [Symbol.dispose]: () => socket.close(),
  };
}

const events: Record<string, () => Response> = {
  sse: () =>
    new Response(
      `event: next\ndata: ${EVENT}\n\nevent: next\ndata: ${WITHOUT}\n\nevent: complete\ndata:\n\n`,
      {
        headers: { "content-type": "text/event-stream" },
      },
    ),
  multipart: () => {
    const parts = [EVENT, WITHOUT].map(
      (event) => `\r\ncontent-type: application/json\r\n\r\n{"payload":${event}}\r\n--graphql`,
    );
    return new Response(`--graphql${parts.join("")}--\r\n`, {
      headers: { "content-type": 'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"' },
    });
  },
  "an answer instead": () => new Response(EVENT, { headers: { "content-type": "application/json" } }),
};
for (const [way, answer] of Object.entries(events)) {
  test(`events by ${way} arrive with the digits that the service wrote, over both protocols`, async () => {
    bank.answerWith(answer);
    const query = encodeURIComponent(SUBSCRIPTION);
    const headers = { accept: "text/event-stream" };
    const stream = await (await fetch(`${app.urls.gateway}/graphql?query=${query}`, { headers })).text();
    expect(stream).toContain(`data: ${EVENT}\n`);
    using client = await open(app.urls.gateway);
    client.socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: SUBSCRIPTION } }));
    const [first, second] = await client.next(way === "an answer instead" ? 1 : 2);
    expect(first).toContain(`"payload":${EVENT}`);
    if (second) expect(second).toContain(`"payload":${WITHOUT}`);
    bank.answerWith(undefined);
  });
}

test("events by WebSocket do so", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      const headers = { "sec-websocket-protocol": "graphql-transport-ws" };
      return self.upgrade(request, { headers }) ? undefined : new Response(null, { status: 404 });
    },
    websocket: {
      message(socket, text) {
        const { type, id } = JSON.parse(String(text));
        if (type === "connection_init") socket.send('{"type":"connection_ack"}');
        if (type !== "subscribe") return;
        for (const event of [EVENT, WITHOUT]) socket.send(`{"id":"${id}","type":"next","payload":${event}}`);
        socket.send(`{"id":"${id}","type":"complete"}`);
      },
    },
  });
  const subscriptions = { protocol: "graphql-ws", url: `ws://127.0.0.1:${server.port}/graphql` };
  const metadata = { endpoints: { graphql: "/graphql" }, gateway: { subscriptions } };
  expect((await register(app, "bank", bank, { metadata })).status).toBe(200);
  using client = await open(app.urls.gateway);
  client.socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: SUBSCRIPTION } }));
  const [first, second] = await client.next(2);
  expect(first).toContain(`"payload":${EVENT}`);
  expect(second).toContain(`"payload":${WITHOUT}`);
  await server.stop(true);
});

test("variables and answers of a WebSocket's queries keep their digits", async () => {
  const sent: string[] = [];
  bank.answerWith(async (request) => {
    sent.push(await request.text());
    const [, key] = /(\w*echo)\(/.exec(sent.at(-1) ?? "") ?? [];
    return new Response(`{"data":{"${key}":[${LARGE},1.10]}}`);
  });
  using client = await open(app.urls.gateway);
  const query = "query ($big: BigInt, $json: JSON) { echo(big: $big, json: $json) }";
  const variables = `{"big":${LARGE},"json":{"a":1.10,"b":[-0]}}`;
  for (const id of ["1", "2"])
    client.socket.send(
      `{"id":"${id}","type":"subscribe","payload":{"query":"${query}","variables":${variables}}}`,
    );
  for (const message of await client.next(2))
    expect(message).toContain(`"payload":{"data":{"echo":[${LARGE},1.10]}}`);
  for (const text of sent) expect(text.replaceAll("_echo_", "")).toEndWith(`"variables":${variables}}`);
  bank.answerWith(undefined);
});

test("a document over the bounds is refused over a WebSocket as it is over HTTP", async () => {
  const spreads = Array.from(
    { length: 20 },
    (_, i) => `fragment F${i} on Query { ...F${i + 1} a: __typename ...F${i + 1} }`,
  );
  const doubling = `{ ...F0 } ${spreads.join(" ")} fragment F20 on Query { __typename }`;
  const long = `{ ${Array.from({ length: 20_000 }, (_, i) => `a${i}: __typename`).join(" ")} }`;
  using client = await open(app.urls.gateway);
  for (const [id, query] of [doubling, long].entries())
    client.socket.send(JSON.stringify({ id: String(id), type: "subscribe", payload: { query } }));
  const errors = await until(
    () => client.of("error"),
    ({ length }) => length === 2,
  );
  expect(errors.join()).toContain("GRAPHQL_VALIDATION_FAILED");
  expect(errors.join()).toContain("GRAPHQL_PARSE_FAILED");
});
