/**
 * The core's schema is written by hand in parts, and taken as valid at every start: that it is, is said here.
 */
import { expect, test } from "bun:test";
import { pruneSchema } from "@graphql-tools/utils";
import { buildSchema, printSchema, validateSchema } from "graphql";
import { CORE_SDL, coreSdlInGraph } from "../../src/api/core-sdl.ts";
import { executableSchema } from "../../src/api/executable-schema.ts";

for (const [what, sdl] of [
  ["what :3001 serves", CORE_SDL],
  ["what the graph shows", coreSdlInGraph(false)],
  ["what the graph shows with mutations", coreSdlInGraph(true)],
] as const) {
  test(`${what} is a valid schema, and of nothing that cannot be reached`, () => {
    const schema = buildSchema(sdl);
    expect(validateSchema(schema)).toEqual([]);
    expect(printSchema(pruneSchema(schema))).toBe(printSchema(schema));
  });
}

test("a resolver without a field is an error", () => {
  expect(() => executableSchema("type Query { a: Int }", { Query: { b: () => 1 } })).toThrow(
    "the schema has no Query.b",
  );
});
