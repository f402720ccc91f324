/** Answers of types that services make up together: how often each is asked, and what one that fails takes along. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { type ExecutionResult, parse, validate } from "graphql";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { executeOperation } from "../../src/gateway/execute/operation.ts";
import { remoteExecutor } from "../../src/gateway/remote/remote-executor.ts";
import { Snapshot } from "../../src/gateway/snapshot.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";
import { startService } from "../support/service.ts";

type Resolvers = Record<string, Record<string, (parent: never, args: never) => unknown>>;

const products = ["1", "2", "3", "4", "5"].map((id) => ({ id, name: `p${id}`, price: Number(id) * 10 }));

const CATALOG = `
  type Query { products: [Product!]! product(id: ID!): Product }
  type Product { id: ID name: String price: Int }`;
const STOCK = `
  type Query { productsById(ids: [ID!]!): [Product]! @merge(keyField: "id") low: [Product!]! }
  type Product @key(selectionSet: "{ id }") { id: ID inStock: Int }`;

/** Of all products but 4, which the service does not know. */
const inStock = (id: string) => (id === "4" ? null : { id, inStock: 100 + Number(id) });

const CATALOG_RESOLVERS: Resolvers = {
  Query: {
    products: () => products,
    product: (_: never, { id }: { id: string }) => products.find((product) => product.id === id),
  },
};
const STOCK_RESOLVERS: Resolvers = {
  Query: {
    productsById: (_: never, { ids }: { ids: string[] }) => ids.map(inStock),
    low: () => [inStock("1")],
  },
};

/** A server of these fields, whose own schema has no directives, as a subgraph of the SDL that has them. */
async function serve(name: string, sdl: string, resolvers: Resolvers, namespace: string | null = null) {
  const typeDefs = sdl.replace(/@(key|merge|computed)(\([^)]*\))?/g, "");
  const service = await startService({ typeDefs, resolvers });
  const execute = remoteExecutor(name, {
    route: () => ({ origin: service.url, graphqlUrl: service.graphqlUrl, headers: [] }),
    onFailure: () => {},
  });
  return { service, subgraph: buildSubgraph({ name, sdl, namespace }, execute) };
}

const catalog = await serve("catalog", CATALOG, CATALOG_RESOLVERS);
const stock = await serve("stock", STOCK, STOCK_RESOLVERS);

afterAll(async () => {
  await catalog.service[Symbol.asyncDispose]();
  await stock.service[Symbol.asyncDispose]();
});

beforeEach(() => {
  for (const { service } of [catalog, stock]) service.requests.length = 0;
});

/** Asks the graph that the subgraphs make together. */
async function ask(subgraphs: readonly Subgraph[], source: string) {
  const composition = compose(
    [],
    subgraphs.map((latest): Candidate => ({ latest, previous: undefined })),
  );
  expect(Object.fromEntries(composition.rejected)).toEqual({});
  const document = parse(source);
  expect(validate(composition.schema, document)).toEqual([]);
  const contextValue = { hops: 0, writeToken: undefined };
  const answer = await executeOperation(new Snapshot(1, composition), { document, contextValue });
  return JSON.parse(JSON.stringify(answer)) as ExecutionResult;
}

const both = [catalog.subgraph, stock.subgraph];

test("a field of another service costs one call for a list of objects, in whichever order the two registered", async () => {
  for (const order of [both, both.toReversed()]) {
    stock.service.requests.length = 0;
    const { data, errors } = await ask(
      order,
      "{ products { name inStock } again: product(id: 2) { inStock } }",
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      products: products.map(({ id, name }) => ({ name, inStock: inStock(id)?.inStock ?? null })),
      again: { inStock: 102 },
    });
    expect(stock.service.requests).toHaveLength(1);
  }
});

test("an object that the other service does not know has null there, and the rest is without errors", async () => {
  const { data, errors } = await ask(both, "{ product(id: 4) { id name inStock } }");
  expect(errors).toBeUndefined();
  expect(data).toEqual({ product: { id: "4", name: "p4", inStock: null } });
});

