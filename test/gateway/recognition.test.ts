/** How a service's schema is asked for, and what metadata.gateway changes of it: kind, hide, rename, merge, timeout. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  buildSchema,
  type FieldNode,
  introspectionFromSchema,
  type OperationDefinitionNode,
  parse,
} from "graphql";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask, becomes, inRegistry, register, saying, serviceLine, unregister } from "./graph.ts";

let app: TestApp;
let count = 0;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Registers it under a new name with these settings, for as long as the test takes. */
async function joined(service: TestService, gateway: object = {}) {
  const name = `s${++count}`;
  const metadata = { endpoints: { graphql: "/graphql" }, gateway };
  expect((await register(app, name, service, { metadata })).status).toBe(201);
  return { name, [Symbol.asyncDispose]: async () => void (await unregister(app, name)) };
}

/** The same, once it is in the graph. */
async function composed(service: TestService, gateway: object = {}) {
  const member = await joined(service, gateway);
  await becomes(app, member.name, { composition: "COMPOSED" });
  return member;
}

/** Why it is not. */
async function reasonOf(
  service: TestService,
  gateway: object = {},
): Promise<{ code: string; message: string }> {
  await using member = await joined(service, gateway);
  const { reason } = await until(
    () => serviceLine(app, member.name),
    (line) => line?.reason,
  );
  return reason;
}

const graphSdl = async () => (await get(`${app.urls.gateway}/gateway/schema`)).body as string;

interface Offers {
  /** What introspection tells; absent: it is refused. */
  readonly introspection?: string;
  readonly _service?: unknown;
  readonly _sdl?: unknown;
}

