/**
 * What compiled plans do with the text of services' answers: it goes on to the client, and keys to other services, as
 * it was written; and what is written otherwise than expected costs the client nothing.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

let app: TestApp;
let products: TestService;
let prices: TestService;
/** The bodies that the second service was sent. */
let asked: string[] = [];

const JSON_TYPE = { headers: { "content-type": "application/json" } };
const PRODUCTS = '{"data":{"products":[{"title":"ä","id":12345678901234567890},{"title":null,"id":7}]}}';
const PRICES = '{"data":{"_e0":[{"price":1.50,"tags":["✓"]},null]}}';

beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0 } });
  products = await startService(
    federated({
      sdl: `${V2} scalar Big
        type Query { products: [Product] things: [Thing] }
        type Product @key(fields: "id") { id: Big! title: String sold: Int }
        interface Thing { id: Big! } type Book implements Thing { id: Big! pages: Int } type Pen implements Thing { id: Big! }`,
      resolvers: { Query: { products: () => [], things: () => [] } },
    }),
  );
  prices = await startService(
    federated({
      sdl: `${V2} scalar Big scalar Money type Product @key(fields: "id") { id: Big! price: Money tags: [String!] }`,
      entities: { Product: () => null },
    }),
  );
  await register(app, "products", products);
  await register(app, "prices", prices);
  await answered(app, "{ products { title price tags } things { id } }");
  // The first answer to an Accept header is not by code made for it.
  await post("{ __typename }");
});
afterAll(async () => {
  await Promise.all([app, products, prices].map((each) => each[Symbol.asyncDispose]()));
});
beforeEach(() => {
  asked = [];
  products.answerWith(() => new Response(PRODUCTS, JSON_TYPE));
  prices.answerWith(async (request) => {
    asked.push(await request.text());
    return new Response(PRICES, JSON_TYPE);
  });
});

function post(query: string): Promise<Response> {
  return fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query }),
  });
}

async function textFor(query: string): Promise<string> {
  const response = await post(query);
  expect(response.headers.get("x-bobbin-road")).toBe("compiled");
  return response.text();
}

test("no digit and no letter is lost between two services' parts of an object", async () => {
  expect(await textFor("{ products { title price tags } }")).toBe(
    '{"data":{"products":[{"title":"ä","price":1.50,"tags":["✓"]},{"title":null,"price":null,"tags":null}]}}',
  );
});

test("a number of as many digits as Int has goes on wherever it stands", async () => {
  products.answerWith(
    () =>
      new Response(
        '{"data":{"products":[{"sold":-2147483648,"title":"t","id":1},{"sold":0,"title":"u","id":2}]}}',
        JSON_TYPE,
      ),
  );
  prices.answerWith(() => new Response('{"data":{"_e0":[{"price":2147483647},{"price":1}]}}', JSON_TYPE));
  const query = "{ products { sold title price } }";
  expect(await textFor(query)).toBe(
    '{"data":{"products":[{"sold":-2147483648,"title":"t","price":2147483647},{"sold":0,"title":"u","price":1}]}}',
  );
  products.answerWith(
    () =>
      new Response(
        '{"data":{"products":[{"title":"t","sold":2147483647,"id":1},{"title":"u","sold":0,"id":2}]}}',
        JSON_TYPE,
      ),
  );
  expect(await textFor("{ products { title sold price } }")).toBe(
    '{"data":{"products":[{"title":"t","sold":2147483647,"price":2147483647},{"title":"u","sold":0,"price":1}]}}',
  );
});

test("keys go to the next service as they were written", async () => {
  await textFor("{ products { title price tags } }");
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain('"id":12345678901234567890}');
});

test("the client's order and names are kept where services' parts alternate", async () => {
  prices.answerWith(() => new Response('{"data":{"_e0":[{"a":1.50,"tags":["✓"]},null]}}', JSON_TYPE));
  expect(await textFor("{ kind: __typename products { a: price title type: __typename tags } }")).toBe(
    '{"data":{"kind":"Query","products":[{"a":1.50,"title":"ä","type":"Product","tags":["✓"]},{"a":null,"title":null,"type":"Product","tags":null}]}}',
  );
});

test("an interface's objects are told apart, with and without their type's name", async () => {
  const things = '[{"__typename":"Book","id":1.0,"pages":3},{"__typename":"Pen","id":{"a":[1e400]}}]';
  products.answerWith(() => new Response(`{"data":{"things":${things}}}`, JSON_TYPE));
  expect(await textFor("{ things { __typename id ... on Book { pages } } }")).toBe(
    `{"data":{"things":${things}}}`,
  );
  expect(await textFor("{ things { id ... on Book { pages } } }")).toBe(
    '{"data":{"things":[{"id":1.0,"pages":3},{"id":{"a":[1e400]}}]}}',
  );
});

