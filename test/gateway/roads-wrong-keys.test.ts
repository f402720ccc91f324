/** What random operations found: wrong keys, and documents of several operations, are told alike on both roads. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import type { GraphQLAnswer } from "../support/client.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask, register } from "./graph.ts";

let users: TestService;
let stars: TestService;

beforeAll(async () => {
  users = await startService(
    federated({
      sdl: `${V2} type Query { users: [User!] }
        type User @key(fields: "code") @key(fields: "org { number }") { code: String! org: Org name: String }
        type Org @shareable { number: Int! }`,
      resolvers: { Query: { users: () => [{ code: "a", org: { number: 1 }, name: "Ada" }] } },
    }),
  );
  stars = await startService(
    federated({
      sdl: `${V2} type User @key(fields: "code") { code: String! stars: Int }
        type Query { best: User }`,
      entities: { User: ({ code }) => ({ code, stars: 5 }) },
    }),
  );
});
afterAll(async () => {
  await users[Symbol.asyncDispose]();
  await stars[Symbol.asyncDispose]();
});

for (const [road, compileAfter] of [
  ["code made for the operation", 0],
  ["the reference road", Number.POSITIVE_INFINITY],
] as const) {
  describe(`on ${road}`, () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startApp({ config: { compileAfter } });
      await register(app, "users", users);
      await register(app, "stars", stars);
      await answered(app, "{ users { name stars } }");
    });
    afterAll(() => app[Symbol.asyncDispose]());

    for (const [what, code] of [
      ["a number for a text", "5"],
      ["null where none may be", "null"],
    ]) {
      test(`a key that is ${what} is its service's fault, and nobody is asked for it`, async () => {
        users.answerWith(() => new Response(`{"data":{"users":[{"code":${code},"name":"Ada"}]}}`));
        const before = stars.requests.length;
        const { data, errors } = await ask(app, "{ users { name stars } }");
        users.answerWith(undefined);
        expect(data).toEqual({ users: [{ name: "Ada", stars: null }] });
        expect(errors?.map(({ path, extensions }) => [path, extensions])).toEqual([
          [["users", 0, "stars"], { code: "INVALID_SERVICE_RESPONSE", service: "users" }],
        ]);
        expect(stars.requests.length).toBe(before);
      });
    }

    test("of several operations, the one that is named is told of what failed", async () => {
      users.answerWith(() => Response.json({ data: { users: null }, errors: [{ message: "no users" }] }));
      const query = "query A { users { name } } query B { __typename }";
      const response = await fetch(`${app.urls.gateway}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query, operationName: "A" }),
      });
      users.answerWith(undefined);
      const { data, errors } = (await response.json()) as GraphQLAnswer;
      expect(data).toEqual({ users: null });
      expect(errors).toMatchObject([
        { message: "no users", path: ["users"], extensions: { service: "users" } },
      ]);
    });
  });
}
