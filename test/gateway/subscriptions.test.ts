/** Subscriptions of remote services: recognised by themselves, from the service to the client and back. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { until } from "../support/client.ts";
import { bySse, byWebSocket } from "../support/subscriber.ts";
import { type Protocol, startTicker, type Ticker } from "../support/ticker.ts";
import { answered, gone, register, unregister } from "./graph.ts";

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const OVER: Record<Protocol, ("http" | "ws")[]> = {
  sse: ["http"],
  multipart: ["http"],
  "graphql-ws": ["http", "ws"],
};

async function join(service: Ticker, prefix: string, gateway: object = {}): Promise<void> {
  const metadata = { endpoints: { graphql: "/graphql" }, gateway };
  expect((await register(app, prefix, service, { metadata })).status).toBeOneOf([200, 201]);
  await answered(app, `{ ${prefix}Ready }`);
}

const subscribers = (service: Ticker, count: number) =>
  until(
    () => service.subscribed,
    (now) => now === count,
  );

for (const protocol of ["sse", "multipart", "graphql-ws"] as const) {
  describe(protocol, () => {
    const prefix = protocol.replace("-", "");
    let service: Ticker;

    beforeAll(async () => {
      service = startTicker(protocol, { prefix });
      await join(service, prefix, { headers: ["x-tenant"] });
    });

    afterAll(async () => {
      await unregister(app, prefix);
      await service[Symbol.asyncDispose]();
    });

    // Of the test before, clients may be about to leave.
    beforeEach(() => subscribers(service, 0));

    const ticks = `subscription { ${prefix}s(name: "n") { at name } }`;
    const tick = (at: number) => ({ data: { [`${prefix}s`]: { at, name: "n" } } });

    test("is recognised, and events arrive in their order at every client until the service completes", async () => {
      using one = bySse(app.urls.gateway, ticks);
      await subscribers(service, 1);
      const ways = () => service.attempts.map(({ over }) => over);
      expect(ways()).toEqual(OVER[protocol]);
      using two = byWebSocket(app.urls.gateway, ticks);
      await subscribers(service, 2);
      // What was found out is remembered.
      expect(ways()).toEqual([...OVER[protocol], ...OVER[protocol].slice(-1)]);
      const ats = Array.from({ length: 20 }, (_, i) => i);
      for (const at of ats) service.emit({ at });
      for (const each of [one, two]) expect(await each.have(20)).toEqual(ats.map(tick));
      service.complete();
      for (const each of [one, two]) expect(await each.ended()).toBe("complete");
      expect(one.events).toHaveLength(20);
    });

    test("carries the headers that a query carries, and the hop count", async () => {
      const headers = {
        "x-tenant": "blue",
        "x-other": "private",
        "accept-language": "de",
        "x-bobbin-hops": "3",
      };
      using one = bySse(app.urls.gateway, ticks, headers);
      await subscribers(service, 1);
      const seen = service.attempts.at(-1)?.headers;
      expect(seen?.get("x-tenant")).toBe("blue");
      expect(seen?.get("accept-language")).toBe("de");
      expect(seen?.get("x-other")).toBeNull();
      expect(seen?.get("x-bobbin-hops")).toBe("4");
      one.leave();
      await subscribers(service, 0);
    });

    test("a client that leaves ends the service's subscription at once", async () => {
      for (const open of [bySse, byWebSocket]) {
        using one = open(app.urls.gateway, ticks);
        await subscribers(service, 1);
        one.leave();
        await subscribers(service, 0);
      }
    });

    test("an error in an event is the client's, with the service's name", async () => {
      using one = byWebSocket(app.urls.gateway, `subscription { own: ${prefix}s { at bad } }`);
      await subscribers(service, 1);
      service.emit({ at: 1 });
      const [event] = await one.have(1);
      expect(event).toMatchObject({
        data: { own: { at: 1, bad: null } },
        errors: [{ message: "bad tick", path: ["own", "bad"], extensions: { code: "BAD", service: prefix } }],
      });
    });

    test("a service that breaks off ends the stream with an error; a new subscription works when it is back", async () => {
      using one = bySse(app.urls.gateway, ticks);
      using two = byWebSocket(app.urls.gateway, ticks);
      await subscribers(service, 2);
      service.emit({ at: 1 });
      for (const each of [one, two]) await each.have(1);
      await service.stop();
      for (const each of [one, two]) {
        await each.ended();
        expect(each.events).toHaveLength(2);
        expect(each.events[1]).toMatchObject({
          data: { [`${prefix}s`]: null },
          errors: [{ extensions: { code: "SERVICE_UNAVAILABLE", service: prefix } }],
        });
      }
      using refused = byWebSocket(app.urls.gateway, ticks);
      expect(await refused.ended()).toMatchObject([
        { extensions: { code: "SERVICE_UNAVAILABLE", service: prefix } },
      ]);
      service.start();
      await join(service, prefix, { headers: ["x-tenant"] });
      using again = bySse(app.urls.gateway, ticks);
      await subscribers(service, 1);
      service.emit({ at: 2 });
      expect(await again.have(1)).toEqual([tick(2)]);
    });

    test("an event that is too large ends the stream", async () => {
      using one = byWebSocket(app.urls.gateway, `subscription { ${prefix}Big }`);
      await subscribers(service, 1);
      service.emit("small");
      await one.have(1);
      service.emit("x".repeat(9 * 1024 * 1024));
      await one.ended();
      expect(one.events[1]).toMatchObject({
        errors: [{ extensions: { code: "INVALID_SERVICE_RESPONSE", service: prefix } }],
      });
      await subscribers(service, 0);
    });
  });
}

describe("a service that names its way", () => {
  test("is subscribed to by that protocol at that URL, without a try of another", async () => {
    const ways: [Protocol, object, "http" | "ws"][] = [
      ["graphql-ws", { protocol: "graphql-ws", url: "/live" }, "ws"],
      ["graphql-ws", { url: "PLACEHOLDER" }, "ws"],
      ["sse", { protocol: "sse", url: "/live" }, "http"],
      ["multipart", { protocol: "multipart", url: "live" }, "http"],
    ];
    for (const [i, [protocol, subscriptions, over]] of ways.entries()) {
      const prefix = `named${i}`;
      await using service = startTicker(protocol, { prefix, path: "/live" });
      const own = JSON.stringify(subscriptions).replace(
        "PLACEHOLDER",
        `${service.url.replace("http", "ws")}/live`,
      );
      await join(service, prefix, { subscriptions: JSON.parse(own) });
      using one = bySse(app.urls.gateway, `subscription { ${prefix}s { at } }`);
      await subscribers(service, 1);
      service.emit({ at: 7 });
      expect(await one.have(1)).toEqual([{ data: { [`${prefix}s`]: { at: 7 } } }]);
      expect(service.attempts.map((attempt) => attempt.over)).toEqual([over]);
      await unregister(app, prefix);
    }
  });

  test("is refused where it names no such way", async () => {
    for (const [subscriptions, field] of [
      ["sse", ""],
      [{ protocol: "smoke" }, ".protocol"],
      [{ url: "ftp://localhost/live" }, ".url"],
      [{ url: "ws://user:secret@localhost/live" }, ".url"],
    ]) {
      const { status, body } = await register(
        app,
        "wrong",
        { url: "http://127.0.0.1:1" },
        {
          metadata: { gateway: { subscriptions } },
        },
      );
      expect(status).toBe(422);
      expect(body).toMatchObject({ code: "INVALID_INPUT" });
      expect(body.detail).toStartWith(`metadata.gateway.subscriptions${field} must`);
    }
  });
});

test("what no protocol serves is an error with the service's name, or what the service itself said", async () => {
  await using service = startTicker("graphql-ws", { prefix: "none", path: "/elsewhere" });
  await join(service, "none");
  using refused = byWebSocket(app.urls.gateway, "subscription { nones { at } }");
  expect(await refused.ended()).toMatchObject([
    { extensions: { code: "INVALID_SERVICE_RESPONSE", service: "none" } },
  ]);
  expect(service.attempts.map(({ over }) => over)).toEqual(["http", "ws"]);
  await unregister(app, "none");
});

describe("a WebSocket that cannot be opened is told with the service, its path and what was answered", () => {
  const refusing = (status: number) =>
    Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("no", { status }) });

  test.each([404, 401, 503])("%i", async (status) => {
    await using service = startTicker("graphql-ws", { prefix: "shut" });
    using other = refusing(status);
    await join(service, "shut", { subscriptions: { url: `ws://127.0.0.1:${other.port}/live?key=secret` } });
    using refused = byWebSocket(app.urls.gateway, "subscription { shuts { at } }");
    expect(await refused.ended()).toMatchObject([
      {
        message: `shut, /live: the service answered ${status} instead of opening a WebSocket.`,
        extensions: { code: "SERVICE_UNAVAILABLE", service: "shut" },
      },
    ]);
    await unregister(app, "shut");
    // Or the next one of this name is answered by the graph that is about to go.
    await gone(app, "{ shutReady }");
  });

  test("nobody listens", async () => {
    await using service = startTicker("graphql-ws", { prefix: "deaf" });
    const other = refusing(404);
    const url = `ws://127.0.0.1:${other.port}/live`;
    await other.stop(true);
    await join(service, "deaf", { subscriptions: { url } });
    using refused = byWebSocket(app.urls.gateway, "subscription { deafs { at } }");
    expect(await refused.ended()).toMatchObject([
      {
        message: "deaf, /live: the service could not be reached by WebSocket: connection refused.",
        extensions: { code: "SERVICE_UNAVAILABLE", service: "deaf" },
      },
    ]);
    await unregister(app, "deaf");
  });
});

test("a client that takes no stream is told what to accept, and the service is not subscribed to", async () => {
  await using service = startTicker("sse", { prefix: "flat" });
  await join(service, "flat");
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: "subscription { flats { at } }" }),
  });
  const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
  expect(response.status).toBe(406);
  expect(errors[0]?.extensions).toEqual({ code: "NOT_ACCEPTABLE" });
  expect(errors[0]?.message).toMatch(/send accept: text\/event-stream, or .* WebSocket/);
  expect(service.attempts).toEqual([]);
  await unregister(app, "flat");
});

test("fields of other services are added to every event", async () => {
  await using service = startTicker("sse", { prefix: "merged" });
  await Bun.write(
    `${app.folder}/plugins/shops.ts`,
    `import { definePlugin } from "bobbin";
    export default definePlugin({
      name: "shops", version: "1.0.0",
      typeDefs: 'type Query { shops(ids: [ID!]!): [Shop]! @merge(keyField: "id") } type Shop @key(selectionSet: "{ id }") { id: ID! city: String }',
      resolvers: { Query: { shops: (_, { ids }) => ids.map((id) => ({ id, city: "city " + id })) } },
    });`,
  );
  await join(service, "merged");
  await answered(app, '{ shops(ids: ["1"]) { city } }');
  using one = byWebSocket(app.urls.gateway, "subscription { mergeds { at shop { id city } } }");
  await subscribers(service, 1);
  for (const at of [1, 2]) service.emit({ at, shop: { id: `s${at}` } });
  expect(await one.have(2)).toEqual(
    [1, 2].map((at) => ({ data: { mergeds: { at, shop: { id: `s${at}`, city: `city s${at}` } } } })),
  );
});

test("a recomposition does not end what runs", async () => {
  await using service = startTicker("graphql-ws", { prefix: "steady" });
  await using other = startTicker("sse", { prefix: "comes" });
  await join(service, "steady");
  const query = "subscription { steadys { at } }";
  using one = bySse(app.urls.gateway, query);
  using two = byWebSocket(app.urls.gateway, query);
  await subscribers(service, 2);
  service.emit({ at: 1 });
  for (const each of [one, two]) await each.have(1);
  await join(other, "comes");
  service.emit({ at: 2 });
  for (const each of [one, two]) {
    expect(await each.have(2)).toEqual([1, 2].map((at) => ({ data: { steadys: { at } } })));
    expect(each.end).toBeUndefined();
  }
});

test("a client that does not read does not make the gateway collect events without end", async () => {
  await using service = startTicker("graphql-ws", { prefix: "flood" });
  await join(service, "flood");
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: "subscription { floodBig }" }),
  });
  await subscribers(service, 1);
  const event = "x".repeat(256 * 1024);
  await until(
    () => {
      if (service.subscribed > 0) service.emit(event);
      return service.subscribed;
    },
    (now) => now === 0,
  );
  expect(await response.text()).toContain('"code":"OVERLOADED"');
});

test("what bobbin breaks off when it stops does not look finished", async () => {
  await using stopping = await startApp();
  await using service = startTicker("sse", { prefix: "last" });
  await register(stopping, "last", service, { metadata: { endpoints: { graphql: "/graphql" } } });
  await answered(stopping, "{ lastReady }");
  const response = await fetch(`${stopping.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: 'subscription { lasts(name: "n") { at } }' }),
  });
  await subscribers(service, 1);
  const [text] = await Promise.all([response.text(), stopping[Symbol.asyncDispose]()]);
  expect(text).toContain('"code":"SERVICE_UNAVAILABLE"');
});
