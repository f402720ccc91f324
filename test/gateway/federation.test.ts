/** Federated services by the front door: who is asked what and how often, and what the client gets of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql } from "../support/client.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { bySse } from "../support/subscriber.ts";
import { answered, ask, becomes, register } from "./graph.ts";

const NAMES = ["ann", "bob", "cid"];
const user = (id: string) => (Number(id) > 0 && Number(id) < 4 ? { id, name: NAMES[Number(id) - 1] } : null);
const written: string[] = [];

const accounts = federated({
  sdl: `${V2}
    type Query { me: User users: [User!]! nodes: [Node] anyone: [Any] echo(value: Int = 7, on: Filter): String }
    input Filter { word: String! many: [Int!] }
    type Mutation { rename(id: ID!, name: String!): User }
    type Subscription { joined: User }
    interface Node { id: ID! }
    union Any = User | Guest
    type User implements Node @key(fields: "id") { id: ID! name: String friends: [[User!]!] }
    type Guest implements Node @key(fields: "id") { id: ID! since: Int }`,
  resolvers: {
    Query: {
      me: () => user("1"),
      users: () => NAMES.map((_, i) => user(String(i + 1))),
      nodes: () => [
        { __typename: "User", ...user("1") },
        { __typename: "Guest", id: "g", since: 3 },
      ],
      anyone: () => [
        { __typename: "Guest", id: "g", since: 3 },
        { __typename: "User", ...user("2") },
      ],
      echo: (_: unknown, args: object) => JSON.stringify(args),
    },
    User: { friends: () => [[user("2")], [user("3"), user("2")]] },
    Mutation: {
      rename: async (_: unknown, { id, name }: { id: string; name: string }) => {
        written.push(`rename ${name} begins`);
        await Bun.sleep(5);
        written.push(`rename ${name} ends`);
        return { id, name };
      },
    },
    Subscription: {
      joined: {
        async *subscribe() {
          for (const id of ["1", "2"]) yield { joined: user(id) };
        },
      },
    },
  },
  entities: { User: ({ id }) => user(id), Guest: ({ id }) => ({ id, since: 3 }) },
});

const product = (sku: string) => ({
  sku,
  weight: Number(sku) * 10,
  size: { w: Number(sku), h: 1 },
  owner: { id: "2" },
});

const products = federated({
  sdl: `${V2}
    type Query { products(first: Int = 3): [Product!]! heaviest: Product @provides(fields: "label") }
    type Mutation { weigh(sku: ID!, weight: Int!): Product }
    type Product @key(fields: "sku") { sku: ID! weight: Int size: Size owner: User label: String @external }
    type Size @shareable { w: Int h: Int }
    type User @key(fields: "id", resolvable: false) { id: ID! }`,
  resolvers: {
    Query: {
      products: (_: unknown, { first }: { first: number }) =>
        ["1", "2", "3"].slice(0, first).map((sku) => product(sku)),
      heaviest: () => ({ ...product("3"), label: "provided" }),
    },
    Mutation: {
      weigh: (_: unknown, { sku, weight }: { sku: string; weight: number }) => {
        written.push(`weigh ${weight}`);
        return { ...product(sku), weight };
      },
    },
  },
  entities: { Product: ({ sku }) => product(sku) },
});

const reviews = federated({
  sdl: `${V2}
    type Query { latest: Review }
    type Review { body: String author: User product: Product }
    type User @key(fields: "id") { id: ID! reviews(first: Int = 9): [Review!] karma: Int! }
    type Guest @key(fields: "id") { id: ID! visits: Int }
    type Product @key(fields: "sku") {
      sku: ID! weight: Int @external size: Size @external
      label: String @shareable
      shipping(factor: Int = 1): Int @requires(fields: "weight size { w }")
      reviews: [Review!]
    }
    type Size @shareable { w: Int }`,
  resolvers: {
    Query: { latest: () => ({ body: "new", author: { id: "3" }, product: { sku: "1" } }) },
    User: {
      karma: ({ id }: { id: string }) => {
        if (id === "2") throw new Error("no karma");
        return 10 * Number(id);
      },
      reviews: ({ id }: { id: string }, { first }: { first: number }) =>
        [{ body: `by ${id}`, author: { id }, product: { sku: id } }].slice(0, first),
    },
    Product: {
      label: ({ sku }: { sku: string }) => `label ${sku}`,
      reviews: ({ sku }: { sku: string }) => [{ body: `of ${sku}`, author: { id: sku }, product: { sku } }],
      shipping: ({ weight, size }: { weight: number; size: { w: number } }, { factor }: { factor: number }) =>
        (weight + size.w) * factor,
    },
  },
  entities: {
    User: ({ id }) => ({ id }),
    Guest: ({ id }) => ({ id, visits: 5 }),
    Product: (representation) => (representation.sku === "gone" ? null : representation),
  },
});

const stock = {
  typeDefs: `type Query { productsById(skus: [ID!]!): [Product]! low: [Product!] _sdl: String! }
    type Product { sku: ID! stock: Int }`,
  resolvers: {
    Query: {
      _sdl: () => `type Query { productsById(skus: [ID!]!): [Product]! @merge(keyField: "sku") low: [Product!] }
        type Product @key(selectionSet: "{ sku }") { sku: ID! stock: Int }`,
      productsById: (_: unknown, { skus }: { skus: string[] }) =>
        skus.map((sku) => ({ sku, stock: 100 + Number(sku) })),
      low: () => [{ sku: "2", stock: 0 }],
    },
  },
};

let app: TestApp;
const services: Record<string, TestService> = {};

beforeAll(async () => {
  app = await startApp();
  for (const [name, definition] of Object.entries({ accounts, products, reviews, stock })) {
    services[name] = await startService(definition);
    await register(app, name, services[name]);
  }
  for (const name of Object.keys(services))
    await becomes(app, name, { composition: "COMPOSED", status: "ACTIVE" });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
});

beforeEach(() => {
  written.length = 0;
  for (const service of Object.values(services)) service.requests.length = 0;
});

/** What the service was asked by the gateway's clients. */
function questions(name: string) {
  return (services[name]?.requests ?? []).filter(
    ({ query }) => !/__schema|_service|^\s*\{\s*__typename\s*\}\s*$/.test(query),
  );
}