test("an object without a key has null there, and the others are asked for", async () => {
  const holes = [{ id: null, name: "none" }, products[0]];
  const keyless = await serve("catalog", CATALOG, { Query: { products: () => holes } });
  for (const sdl of [
    STOCK,
    STOCK.replace("productsById(ids: [ID!]!): [Product]!", "productById(id: ID!): Product"),
  ]) {
    const single =
      sdl === STOCK
        ? STOCK_RESOLVERS
        : { Query: { productById: (_: never, { id }: { id: string }) => inStock(id) } };
    const other = await serve("stock", sdl, single);
    const { data, errors } = await ask([keyless.subgraph, other.subgraph], "{ products { name inStock } }");
    await other.service[Symbol.asyncDispose]();
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      products: [
        { name: "none", inStock: null },
        { name: "p1", inStock: 101 },
      ],
    });
  }
  await keyless.service[Symbol.asyncDispose]();
});

test("a service that fails takes along its own fields only, each with an error at its path", async () => {
  const query = "{ products { name inStock } }";
  const failing: [answer: (request: Request) => Response, expected: Record<string, unknown>][] = [
    [() => new Response("broken", { status: 500 }), { code: "INVALID_SERVICE_RESPONSE", service: "stock" }],
    [() => Response.json({ errors: [{ message: "no" }] }), { service: "stock" }],
  ];
  for (const [answer, extensions] of failing) {
    stock.service.answerWith(answer);
    const { data, errors } = await ask(both, query).finally(() => stock.service.answerWith(undefined));
    expect(data).toEqual({ products: products.map(({ name }) => ({ name, inStock: null })) });
    expect(errors?.map(({ path }) => path?.join("."))).toEqual(
      products.map((_, i) => `products.${i}.inStock`),
    );
    for (const error of errors ?? []) expect(error.extensions).toEqual(extensions);
  }
});

test("an error below a field of another service is at its own path", async () => {
  const sdl = `
    type Query { productsById(ids: [ID!]!): [Product]! @merge(keyField: "id") }
    type Product @key(selectionSet: "{ id }") { id: ID shelves: [Shelf] } type Shelf { room: String row: Int }`;
  const shelves = (id: string) => [
    { row: 1, room: "a" },
    { row: 2, room: id === "2" ? new Error("locked") : "b" },
  ];
  const one = await serve("shelves", sdl, {
    Query: {
      productsById: (_: never, { ids }: { ids: string[] }) => ids.map((id) => ({ id, shelves: shelves(id) })),
    },
  });
  const { data, errors } = await ask(
    [catalog.subgraph, one.subgraph],
    "{ products { shelves { row room } } }",
  );
  await one.service[Symbol.asyncDispose]();
  expect(data?.products).toContainEqual({
    shelves: [
      { row: 1, room: "a" },
      { row: 2, room: null },
    ],
  });
  expect(errors?.map(({ message, path }) => [message, path])).toEqual([
    ["locked", ["products", 1, "shelves", 1, "room"]],
  ]);
});

test("an error of one object is at that object's path", async () => {
  const one = await serve("stock", STOCK, {
    Query: {
      productsById: (_: never, { ids }: { ids: string[] }) =>
        ids.map((id) => (id === "3" ? new Error("three") : inStock(id))),
    },
  });
  const { data, errors } = await ask([catalog.subgraph, one.subgraph], "{ products { inStock } }");
  await one.service[Symbol.asyncDispose]();
  expect(data).toEqual({
    products: products.map(({ id }) => ({ inStock: id === "3" ? null : (inStock(id)?.inStock ?? null) })),
  });
  expect(errors?.map(({ message, path }) => [message, path])).toEqual([
    ["three", ["products", 2, "inStock"]],
  ]);
});

