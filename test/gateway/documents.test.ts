/** Documents and answers that are there to do harm, or that say several things at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";

let app: TestApp;
let service: TestService;
beforeAll(async () => {
  app = await startApp();
  service = await startService({
    typeDefs: "type Query { thing(deep: [[[Int]]]): Thing } type Thing { id: ID }",
    resolvers: { Query: { thing: () => ({ id: "1" }) } },
  });
  const metadata = { endpoints: { graphql: "/graphql" } };
  await post(`${app.urls.registry}/register`, { serviceName: "thing", url: service.url, metadata });
  await until(
    () => graphql(app.urls.gateway, "{ thing { id } }"),
    ({ data }) => data?.thing?.id === "1",
  );
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const codesOf = async (query: string, door: "gateway" | "core" = "gateway") =>
  (await graphql(app.urls[door], query)).errors?.map(({ extensions }) => extensions?.code);

test("several errors of one field arrive one by one, with their codes", async () => {
  const errors = ["ONE", "TWO"].map((code) => ({ message: code, path: ["thing"], extensions: { code } }));
  for (const body of [{ data: null, errors }, { data: { thing: null }, errors }, { errors }]) {
    service.answerWith(() => Response.json(body));
    const answer = await graphql(app.urls.gateway, "{ thing { id } }");
    expect(answer.data).toEqual({ thing: null });
    expect(answer.errors?.map(({ message, path, extensions }) => [message, path, extensions])).toEqual([
      ["ONE", ["thing"], { code: "ONE", service: "thing" }],
      ["TWO", ["thing"], { code: "TWO", service: "thing" }],
    ]);
  }
  service.answerWith(undefined);
});

test("a document that is nested without end, or longer than any real one, is refused", async () => {
  const nested = `{ thing(deep: ${"[".repeat(100_000)}1${"]".repeat(100_000)}) { id } }`;
  const selections = `${"{ thing ".repeat(7_000)}{ id }${"}".repeat(7_000)}`;
  const aliases = `{ ${Array.from({ length: 20_000 }, (_, i) => `a${i}: __typename`).join(" ")} }`;
  for (const door of ["gateway", "core"] as const) {
    for (const query of [nested, selections, aliases]) {
      const codes = (await codesOf(query, door)) ?? [];
      expect(codes.length).toBeGreaterThan(0);
      for (const code of codes) expect(String(code)).toStartWith("GRAPHQL_");
    }
  }
});

test("an operation that the schema has no root for is refused with a code", async () => {
  expect(await codesOf("mutation { anything }")).toEqual(["GRAPHQL_VALIDATION_FAILED"]);
});

test("large documents are not kept in memory once they are answered", async () => {
  const resident = () => {
    Bun.gc(true);
    return process.memoryUsage().rss / 1e6;
  };
  const ask = async (from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      const padding = Array.from(
        { length: 2_500 },
        (_, n) => `a${n}_${i}_${"x".repeat(150)}: __typename`,
      ).join(" ");
      expect((await graphql(app.urls.gateway, `{ ${padding} }`)).errors).toBeUndefined();
    }
  };
  await ask(0, 10);
  const before = resident();
  await ask(10, 30);
  // Kept parsed, thirty of these take some hundred megabytes.
  expect(resident() - before).toBeLessThan(75);
});