/** How many requests each service got. */
const counts = () =>
  Object.fromEntries(
    Object.keys(services).flatMap((name) =>
      questions(name).length > 0 ? [[name, questions(name).length]] : [],
    ),
  );

/** The data, where there are no errors. */
async function dataOf(query: string, variables?: Record<string, unknown>) {
  const { data, errors } = await graphql(app.urls.gateway, query, variables);
  expect(errors).toBeUndefined();
  return data;
}

describe("queries", () => {
  test("the fields of an entity come from every service, with one request for each service and level", async () => {
    expect(await dataOf("{ users { name reviews { body product { weight } } } }")).toEqual({
      users: NAMES.map((name, i) => ({
        name,
        reviews: [{ body: `by ${i + 1}`, product: { weight: (i + 1) * 10 } }],
      })),
    });
    expect(counts()).toEqual({ accounts: 1, reviews: 1, products: 1 });
  });

  test("root fields of several services are asked at once, each service once", async () => {
    const data = await dataOf("{ me { name } products(first: 1) { sku } users { id } latest { body } }");
    expect(data).toMatchObject({ me: { name: "ann" }, products: [{ sku: "1" }], latest: { body: "new" } });
    expect(counts()).toEqual({ accounts: 1, products: 1, reviews: 1 });
  });

  test("an entity that stands at many places is asked for once", async () => {
    const { products } = await dataOf("{ products { owner { name } reviews { author { id } } } }");
    expect(products.map(({ owner }: { owner: object }) => owner)).toEqual(Array(3).fill({ name: "bob" }));
    const [question, ...more] = questions("accounts");
    expect(more).toEqual([]);
    expect(Object.values(question?.variables ?? {})).toEqual([[{ __typename: "User", id: "2" }]]);
  });

  test("@requires: what it names is fetched first and sent along, though the client has not asked for it", async () => {
    expect(await dataOf("{ products(first: 2) { shipping double: shipping(factor: 2) } }")).toEqual({
      products: [
        { shipping: 11, double: 22 },
        { shipping: 22, double: 44 },
      ],
    });
    expect(counts()).toEqual({ products: 1, reviews: 1 });
  });

  test("@provides: what comes along with an entity is not asked for again", async () => {
    expect(await dataOf("{ heaviest { label } }")).toEqual({ heaviest: { label: "provided" } });
    expect(counts()).toEqual({ products: 1 });
  });

  test("lists of lists keep their form", async () => {
    expect(await dataOf("{ me { friends { name reviews { body } } } }")).toEqual({
      me: {
        friends: [
          [{ name: "bob", reviews: [{ body: "by 2" }] }],
          [
            { name: "cid", reviews: [{ body: "by 3" }] },
            { name: "bob", reviews: [{ body: "by 2" }] },
          ],
        ],
      },
    });
    expect(counts()).toEqual({ accounts: 1, reviews: 1 });
  });

  test("a client may give a key another name, and its name to something else", async () => {
    expect(await dataOf("{ me { id: name key: id reviews { body } } }")).toEqual({
      me: { id: "ann", key: "1", reviews: [{ body: "by 1" }] },
    });
    expect(await dataOf("{ products(first: 1) { sku: weight weight: sku shipping } }")).toEqual({
      products: [{ sku: 10, weight: "1", shipping: 11 }],
    });
    expect(await dataOf("{ me { _id_1: name id: name reviews { body } __typename } }")).toEqual({
      me: { _id_1: "ann", id: "ann", reviews: [{ body: "by 1" }], __typename: "User" },
    });
  });

  test("fragments on unions and interfaces lead to the fields that other services have of each type", async () => {
    expect(
      await dataOf(`
        { nodes { __typename id ...u ... on Guest { since visits } } anyone { ...u ...g } }
        fragment u on User { name reviews { body } }
        fragment g on Guest { __typename visits }`),
    ).toEqual({
      nodes: [
        { __typename: "User", id: "1", name: "ann", reviews: [{ body: "by 1" }] },
        { __typename: "Guest", id: "g", since: 3, visits: 5 },
      ],
      anyone: [
        { __typename: "Guest", visits: 5 },
        { name: "bob", reviews: [{ body: "by 2" }] },
      ],
    });
  });

  test("@skip and @include decide by variables and their defaults what is asked at all", async () => {
    const query = `query ($with: Boolean = false, $without: Boolean!) {
      me { name reviews @include(if: $with) { body } ... @skip(if: $without) { karma } } }`;
    expect(await dataOf(query, { without: true })).toEqual({ me: { name: "ann" } });
    expect(counts()).toEqual({ accounts: 1 });
    expect(await dataOf(query, { with: true, without: false })).toEqual({
      me: { name: "ann", reviews: [{ body: "by 1" }], karma: 10 },
    });
  });

  test("variables reach arguments at the root and below entities, with defaults and nulls as they are", async () => {
    const query =
      "query ($n: Int, $first: Int = 0) { me { reviews(first: $first) { body } } echo(value: $n) }";
    expect(await dataOf(query)).toEqual({ me: { reviews: [] }, echo: '{"value":7}' });
    expect(await dataOf(query, { n: null, first: 1 })).toEqual({
      me: { reviews: [{ body: "by 1" }] },
      echo: '{"value":null}',
    });
    const nested = 'query ($m: [Int!]) { echo(on: { word: "w", many: $m }) me { reviews { body } } }';
    expect((await dataOf(nested, { m: [1, 2] })).echo).toBe('{"value":7,"on":{"word":"w","many":[1,2]}}');
  });

  test("__typename is answered everywhere, and asked of nobody where it is known", async () => {
    expect(await dataOf("{ __typename }")).toEqual({ __typename: "Query" });
    expect(
      await dataOf("{ __typename me { __typename reviews { __typename product { __typename } } } }"),
    ).toEqual({
      __typename: "Query",
      me: { __typename: "User", reviews: [{ __typename: "Review", product: { __typename: "Product" } }] },
    });
    expect(counts()).toEqual({ accounts: 1, reviews: 1 });
  });

  test("introspection shows the composed schema, and none of what federation adds", async () => {
    const data = await dataOf(
      `{ __schema { types { name } directives { name } queryType { fields { name } } }
         __type(name: "Product") { fields { name } } me { name } }`,
    );
    expect(data.me).toEqual({ name: "ann" });
    const names = data.__schema.types.map(({ name }: { name: string }) => name);
    expect(names).toContain("Review");
    expect(JSON.stringify(data.__schema)).not.toMatch(
      /_service|_entities|_Any|_Entity|_Service|join__|link__|FieldSet/,
    );
    expect(data.__schema.directives.map(({ name }: { name: string }) => name)).not.toContain("key");
    expect(data.__type.fields.map(({ name }: { name: string }) => name).sort()).toEqual([
      "label",
      "owner",
      "reviews",
      "shipping",
      "size",
      "sku",
      "stock",
      "weight",
    ]);
  });

  test("_entities and _service cannot be asked of the gateway", async () => {
    for (const query of [
      "{ _service { sdl } }",
      '{ _entities(representations: [{ __typename: "User" }]) { __typename } }',
    ]) {
      expect((await ask(app, query)).errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
    }
  });
});

describe("mutations and subscriptions", () => {
  test("mutations over two services run one after the other, each with what is below it", async () => {
    expect(
      await dataOf(`mutation {
        a: rename(id: "1", name: "A") { name karma }
        b: weigh(sku: "1", weight: 5) { weight shipping }
        c: rename(id: "3", name: "C") { reviews { body } }
      }`),
    ).toEqual({
      a: { name: "A", karma: 10 },
      b: { weight: 5, shipping: 6 },
      c: { reviews: [{ body: "by 3" }] },
    });
    expect(written).toEqual([
      "rename A begins",
      "rename A ends",
      "weigh 5",
      "rename C begins",
      "rename C ends",
    ]);
  });

  test("a subscription's events have the fields of other services", async () => {
    using subscriber = bySse(app.urls.gateway, "subscription { joined { name karma reviews { body } } }");
    const [first, second] = await subscriber.have(2);
    expect(first).toEqual({ data: { joined: { name: "ann", karma: 10, reviews: [{ body: "by 1" }] } } });
    expect(second.data).toEqual({ joined: null });
    expect(second.errors).toMatchObject([
      { message: "no karma", path: ["joined", "karma"], extensions: { service: "reviews" } },
    ]);
    expect(await subscriber.ended()).toBe("complete");
  });
});

describe("beside plain services", () => {
  test("a plain service extends an entity, asked from the federated side", async () => {
    expect(await dataOf("{ products(first: 2) { sku stock label } }")).toEqual({
      products: [
        { sku: "1", stock: 101, label: "label 1" },
        { sku: "2", stock: 102, label: "label 2" },
      ],
    });
    expect(counts()).toEqual({ products: 1, reviews: 1, stock: 1 });
  });

  test("and from its own side", async () => {
    expect(await dataOf("{ low { stock weight shipping owner { name } } }")).toEqual({
      low: [{ stock: 0, weight: 20, shipping: 22, owner: { name: "bob" } }],
    });
  });

  test("deep in an answer of federated services", async () => {
    expect(await dataOf("{ me { reviews { product { stock weight } } } low { reviews { body } } }")).toEqual({
      me: { reviews: [{ product: { stock: 101, weight: 10 } }] },
      low: [{ reviews: [{ body: "of 2" }] }],
    });
  });
});

describe("what fails", () => {
  /** The client's errors: where, and whose. */
  const told = ({ errors = [] }: Awaited<ReturnType<typeof ask>>) =>
    errors.map(({ path, extensions }) => [path?.join("."), extensions?.code, extensions?.service]);

  test("an error of one entity of a list stands at its place, and takes along what must not be null", async () => {
    const answer = await ask(app, "{ me { karma } users { name friends { name } } }");
    expect(answer.errors).toBeUndefined();
    const { data, errors } = await ask(app, "{ products { sku owner { name karma } } }");
    expect(data.products).toEqual(["1", "2", "3"].map((sku) => ({ sku, owner: null })));
    expect(errors).toHaveLength(3);
    const mixed = await ask(app, "{ nodes { id ... on User { karma } } users { id } }");
    expect(mixed.data.nodes[0]).toEqual({ id: "1", karma: 10 });
    const list = await ask(app, "{ me { friends { name karma } } }");
    expect(list.data).toEqual({ me: { friends: null } });
    for (const error of list.errors ?? [])
      expect(error).toMatchObject({ message: "no karma", extensions: { service: "reviews" } });
    expect(
      told(list)
        .map(([path]) => path)
        .sort(),
    ).toEqual(["me.friends.0.0.karma"]);
  });

  test("a service that is down costs its own fields and nothing else", async () => {
    await services.reviews?.stop();
    try {
      const answer = await ask(
        app,
        "{ products(first: 2) { sku label reviews { body } owner { name } } latest { body } }",
      );
      expect(answer.data).toEqual({
        products: ["1", "2"].map((sku) => ({ sku, label: null, reviews: null, owner: { name: "bob" } })),
        latest: null,
      });
      expect(told(answer).sort()).toEqual(
        ["latest", "products.0.label", "products.0.reviews", "products.1.label", "products.1.reviews"].map(
          (path) => [path, "SERVICE_UNAVAILABLE", "reviews"],
        ),
      );
      const required = await ask(app, "{ me { name karma } }");
      expect(required.data).toEqual({ me: null });
      expect(told(required)).toEqual([["me.karma", "SERVICE_UNAVAILABLE", "reviews"]]);
    } finally {
      services.reviews?.start();
    }
    await answered(app, "{ latest { body } }");
  });

  test("a service whose keys cannot be had leaves those that need them unasked", async () => {
    await services.products?.stop();
    try {
      const answer = await ask(app, "{ latest { body product { sku shipping weight reviews { body } } } }");
      expect(answer.data).toEqual({
        latest: {
          body: "new",
          product: { sku: "1", shipping: null, weight: null, reviews: [{ body: "of 1" }] },
        },
      });
      expect(told(answer).sort()).toEqual([
        ["latest.product.shipping", "SERVICE_UNAVAILABLE", "products"],
        ["latest.product.weight", "SERVICE_UNAVAILABLE", "products"],
      ]);
    } finally {
      services.products?.start();
    }
    await answered(app, "{ products { sku } }");
  });

  test("one error that takes a whole answer along is told wherever something is missing because of it", async () => {
    services.reviews?.answerWith(
      () => new Response('{"data":null,"errors":[{"message":"all is lost","path":["_e1",0,"label"]}]}'),
    );
    try {
      const answer = await ask(app, "{ users { reviews { body } } products(first: 2) { sku label } }");
      expect(answer.data).toEqual({
        users: Array(3).fill({ reviews: null }),
        products: ["1", "2"].map((sku) => ({ sku, label: null })),
      });
      expect(answer.errors).toHaveLength(5);
      for (const error of answer.errors ?? [])
        expect(error).toMatchObject({ message: "all is lost", extensions: { service: "reviews" } });
    } finally {
      services.reviews?.answerWith(undefined);
    }
    await answered(app, "{ latest { body } }");
  });

  test("an entity that a service does not know has none of its fields, and that is no error", async () => {
    services.reviews?.answerWith(() => new Response('{"data":{"_e0":[null,{"reviews":[]}]}}'));
    try {
      expect(await ask(app, "{ products(first: 2) { sku reviews { body } } }")).toMatchObject({
        data: {
          products: [
            { sku: "1", reviews: null },
            { sku: "2", reviews: [] },
          ],
        },
      });
      const required = await ask(app, "{ nodes { id ... on User { karma } } }");
      expect(required.data).toEqual({ nodes: [null, { id: "g" }] });
    } finally {
      services.reviews?.answerWith(undefined);
    }
    await answered(app, "{ latest { body } }");
  });

  const garbage: [what: string, entities: string][] = [
    ["too few entities", "[]"],
    ["too many entities", '[{"__typename":"User","name":"x"},{"__typename":"User","name":"y"}]'],
    ["no list", '{"name":"x"}'],
    ["plain values", '["x"]'],
    ["a list of lists", "[[]]"],
    ["nothing at all", "null"],
  ];
  for (const [what, entities] of garbage) {
    test(`${what} for what was asked is the service's fault, at every place`, async () => {
      services.accounts?.answerWith(() => new Response(`{"data":{"_e0":${entities}}}`));
      try {
        const answer = await ask(app, "{ latest { body author { name } } }");
        expect(answer.data).toEqual({ latest: { body: "new", author: { name: null } } });
        expect(told(answer)).toEqual([["latest.author.name", "INVALID_SERVICE_RESPONSE", "accounts"]]);
      } finally {
        services.accounts?.answerWith(undefined);
      }
      await answered(app, "{ me { name } }");
    });
  }
});