test("a field that serves single objects is asked for all of a list in one call", async () => {
  const single = await serve(
    "stock",
    `type Query { productById(key: ID!, shop: Int): Product @merge(keyField: "id", keyArg: "key") }
     type Product @key(selectionSet: "{ id }") { id: ID inStock: Int }`,
    { Query: { productById: (_: never, { key }: { key: string }) => inStock(key) } },
  );
  const { data, errors } = await ask([catalog.subgraph, single.subgraph], "{ products { inStock } }");
  await single.service[Symbol.asyncDispose]();
  expect(errors).toBeUndefined();
  expect(data?.products).toEqual(products.map(({ id }) => ({ inStock: inStock(id)?.inStock ?? null })));
  expect(single.service.requests).toHaveLength(1);
});

const SHIPPING = `
  type Query { productsByKey(keys: [ProductKey!]!): [Product]! @merge some: Product }
  input ProductKey { id: ID! price: Int }
  type Product @key(selectionSet: "{ id }") { id: ID express: Boolean shipping: Int @computed(selectionSet: "{ price }") }`;
const SHIPPING_RESOLVERS: Resolvers = {
  Query: {
    productsByKey: (_: never, { keys }: { keys: { id: string; price?: number }[] }) =>
      keys.map(({ id, price }) => ({ id, express: id === "1", shipping: price && price / 10 })),
    some: () => ({ id: "1", express: true }),
  },
};

test("@computed: a field gets what it needs of another service, in one call", async () => {
  const shipping = await serve("shipping", SHIPPING, SHIPPING_RESOLVERS);
  const { data, errors } = await ask(
    [...both, shipping.subgraph],
    "{ products { id shipping express inStock } }",
  );
  await shipping.service[Symbol.asyncDispose]();
  expect(errors).toBeUndefined();
  expect(data?.products).toEqual(
    products.map(({ id }) => ({
      id,
      shipping: Number(id),
      express: id === "1",
      inStock: inStock(id)?.inStock ?? null,
    })),
  );
  expect(shipping.service.requests).toHaveLength(1);
  expect(catalog.service.requests).toHaveLength(1);
});

test("a namespaced service merges and computes under its names in the graph", async () => {
  const named = await serve("catalog", CATALOG, CATALOG_RESOLVERS, "Thief");
  const shipping = await serve("shipping", SHIPPING, SHIPPING_RESOLVERS, "Thief");
  const subgraphs = [named.subgraph, shipping.subgraph];
  const query = "{ Thief_products { __typename name express shipping } }";
  const { data, errors } = await ask(subgraphs, query);
  expect(errors).toBeUndefined();
  expect(data?.Thief_products).toEqual(
    products.map(({ id, name }) => ({
      __typename: "Thief_Product",
      name,
      express: id === "1",
      shipping: Number(id),
    })),
  );
  expect(shipping.service.requests).toHaveLength(1);

  shipping.service.answerWith(() => new Response("broken", { status: 500 }));
  const failed = await ask(subgraphs, query);
  expect(failed.data?.Thief_products).toEqual(
    products.map(({ name }) => ({ __typename: "Thief_Product", name, express: null, shipping: null })),
  );
  for (const { path, extensions } of failed.errors ?? []) {
    expect(path).toEqual(["Thief_products", expect.any(Number), expect.stringMatching(/express|shipping/)]);
    expect(extensions).toEqual({ code: "INVALID_SERVICE_RESPONSE", service: "shipping" });
  }
  expect(failed.errors).toHaveLength(2 * products.length);
  for (const { service } of [named, shipping]) await service[Symbol.asyncDispose]();
});

test("where both declare the type, each completes the other's objects", async () => {
  const declared = await serve(
    "catalog",
    `type Query { named(ids: [ID!]!): [Product]! @merge(keyField: "id") products: [Product!]! }
     type Product @key(selectionSet: "{ id }") { id: ID name: String }`,
    {
      Query: {
        products: () => products,
        named: (_: never, { ids }: { ids: string[] }) =>
          ids.map((id) => products.find((product) => product.id === id)),
      },
    },
  );
  const { data, errors } = await ask(
    [declared.subgraph, stock.subgraph],
    "{ products { name inStock } low { name inStock } }",
  );
  await declared.service[Symbol.asyncDispose]();
  expect(errors).toBeUndefined();
  expect(data?.low).toEqual([{ name: "p1", inStock: 101 }]);
  expect(data?.products).toHaveLength(5);
});