test("an answer with white space or in another order is as good, and its service is not asked again", async () => {
  const spaced = JSON.stringify({ data: { products: [{ id: 7, title: "t" }] } }, null, 2);
  let calls = 0;
  products.answerWith(async (request) => {
    // A look at its health is not a question.
    if ((await request.text()).includes("products")) calls += 1;
    return new Response(spaced, JSON_TYPE);
  });
  prices.answerWith(() => new Response('{"data":{"_e0":[{"tags":[],"price":"2"}]}}', JSON_TYPE));
  const rounds = 20;
  for (let i = 0; i < rounds; i++)
    expect(await textFor("{ products { title price tags } }")).toBe(
      '{"data":{"products":[{"title":"t","price":"2","tags":[]}]}}',
    );
  expect(calls).toBe(rounds);
});

test("a service that goes back to the expected form is read as text again", async () => {
  const query = "{ products { price title } }";
  products.answerWith(() => new Response('{"data":{"products":[{"title":"t","id":7}]}}', JSON_TYPE));
  const priceIs = (text: string) =>
    prices.answerWith(() => new Response(`{"data":{"_e0":[{"price":${text}}]}}`, JSON_TYPE));
  priceIs(' "2"');
  for (let i = 0; i < 20; i++) await textFor(query);
  // A number of a scalar of the service's own goes on as text alone.
  priceIs("2.50");
  const roads: (string | null)[] = [];
  for (let i = 0; i < 210; i++) roads.push((await post(query)).headers.get("x-bobbin-road"));
  expect(roads.slice(-100)).toEqual(Array.from({ length: 100 }, () => "compiled"));
  expect(await textFor(query)).toBe('{"data":{"products":[{"price":2.50,"title":"t"}]}}');
});

test("keys that are escaped in different ways are one key", async () => {
  const escaped = '{"data":{"products":[{"title":"a","id":"\\u00e9\\/"},{"title":"b","id":"é/"}]}}';
  products.answerWith(() => new Response(escaped, JSON_TYPE));
  prices.answerWith(async (request) => {
    asked.push(await request.text());
    return new Response('{"data":{"_e0":[{"tags":null,"price":3}]}}', JSON_TYPE);
  });
  expect(await textFor("{ products { title tags price } }")).toBe(
    '{"data":{"products":[{"title":"a","tags":null,"price":3},{"title":"b","tags":null,"price":3}]}}',
  );
  expect(JSON.parse(asked[0] as string).variables._e0).toEqual([{ __typename: "Product", id: "é/" }]);
});

test("a key that is escaped in an answer of plain letters goes on as what it means", async () => {
  products.answerWith(
    () => new Response('{"data":{"products":[{"title":"\\u00e9","id":"\\u00e9"}]}}', JSON_TYPE),
  );
  prices.answerWith(async (request) => {
    asked.push(await request.text());
    return new Response('{"data":{"_e0":[{"price":3}]}}', JSON_TYPE);
  });
  expect(await textFor("{ products { title price } }")).toBe(
    '{"data":{"products":[{"title":"\\u00e9","price":3}]}}',
  );
  expect(JSON.parse(asked[0] as string).variables._e0).toEqual([{ __typename: "Product", id: "é" }]);
});

test("where a service does not say of which type an object is, each is answered as what it is", async () => {
  await using media = await startService(
    federated({
      sdl: `${V2} type Query { media: [Media!] } interface Media @key(fields: "id") { id: ID! }
        type Film implements Media @key(fields: "id") { id: ID! }
        type Show implements Media @key(fields: "id") { id: ID! }`,
      resolvers: {
        Query: { media: () => ["Film", "Show"].map((__typename, id) => ({ __typename, id: `${id}` })) },
      },
    }),
  );
  await using stars = await startService(
    federated({
      sdl: `${V2} type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int seen: Int }`,
      entities: { Media: ({ id }) => ({ __typename: "Media", id, stars: 5, seen: 9 }) },
    }),
  );
  await register(app, "media", media);
  await register(app, "stars", stars);
  await answered(app, "{ media { id ... on Show { stars } } }");
  expect(await textFor("{ media { ... on Show { stars seen } } }")).toBe(
    '{"data":{"media":[{},{"stars":5,"seen":9}]}}',
  );
  expect(await textFor("{ media { ... on Film { seen } ... on Show { stars } } }")).toBe(
    '{"data":{"media":[{"seen":9},{"stars":5}]}}',
  );
});
