/** Types that a service gives one object at a time are merged like others, whatever names clients choose. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GraphQLError } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

const books = ["1", "2", "3"].map((id) => ({ id, title: `Book ${id}` }));
const stars: Record<string, number> = { "1": 5, "2": 3 };

let catalog: TestService;
let reviews: TestService;
beforeAll(async () => {
  catalog = await startService({
    typeDefs: `type Query { books: [Book!]! book(id: ID!): Book none: [Book!]! }
      type Book { id: ID! title: String! }`,
    resolvers: {
      Query: {
        books: () => books,
        none: () => [],
        book: (_: unknown, { id }: { id: string }) => books.find((book) => book.id === id),
      },
    },
  });
  reviews = await startService({
    typeDefs:
      "type Query { bookById(id: ID!): Book } type Book { id: ID! stars: Int! mark(n: Int): Int best: Book }",
    resolvers: {
      Query: {
        bookById: (_: unknown, { id }: { id: string }) => {
          if (id === "3") throw new GraphQLError("no reviews of 3");
          return { id };
        },
      },
      Book: { stars: ({ id }: { id: string }) => stars[id], best: () => ({ id: "1" }) },
    },
  });
});
afterAll(async () => {
  await catalog[Symbol.asyncDispose]();
  await reviews[Symbol.asyncDispose]();
});

for (const compileAfter of [0, Number.POSITIVE_INFINITY]) {
  describe(`compiled after ${compileAfter}`, () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startApp({ config: { compileAfter } });
      const metadata = (field: string) => ({
        metadata: {
          endpoints: { graphql: "/graphql" },
          gateway: { merge: [{ type: "Book", key: ["id"], field }] },
        },
      });
      await register(app, "catalog", catalog, metadata("book"));
      await register(app, "reviews", reviews, metadata("bookById"));
      await answered(app, '{ books { title } bookById(id: "1") { stars title } }');
    });
    afterAll(() => app[Symbol.asyncDispose]());
    const ask = (query: string) => graphql(app.urls.gateway, query);

    test("one request asks for all of a list, and each error stands at its object", async () => {
      const before = reviews.requests.length;
      const { data, errors } = await ask("{ books { title stars } }");
      expect(reviews.requests.length - before).toBe(1);
      expect(data).toBeNull();
      expect(errors?.map(({ message, path }) => [message, path])).toEqual([
        ["no reviews of 3", ["books", 2, "stars"]],
      ]);
      const best = await ask("{ books { title best { title } } }");
      expect(best.data.books.map((book: { best: unknown }) => book.best)).toEqual([
        { title: "Book 1" },
        { title: "Book 1" },
        null,
      ]);
      expect(best.errors?.map(({ path }) => path)).toEqual([["books", 2, "best"]]);
    });

    test("a list without objects takes nothing along of what its fields would have been asked with", async () => {
      const query = "query ($n: Int) { none { mark(n: $n) } books { stars } }";
      const { data, errors } = await graphql(app.urls.gateway, query, { n: 1 });
      expect(errors?.map(({ message }) => message)).toEqual(["no reviews of 3"]);
      expect(data).toBeNull();
    });

    test("a client may call another field by the key's name, or say nothing of a fragment's object but its type", async () => {
      const query =
        '{ bookById(id: "2") { id: stars best { ... on Book { id: title } constructor: title ...Type } } }';
      const { data, errors } = await ask(`${query} fragment Type on Book { __typename }`);
      expect(errors).toBeUndefined();
      expect(data).toEqual({
        bookById: { id: 3, best: { id: "Book 1", constructor: "Book 1", __typename: "Book" } },
      });
      expect(reviews.requests.every(({ query }) => !/id: stars\s+id\b/.test(query))).toBe(true);
    });
  });
}