test("three services make up one type, one call to each", async () => {
  const prices = await serve(
    "prices",
    `type Query { priced(ids: [ID!]!): [Product]! @merge(keyField: "id") }
     type Product @key(selectionSet: "{ id }") { id: ID euros: Int }`,
    {
      Query: {
        priced: (_: never, { ids }: { ids: string[] }) => ids.map((id) => ({ id, euros: Number(id) })),
      },
    },
  );
  const { data, errors } = await ask([...both, prices.subgraph], "{ products { name inStock euros } }");
  await prices.service[Symbol.asyncDispose]();
  expect(errors).toBeUndefined();
  expect(data?.products).toContainEqual({ name: "p5", inStock: 105, euros: 5 });
  for (const { service } of [catalog, stock, prices]) expect(service.requests).toHaveLength(1);
});

test("a field that no service can be asked for is an error at its path, never a wait", async () => {
  const shipping = await serve("shipping", SHIPPING, SHIPPING_RESOLVERS);
  const bySku = await serve("sku", STOCK.replaceAll("id", "sku"), {});
  const cannot = (field: string, service: string) => ({
    message: `Product.${field} cannot be fetched for an object of ${service}: no service that has the field can be asked for a Product by a key that is known of it. Its owner can say how (metadata.gateway.merge, or @key and @merge).`,
    extensions: { code: "FIELD_UNREACHABLE", service },
  });
  const cases: [Subgraph, query: string, data: Record<string, unknown>, error: Record<string, unknown>][] = [
    [stock.subgraph, "{ low { name } }", { low: [{ name: null }] }, cannot("name", "stock")],
    [
      stock.subgraph,
      "{ low { inStock name } }",
      { low: [{ inStock: 101, name: null }] },
      cannot("name", "stock"),
    ],
    [
      shipping.subgraph,
      "{ some { shipping } }",
      { some: { shipping: null } },
      cannot("shipping", "shipping"),
    ],
    [
      bySku.subgraph,
      "{ product(id: 1) { name inStock } }",
      { product: { name: "p1", inStock: null } },
      cannot("inStock", "catalog"),
    ],
  ];
  for (const [subgraph, query, data, error] of cases) {
    const answer = await ask([catalog.subgraph, subgraph], query);
    expect(answer.data).toEqual(data);
    expect(answer.errors).toMatchObject([error]);
  }
  for (const { service } of [shipping, bySku]) await service[Symbol.asyncDispose]();
});

test("objects of an interface are completed like others", async () => {
  const items = await serve(
    "items",
    "type Query { all: [Item!]! } interface Item { id: ID name: String } type Book implements Item { id: ID name: String } type Shoe implements Item { id: ID name: String }",
    { Query: { all: () => products.map((item, i) => ({ ...item, __typename: i % 2 ? "Shoe" : "Book" })) } },
  );
  const counts = await serve(
    "counts",
    `type Query { itemsById(ids: [ID!]!): [Item]! @merge(keyField: "id") }
     interface Item { id: ID inStock: Int } type Book implements Item { id: ID inStock: Int } type Shoe implements Item { id: ID inStock: Int }`,
    {
      Query: {
        itemsById: (_: never, { ids }: { ids: string[] }) =>
          ids.map((id) => ({ id, inStock: Number(id), __typename: Number(id) % 2 ? "Book" : "Shoe" })),
      },
    },
  );
  const { data, errors } = await ask(
    [items.subgraph, counts.subgraph],
    "{ all { name inStock ... on Shoe { __typename } } }",
  );
  for (const { service } of [items, counts]) await service[Symbol.asyncDispose]();
  expect(errors).toBeUndefined();
  expect(data?.all).toEqual(
    products.map(({ name }, i) => ({ name, inStock: i + 1, ...(i % 2 ? { __typename: "Shoe" } : {}) })),
  );
});