/** A server that tells of its schema in these ways, and refuses the others. */
async function offering({ introspection, ...offers }: Offers) {
  const service = await startService(saying("unused", ""));
  const asked: string[] = [];
  service.answerWith(async (request) => {
    const { query } = (await request.json()) as { query: string };
    const [operation] = parse(query).definitions as [OperationDefinitionNode];
    const [
      {
        name: { value: name },
      },
    ] = operation.selectionSet.selections as [FieldNode];
    // Of what is no probe.
    if (name !== "__typename") asked.push(name);
    if (name === "__schema" && introspection !== undefined)
      return Response.json({ data: introspectionFromSchema(buildSchema(introspection)) });
    if (name === "_service" && "_service" in offers)
      return Response.json({ data: { _service: { sdl: offers._service } } });
    if (name === "_sdl" && "_sdl" in offers) return Response.json({ data: { _sdl: offers._sdl } });
    return Response.json({ errors: [{ message: `${name} is not for you` }] });
  });
  return { ...service, asked, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

describe("a service without a word on its kind", () => {
  test("is asked by introspection, once, where it offers nothing else", async () => {
    await using service = await offering({ introspection: "type Query { plainly: Int }" });
    await using member = await composed(service);
    expect(await graphSdl()).toContain("plainly: Int");
    expect(service.asked).toEqual(["__schema"]);
    expect(await serviceLine(app, member.name)).toMatchObject({ kind: "plain", kindForced: false });
  });

  test("is asked for _sdl where it has that, a text", async () => {
    const introspection = "type Query { stitched: Int _sdl: String! }";
    await using service = await offering({ introspection, _sdl: "type Query { stitched: Int }" });
    await using member = await composed(service);
    expect(service.asked).toEqual(["__schema", "_sdl"]);
    expect(await serviceLine(app, member.name)).toMatchObject({ kind: "stitching", kindForced: false });
    const sdl = await graphSdl();
    expect(sdl).toContain("stitched: Int");
    expect(sdl).not.toContain("_sdl");
  });

  test("may have fields called _sdl and _service that are something else", async () => {
    const introspection = "type Query { own: Int _sdl: Int _service: Own } type Own { x: Int }";
    await using service = await offering({ introspection });
    await using _ = await composed(service);
    expect(service.asked).toEqual(["__schema"]);
  });

  for (const [version, sdl] of [
    ["1", `extend type Query { federal1: Thing1 } type Thing1 @key(fields: "id") { id: ID! }`],
    ["2", `${V2} type Query { federal2: Thing2 } type Thing2 @key(fields: "id") { id: ID! }`],
  ] as const) {
    test(`is composed by the federation's rules where it has _service, version ${version}`, async () => {
      await using service = await startService(federated({ sdl }));
      await using member = await composed(service);
      expect(await serviceLine(app, member.name)).toMatchObject({ kind: "federation", kindForced: false });
      const shown = await graphSdl();
      expect(shown).toContain(`federal${version}: Thing${version}`);
      expect(shown).not.toMatch(/_service|_entities|_Any|_Entity|_Service|@link|@key/);
    });
  }

  test("that refuses introspection is asked for what gateways get: _service, or _sdl", async () => {
    await using federal = await offering({ _service: "type Query { closedFederal: Int }" });
    await using stitching = await offering({ _sdl: "type Query { closedStitching: Int }" });
    await using _ = await composed(federal);
    await using __ = await composed(stitching);
    const sdl = await graphSdl();
    expect(sdl).toContain("closedFederal: Int");
    expect(sdl).toContain("closedStitching: Int");
  });

  test("that refuses everything is rejected with what it said to introspection", async () => {
    await using service = await offering({});
    expect(await reasonOf(service)).toEqual({
      code: "SCHEMA_UNREACHABLE",
      message: `${service.graphqlUrl} refuses introspection: __schema is not for you`,
    });
  });
});

describe("metadata.gateway.kind", () => {
  const everything: Offers = {
    introspection:
      "type Query { introspected: Int _sdl: String _service: _Service } type _Service { sdl: String }",
    _sdl: "type Query { told: Int }",
    _service: "type Query { federal: Int }",
  };
  for (const [kind, field, asked] of [
    ["plain", "introspected", "__schema"],
    ["stitching", "told", "_sdl"],
    ["federation", "federal", "_service"],
  ] as const) {
    test(`${kind}: ${asked} is all that is asked`, async () => {
      await using service = await offering(everything);
      await using member = await composed(service, { kind });
      expect(await serviceLine(app, member.name)).toMatchObject({ kind, kindForced: true });
      expect(await answeredBy(field)).toBe(true);
      expect(service.asked).toEqual([asked]);
    });
  }

  const answeredBy = async (field: string) => (await graphSdl()).includes(`${field}: Int`);

  for (const [kind, query] of [
    ["stitching", "{ _sdl }"],
    ["federation", "{ _service { sdl } }"],
  ] as const) {
    test(`${kind}, which the service is not, is the reason why it is rejected`, async () => {
      await using service = await offering({ introspection: "type Query { nothingElse: Int }" });
      const { code, message } = await reasonOf(service, { kind });
      expect(code).toBe("SCHEMA_UNREACHABLE");
      expect(message).toStartWith(`${service.graphqlUrl} does not answer ${query} with its SDL: `);
      expect(message).toContain("is not for you");
    });
  }

  test("plain, for a service that refuses introspection, does not make it ask for anything else", async () => {
    await using service = await offering({ _sdl: "type Query { secret: Int }" });
    expect((await reasonOf(service, { kind: "plain" })).message).toContain("refuses introspection");
    expect(new Set(service.asked)).toEqual(new Set(["__schema"]));
  });
});

describe("an SDL", () => {
  const introspection = "type Query { x: Int _sdl: String }";
  const wrong: [what: string, sdl: unknown, code: string, message: RegExp][] = [
    ["that is empty", "", "SCHEMA_UNREACHABLE", /does not answer \{ _sdl \} with its SDL/],
    ["of blanks", " \n ", "SCHEMA_UNREACHABLE", /does not answer \{ _sdl \} with its SDL/],
    ["that is null", null, "SCHEMA_UNREACHABLE", /does not answer \{ _sdl \} with its SDL/],
    ["that is a number", 5, "SCHEMA_UNREACHABLE", /does not answer \{ _sdl \} with its SDL/],
    [
      "that is none",
      "hello, world",
      "SCHEMA_INVALID",
      /not valid: Syntax Error: Unexpected Name "hello"\. \(line 1, column 1\)$/,
    ],
    ["without a Query", "type T { x: Int }", "SCHEMA_INVALID", /Query root type/],
    ["with a query instead of types", "{ x }", "SCHEMA_INVALID", /./],
    [
      "that is too long",
      `type Query { x: Int } # ${"x".repeat(8 * 1024 * 1024)}`,
      "SCHEMA_INVALID",
      /longer than 8388608 characters/,
    ],
    [
      "that is larger than any answer may be",
      "x".repeat(16 * 1024 * 1024),
      "SCHEMA_UNREACHABLE",
      /larger than 16777216 bytes/,
    ],
  ];
  for (const [what, _sdl, code, message] of wrong) {
    test(`${what} leaves the service out, with the reason`, async () => {
      await using service = await offering({ introspection, _sdl });
      expect(await reasonOf(service)).toEqual({ code, message: expect.stringMatching(message) });
    });
  }

  test("of a federated service that is none leaves it out too", async () => {
    await using service = await offering({ _service: "type Query { x: Nope }" });
    expect(await reasonOf(service)).toEqual({
      code: "SCHEMA_INVALID",
      message: expect.stringContaining("Unknown type Nope"),
    });
  });

  test("of a federated service with a syntax error says where that is", async () => {
    await using service = await offering({ _service: "type Query {\n  x: Int\n  y Int\n}" });
    expect(await reasonOf(service)).toEqual({
      code: "SCHEMA_INVALID",
      message: expect.stringMatching(/not valid: Syntax Error: .* \(line 3, column 5\)$/),
    });
  });

  test("of a federated service goes with no settings that change its names, and the reason names them", async () => {
    await using service = await offering({ _service: "type Query { x: Int }" });
    expect(await reasonOf(service, { namespace: "Ns" })).toEqual({
      code: "SCHEMA_INVALID",
      message: expect.stringMatching(
        /^metadata\.gateway of s\d+ has namespace: a federated service takes no /,
      ),
    });
  });
});

describe("hide and rename", () => {
  const shop = {
    typeDefs: `type Query { shown: Item hidden: Int old: Int } type Mutation { buy: Int steal: Int } type Item { id: ID! name: String }`,
    resolvers: {
      Query: { shown: () => ({ id: "1", name: "n" }), old: () => 5 },
      Mutation: { buy: () => 1 },
    },
  };
  const settings = {
    hide: ["Query.hidden", "Mutation.steal"],
    rename: { "Query.old": "recent", "Mutation.buy": "purchase" },
  };

  test("change root fields of queries and mutations, in the schema and in what is answered", async () => {
    await using service = await startService(shop);
    await using _ = await composed(service, settings);
    expect(await ask(app, "{ shown { name } recent again: recent }")).toMatchObject({
      data: { shown: { name: "n" }, recent: 5, again: 5 },
    });
    expect((await ask(app, "mutation { purchase }")).data).toEqual({ purchase: 1 });
    for (const query of ["{ hidden }", "{ old }", "mutation { steal }", "mutation { buy }"])
      expect((await ask(app, query)).errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("come before the namespace", async () => {
    await using service = await startService(shop);
    await using _ = await composed(service, { ...settings, namespace: "Shop" });
    expect((await ask(app, "{ Shop_shown { __typename name } Shop_recent }")).data).toEqual({
      Shop_shown: { __typename: "Shop_Item", name: "n" },
      Shop_recent: 5,
    });
    expect((await ask(app, "mutation { Shop_purchase }")).data).toEqual({ Shop_purchase: 1 });
    const sdl = await graphSdl();
    expect(sdl).not.toMatch(/hidden|Shop_old|steal|Shop_buy/);
  });

  test("let services have a root field of the same name", async () => {
    await using first = await startService(saying("same", "first"));
    await using second = await startService(saying("same", "second"));
    await using third = await startService(saying("same", "third"));
    third.change({ ...saying("same", "third"), typeDefs: "type Query { same: String own: Int }" });
    await using _ = await composed(first);
    await using __ = await composed(second, { rename: { "Query.same": "other" } });
    await using ___ = await composed(third, { hide: ["Query.same"] });
    expect((await ask(app, "{ same other own }")).data).toEqual({
      same: "first",
      other: "second",
      own: null,
    });
  });

  for (const [setting, value] of [
    ["hide", ["Query.nowhere"]],
    ["rename", { "Mutation.nowhere": "x" }],
  ] as const) {
    test(`${setting} of a root field that the service has not is the reason why it is rejected`, async () => {
      await using service = await startService(shop);
      const [named] = Array.isArray(value) ? value : Object.keys(value);
      expect(await reasonOf(service, { [setting]: value })).toEqual({
        code: "SCHEMA_INVALID",
        message: `metadata.gateway.${setting} names ${named}, which the service has not.`,
      });
    });
  }
});

describe("merge", () => {
  const names: Record<string, string> = { "1": "one", "2": "two" };
  const catalog = {
    typeDefs: `type Query { items: [Item] item(id: ID!): Item itemsById(ids: [ID!]!): [Item]! pair(shop: ID!, no: Int!): Item shop(id: ID!): Shop }
      type Item { id: ID! shop: ID no: Int name: String } type Shop { id: ID! }`,
    resolvers: {
      Query: {
        items: () => Object.keys(names).map((id) => ({ id, name: names[id], shop: "s", no: Number(id) })),
        item: (_: unknown, { id }: { id: string }) => ({ id, name: names[id] }),
        itemsById: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id, name: names[id] })),
        pair: (_: unknown, { shop, no }: { shop: string; no: number }) => ({
          id: "p",
          shop,
          no,
          name: `${shop}${no}`,
        }),
      },
    },
  };
  const listed = {
    typeDefs: "type Query { best: [Item!] } type Item { id: ID! shop: ID no: Int rank: Int }",
    resolvers: { Query: { best: () => [2, 1].map((no) => ({ id: `${no}`, shop: "s", no, rank: no })) } },
  };
  const byKey: [what: string, merge: object, calls: number, names: string[]][] = [
    ["one at a time", { type: "Item", key: ["id"], field: "item" }, 1, ["two", "one"]],
    ["many at once", { type: "Item", key: ["id"], field: "itemsById" }, 1, ["two", "one"]],
    [
      "by a key of two fields",
      { type: "Item", key: ["shop", "no"], field: "pair", args: "shop: $key.shop, no: $key.no" },
      1,
      ["s2", "s1"],
    ],
  ];
  for (const [what, merge, calls, expected] of byKey) {
    test(`says how a type is fetched, ${what}`, async () => {
      await using service = await startService(catalog);
      await using other = await startService(listed);
      await using _ = await composed(service, { merge: [merge] });
      await using __ = await composed(other);
      service.requests.length = 0;
      expect(await ask(app, "{ best { rank name } }")).toEqual({
        status: 200,
        data: { best: [2, 1].map((rank, i) => ({ rank, name: expected[i] })) },
      });
      expect(
        service.requests.filter(({ query }) => !/__schema|^\{ ?__typename ?\}$/.test(query)),
      ).toHaveLength(calls);
    });
  }

  test("holds under a namespace and beside renamed and hidden fields", async () => {
    await using service = await startService(catalog);
    await using other = await startService(listed);
    await using _ = await composed(service, {
      namespace: "Ns",
      merge: [{ type: "Item", key: ["id"], field: "itemsById" }],
      rename: { "Query.item": "thing" },
      hide: ["Query.itemsById"],
    });
    await using __ = await composed(other, { namespace: "Ns" });
    expect((await ask(app, '{ Ns_best { rank name } Ns_thing(id: "1") { name } }')).data).toEqual({
      Ns_best: [
        { rank: 2, name: "two" },
        { rank: 1, name: "one" },
      ],
      Ns_thing: { name: "one" },
    });
    expect(await graphSdl()).not.toContain("itemsById");
  });

  const wrong: [what: string, merge: object, message: RegExp][] = [
    [
      "a type that is not there",
      { type: "Nope", key: ["id"], field: "item" },
      /^metadata\.gateway\.merge names the type Nope, which the service has not\.$/,
    ],
    [
      "a field that is not there",
      { type: "Item", key: ["id"], field: "nope" },
      /^metadata\.gateway\.merge names the field Query\.nope, which the service has not\.$/,
    ],
    [
      "a key that the type has not",
      { type: "Item", key: ["sku"], field: "item" },
      /^metadata\.gateway\.merge of s\d+, Item by Query\.item: key names "sku", but Item has id, shop, no, name\.$/,
    ],
    [
      "a key of two fields without args",
      { type: "Item", key: ["shop", "no"], field: "pair" },
      /args has to say how Query\.pair takes them/,
    ],
    [
      "args that pass what is not in the key",
      { type: "Item", key: ["id"], field: "item", args: "id: $key.nope" },
      /args passes \$key\.nope, but key names id/,
    ],
    [
      "args with a name that the field has not",
      { type: "Item", key: ["id"], field: "item", args: "idd: $key.id" },
      /^metadata\.gateway\.merge of s\d+, Item by Query\.item: args: Unknown argument "idd" on field "Query\.item"\. Did you mean "id"\?; item takes \(id: ID!\)\.$/,
    ],
    [
      "args without one that is required",
      { type: "Item", key: ["id"], field: "pair", args: "shop: $key.id" },
      /Query\.pair: args: .*argument "no" of type "Int!" is required.*; pair takes \(shop: ID!, no: Int!\)\.$/,
    ],
    [
      "args with an object for a plain value",
      { type: "Item", key: ["id"], field: "item", args: "id: $key" },
      /args: \$key is the whole key, an object, where ID! is taken; item takes \(id: ID!\)/,
    ],
    [
      "args with a value of another type",
      { type: "Item", key: ["id"], field: "pair", args: 'shop: $key.id, no: "x"' },
      /args: Int cannot represent non-integer value: "x"; pair takes/,
    ],
    [
      "args without a key",
      { type: "Item", key: ["id"], field: "item", args: 'id: "1"' },
      /args: nothing of the key is in it: write \$key\.name; item takes \(id: ID!\)/,
    ],
    [
      "args with one key for a list",
      { type: "Item", key: ["id"], field: "itemsById", args: "ids: $key.id" },
      /args: itemsById returns \[Item\]!, so pass many keys at once, as in \[\[\$key\.name\]\]/,
    ],
    [
      "args with many keys for one object",
      { type: "Item", key: ["id"], field: "item", args: "id: [[$key.id]]" },
      /args: \[\[ \]\] passes many keys, but item returns Item, no list/,
    ],
    [
      "args whose brackets do not match",
      { type: "Item", key: ["id"], field: "itemsById", args: "ids: [[$key.id]" },
      /args: each "\[\[" needs its "\]\]"/,
    ],
    [
      "args with keys of both forms",
      { type: "Item", key: ["id"], field: "itemsById", args: "ids: [[$key.id]], first: $key.id" },
      /args: beside \[\[ \]\] no key can be passed alone/,
    ],
    [
      "args that cannot be read",
      { type: "Item", key: ["id"], field: "item", args: "id: : $key.id" },
      /args: it cannot be read: Syntax Error/,
    ],
    [
      "a field of several arguments without args",
      { type: "Item", key: ["id"], field: "pair" },
      /Query\.pair: it takes \(shop: ID!, no: Int!\), so args has to say how the key is passed\.$/,
    ],
    [
      "a field that returns another type",
      { type: "Item", key: ["id"], field: "shop" },
      /Query\.shop: it returns Shop, neither Item nor a list of Item\.$/,
    ],
  ];
  for (const [what, merge, message] of wrong) {
    test(`with ${what} is the reason why the service is rejected`, async () => {
      await using service = await startService(catalog);
      const reason = await reasonOf(service, { merge: [merge] });
      expect(reason).toEqual({ code: "SCHEMA_INVALID", message: expect.stringMatching(message) });
      // The words of directives, which the registration has not.
      expect(reason.message).not.toMatch(/@merge|@key|keyArg|keyField|argsExpr/);
    });
  }
});

test("timeout: a slow service's field fails in time, and others' do not", async () => {
  await using slow = await startService({
    typeDefs: "type Query { slow: Int }",
    resolvers: { Query: { slow: () => Bun.sleep(5_000) } },
  });
  await using quick = await startService(saying("quick", "yes"));
  await using member = await composed(slow, { timeout: 0.1 });
  await using _ = await composed(quick);
  const begin = performance.now();
  const { data, errors } = await ask(app, "{ slow quick }");
  expect(performance.now() - begin).toBeLessThan(4_000);
  expect(data).toEqual({ slow: null, quick: "yes" });
  expect(errors).toMatchObject([
    { path: ["slow"], extensions: { code: "SERVICE_TIMEOUT", service: member.name } },
  ]);
});

describe("what metadata.gateway does not take", () => {
  const bad: [setting: string, value: unknown][] = [
    ["kind", "rest"],
    ["kind", 5],
    ["timeout", 0],
    ["timeout", 121],
    ["timeout", "1"],
    ["namespace", "no spaces"],
    ["hide", "Query.x"],
    ["hide", ["x"]],
    ["hide", ["Item.name"]],
    ["rename", ["Query.x"]],
    ["rename", { x: "y" }],
    ["rename", { "Query.x": "no spaces" }],
    ["rename", { "Query.x": "__x" }],
    ["merge", {}],
    ["merge", [{ type: "T", field: "f" }]],
    ["merge", [{ type: "T", key: [], field: "f" }]],
    ["merge", [{ type: "T", key: ["id"] }]],
    ["merge", [{ type: "T", key: "id", field: "f" }]],
  ];
  for (const [setting, value] of bad) {
    test(`${setting}: ${JSON.stringify(value)}`, async () => {
      const metadata = { gateway: { [setting]: value } };
      const { status, body } = await post(`${app.urls.registry}/register`, {
        serviceName: "bad",
        url: "http://localhost:1",
        metadata,
      });
      expect([status, body.code]).toEqual([422, "INVALID_INPUT"]);
      expect(body.detail).toContain(`metadata.gateway.${setting}`);
    });
  }

  test("is refused over GraphQL in the same way", async () => {
    const { errors } = await graphql(
      app.urls.core,
      "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { name } }",
      { input: { name: "bad", url: "http://localhost:1/graphql", metadata: { gateway: { kind: "rest" } } } },
    );
    expect(errors?.[0]?.extensions?.code).toBe("INVALID_INPUT");
    expect(errors?.[0]?.message).toContain(
      "metadata.gateway.kind must be one of plain, stitching, federation",
    );
    expect((await inRegistry(app, "bad")).code).toBe("SERVICE_NOT_FOUND");
  });
});

test("settings come over GraphQL too", async () => {
  await using service = await startService(saying("before", "renamed"));
  const input = {
    name: "over-graphql",
    url: service.graphqlUrl,
    metadata: { gateway: { kind: "plain", rename: { "Query.before": "after" } } },
  };
  await graphql(
    app.urls.core,
    "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { name } }",
    { input },
  );
  expect(await answered(app, "{ after }")).toEqual({ after: "renamed" });
  await unregister(app, "over-graphql");
});

test("a service that registers anew may be of another kind, or have other settings", async () => {
  await using service = await startService({
    typeDefs: "type Query { turncoat: Coat } type Coat { id: ID! }",
    resolvers: { Query: { turncoat: () => ({ id: "1" }) } },
  });
  await using member = await composed(service);
  await using extension = await startService(
    federated({
      sdl: `extend type Coat @key(fields: "id") { id: ID! @external color: String } type Query { c: Int }`,
      resolvers: { Coat: { color: () => "red" } },
      entities: { Coat: (key) => key },
    }),
  );
  await using waiting = await joined(extension);
  await becomes(app, waiting.name, { composition: "REJECTED" });
  service.change(
    federated({
      sdl: `type Query { turncoat: Coat } type Coat @key(fields: "id") { id: ID! size: Int }`,
      resolvers: { Query: { turncoat: () => ({ id: "1", size: 5 }) } },
    }),
  );
  await register(app, member.name, service);
  expect(await answered(app, "{ turncoat { size color } }")).toEqual({ turncoat: { size: 5, color: "red" } });
  await register(app, member.name, service, {
    metadata: {
      endpoints: { graphql: "/graphql" },
      gateway: { kind: "plain", rename: { "Query.turncoat": "coat" } },
    },
  });
  // Without a federated owner there would be nothing to extend: who extends it stays, and the owner's change waits.
  const { reason } = await becomes(app, member.name, { composition: "PREVIOUS" });
  expect(reason.message).toContain(`With the new schema of ${member.name}, others do not compose`);
  expect(await answered(app, "{ turncoat { size color } }")).toEqual({ turncoat: { size: 5, color: "red" } });
  await post(`${app.urls.registry}/unregister`, { serviceName: waiting.name });
  expect(await answered(app, "{ coat { size } }")).toEqual({ coat: { size: 5 } });
});

test("after a restart with all services down the graph is whole, whatever kind they are of", async () => {
  await using folder = await tempFolder();
  const owner = federated({
    sdl: `${V2} type Query { things: [Thing] } type Thing @key(fields: "id") { id: ID! }`,
    resolvers: { Query: { things: () => [{ id: "1" }] } },
  });
  const extension = federated({
    sdl: `extend type Thing @key(fields: "id") { id: ID! @external color: String } type Query { e: Int }`,
    resolvers: { Thing: { color: () => "red" } },
    entities: { Thing: (key) => key },
  });
  await using first = await startService(owner);
  await using second = await startService(extension);
  await using plain = await startService({
    typeDefs: "type Query { old: Int item(id: ID!): Item gone: Int } type Item { id: ID! }",
    resolvers: { Query: { old: () => 5 } },
  });
  const settings = {
    rename: { "Query.old": "recent" },
    hide: ["Query.gone"],
    namespace: "P",
    merge: [{ type: "Item", key: ["id"], field: "item" }],
  };
  const query = "{ things { id color } P_recent }";
  let before = "";
  {
    await using app = await startApp({ folder: folder.path });
    for (const [name, service, gateway] of [
      ["first", first, {}],
      ["second", second, {}],
      ["plain", plain, settings],
    ] as const) {
      await register(app, name, service, { metadata: { endpoints: { graphql: "/graphql" }, gateway } });
      await becomes(app, name, { composition: "COMPOSED", status: "ACTIVE" });
    }
    await answered(app, query);
    before = (await get(`${app.urls.gateway}/gateway/schema`)).body;
  }
  for (const service of [first, second, plain]) await service.stop();
  await using app = await startApp({ folder: folder.path });
  expect((await get(`${app.urls.gateway}/gateway/schema`)).body).toBe(before);
  expect(await serviceLine(app, "first")).toMatchObject({ kind: "federation", kindForced: false });
  const { data, errors } = await ask(app, query);
  expect(data).toEqual({ things: null, P_recent: null });
  expect(errors?.map(({ extensions }) => [extensions?.service, extensions?.code]).sort()).toEqual([
    ["first", "SERVICE_UNAVAILABLE"],
    ["plain", "SERVICE_UNAVAILABLE"],
  ]);
  for (const [name, service] of Object.entries({ first, second, plain })) {
    service.start();
    const metadata = { endpoints: { graphql: "/graphql" }, gateway: name === "plain" ? settings : {} };
    await register(app, name, service, { metadata });
  }
  expect(await answered(app, query)).toEqual({ things: [{ id: "1", color: "red" }], P_recent: 5 });
  await becomes(app, "second", { composition: "COMPOSED" });
});
