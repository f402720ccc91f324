/** What a plugin asks the graph has the same bounds as what a client asks. */
import { expect, test } from "bun:test";
import { answered } from "../gateway/graph.ts";
import { startApp } from "../support/app.ts";

test("a document over the bounds is refused with a code", async () => {
  await using app = await startApp();
  await Bun.write(
    `${app.folder}/plugins/asks.ts`,
    `import { definePlugin } from "bobbin";
     const many = (count, text) => Array.from({ length: count }, (_, i) => text(i)).join(" ");
     const documents = {
       doubling: "{ ...F0 } fragment F20 on Query { __typename } " +
         many(20, (i) => "fragment F" + i + " on Query { ...F" + (i + 1) + " a: __typename ...F" + (i + 1) + " }"),
       long: "{ " + many(20_000, (i) => "a" + i + ": __typename") + " }",
       nested: "{ asks(of: " + "[".repeat(7_000) + "1" + "]".repeat(7_000) + ") }",
       sound: "{ __typename }",
     };
     export default definePlugin({
       name: "asks", version: "1.0.0",
       typeDefs: "type Query { asks(of: String!): String! }",
       resolvers: { Query: { asks: async (_, { of }, { query }) => {
         const { errors } = await query(documents[of]);
         return errors?.[0].extensions.code ?? "fine";
       } } },
     });`,
  );
  const ask = async (of: string) => (await answered(app, `{ asks(of: "${of}") }`)).asks;
  expect(await ask("sound")).toBe("fine");
  expect(await ask("doubling")).toBe("GRAPHQL_VALIDATION_FAILED");
  expect(await ask("long")).toBe("GRAPHQL_PARSE_FAILED");
  expect(await ask("nested")).toStartWith("GRAPHQL_");
});
