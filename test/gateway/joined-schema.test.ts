/** The graph's schema, put together of parts, is the one that the library makes of the same types. */
import { expect, test } from "bun:test";
import {
  GraphQLSchema,
  introspectionFromSchema,
  isAbstractType,
  isObjectType,
  lexicographicSortSchema,
  parse,
  printSchema,
  validate,
  validateSchema,
} from "graphql";
import { compose } from "../../src/gateway/compose/compose.ts";
import { buildSubgraph } from "../../src/gateway/subgraph/subgraph.ts";

const SERVICES = [
  `interface Node { id: ID! }
   interface Named implements Node { id: ID! name: String }
   type User implements Node & Named { id: ID! name: String since: DateTime back: Query }
   scalar DateTime
   type Query { users(first: Int = 3, like: UserFilter): [User!]! node(id: ID!): Node }
   input UserFilter { name: String state: State = ON }
   enum State { ON OFF }
   type Mutation { rename(id: ID!, name: String!): User }`,
  `interface Node { id: ID! }
   type Bill implements Node { id: ID! total: Float at: DateTime }
   type Note { text: String }
   union Paper = Bill | Note
   scalar DateTime
   type Query { papers: [Paper!] bill(id: ID!): Bill }
   type Subscription { billed: Bill }`,
];

const { schema: joined } = compose(
  [],
  SERVICES.map((sdl, i) => ({
    latest: buildSubgraph({ name: `s${i}`, sdl, namespace: null }, () => ({})),
    previous: undefined,
  })),
);
const ordinary = new GraphQLSchema({ ...joined.toConfig(), assumeValid: false });

test("it has the same types, fields and built-in scalars, and is valid", () => {
  expect(validateSchema(ordinary)).toEqual([]);
  expect(Object.keys(joined.getTypeMap()).sort()).toEqual(Object.keys(ordinary.getTypeMap()).sort());
  for (const [name, type] of Object.entries(ordinary.getTypeMap())) expect(joined.getType(name)).toBe(type);
  expect(joined.getType("toString")).toBeUndefined();
  const sorted = [joined, ordinary].map(lexicographicSortSchema);
  const [first, second] = sorted.map((schema) => [printSchema(schema), introspectionFromSchema(schema)]);
  expect(first).toEqual(second);
});

test("a built-in scalar that nobody uses is not in it", () => {
  const latest = buildSubgraph({ name: "s", sdl: "type Query { a: Int }", namespace: null }, () => ({}));
  const { schema } = compose([], [{ latest, previous: undefined }]);
  expect(schema.getType("Int")).toBeDefined();
  expect(schema.getType("Float")).toBeUndefined();
});

test("it knows the same implementations and members", () => {
  const types = Object.values(ordinary.getTypeMap());
  const names = (schema: GraphQLSchema) =>
    types.filter(isAbstractType).map((abstract) => [
      abstract.name,
      schema
        .getPossibleTypes(abstract)
        .map(({ name }) => name)
        .sort(),
      types
        .filter(isObjectType)
        .filter((type) => schema.isSubType(abstract, type))
        .map(({ name }) => name)
        .sort(),
    ]);
  expect(names(joined)).toEqual(names(ordinary));
  expect(names(joined)).toContainEqual(["Node", ["Bill", "User"], ["Bill", "User"]]);
});

test("documents are checked alike, through what leads back to Query too", () => {
  const documents = [
    '{ users(like: { name: "a" }) { since back { bill(id: 1) { total } } } node(id: 1) { ... on Bill { at } } }',
    '{ papers { ... on User { id } ... on Note { text } } missing users(first: "a") { id } }',
    "mutation { rename(id: 1) { id } }",
    "subscription { billed { id } }",
  ];
  const problems = (schema: GraphQLSchema) =>
    documents.map((text) => validate(schema, parse(text)).map(({ message }) => message));
  expect(problems(joined)).toEqual(problems(ordinary));
  expect(problems(joined).map(({ length }) => length > 0)).toEqual([false, true, true, false]);
});
