/** Composition over time: what becomes of services that are in the graph already when schemas change. */
import { expect, test } from "bun:test";
import { printSchema } from "graphql";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";

function subgraph(name: string, sdl: string): Subgraph {
  return buildSubgraph({ name, sdl, namespace: null }, () => ({}));
}

/** The graph after `candidates` changed: its SDL, which schema of each service is in it, and the codes by service. */
function composed(incumbents: Subgraph[], candidates: Candidate[]) {
  const { schema, subgraphs, rejected } = compose(incumbents, candidates);
  const codes = Object.fromEntries([...rejected].map(([name, { code }]) => [name, code]));
  const messages = Object.fromEntries([...rejected].map(([name, { message }]) => [name, message]));
  return { sdl: printSchema(schema), subgraphs: new Set(subgraphs), codes, messages };
}

const users = "type User { id: ID! }";
const usersWithAge = "type User { id: ID! age: Int }";

for (const broken of [
  "type Query {",
  "type Query { a: Missing }",
  "type NoQuery { a: Int }",
  "type Query",
  "",
]) {
  test(`a text that is no schema is refused: ${JSON.stringify(broken)}`, () => {
    expect(() => subgraph("a", broken)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });
}

test("a changed service that collides keeps its previous schema in the graph", () => {
  const a = subgraph("a", "type Query { a: Int }");
  const before = subgraph("b", "type Query { b: Int }");
  const after = subgraph("b", "type Query { b: Int, a: Int }");
  const { sdl, codes } = composed([a], [{ latest: after, previous: before }]);
  expect(sdl).toBe("type Query {\n  a: Int\n  b: Int\n}");
  expect(codes).toEqual({ b: "ROOT_FIELD_TAKEN" });
});

test("what is in the graph keeps its fields, though the newcomer was registered earlier", () => {
  const incumbent = subgraph("late", "type Query { x: Int }");
  const { subgraphs, codes } = composed(
    [incumbent],
    [{ latest: subgraph("early", "type Query { x: Int }"), previous: undefined }],
  );
  expect(subgraphs).toEqual(new Set([incumbent]));
  expect(codes).toEqual({ early: "ROOT_FIELD_TAKEN" });
});

test("a field that its owner gave up goes to the service that was refused for it", () => {
  const waiting = subgraph("b", "type Query { x: Int }");
  const before = subgraph("a", "type Query { x: Int, a: Int }");
  const after = subgraph("a", "type Query { a: Int }");
  for (const candidates of [
    [
      { latest: after, previous: before },
      { latest: waiting, previous: undefined },
    ],
    [
      { latest: waiting, previous: undefined },
      { latest: after, previous: before },
    ],
  ]) {
    const { subgraphs, codes } = composed([], candidates);
    expect(codes).toEqual({});
    expect(subgraphs).toEqual(new Set([after, waiting]));
  }
});

test("two services change a shared type in step: refused while one has it, together once both do", () => {
  const [a1, b1] = [
    subgraph("a", `type Query { a: User } ${users}`),
    subgraph("b", `type Query { b: User } ${users}`),
  ];
  const [a2, b2] = [
    subgraph("a", `type Query { a: User } ${usersWithAge}`),
    subgraph("b", `type Query { b: User } ${usersWithAge}`),
  ];
  const half = composed([b1], [{ latest: a2, previous: a1 }]);
  expect(half.subgraphs).toEqual(new Set([a1, b1]));
  expect(half.codes).toEqual({ a: "TYPE_CONFLICT" });

  const whole = composed(
    [],
    [
      { latest: a2, previous: a1 },
      { latest: b2, previous: b1 },
    ],
  );
  expect(whole.codes).toEqual({});
  expect(whole.sdl).toContain("type User {\n  id: ID!\n  age: Int\n}");
});

test("a refused change takes nothing from a service that changes something else later", () => {
  const [a1, a2] = [
    subgraph("a", `type Query { a: User } ${users}`),
    subgraph("a", `type Query { a: User } ${usersWithAge}`),
  ];
  const [b1, b2] = [
    subgraph("b", `type Query { b: User } ${users}`),
    subgraph("b", `type Query { b: User, more: Int } ${users}`),
  ];
  const { subgraphs, codes, messages } = composed(
    [],
    [
      { latest: a2, previous: a1 },
      { latest: b2, previous: b1 },
    ],
  );
  expect(subgraphs).toEqual(new Set([a1, b2]));
  expect(codes).toEqual({ a: "TYPE_CONFLICT" });
  expect(messages.a).toMatch(/The type User of a differs from the one of b\b/);
});

test("an earlier service that changes at the same time cannot take a field that a later one has in the graph", () => {
  const [a1, a2] = [subgraph("a", "type Query { a: Int }"), subgraph("a", "type Query { a: Int, x: Int }")];
  const [b1, b2] = [
    subgraph("b", "type Query { x: Int }"),
    subgraph("b", "type Query { x: Int, more: Int }"),
  ];
  const { subgraphs, codes, messages } = composed(
    [],
    [
      { latest: a2, previous: a1 },
      { latest: b2, previous: b1 },
    ],
  );
  expect(subgraphs).toEqual(new Set([a1, b2]));
  expect(codes).toEqual({ a: "ROOT_FIELD_TAKEN" });
  expect(messages.a).toMatch(/Query\.x of a belongs to b\b/);
});

test("a newcomer that was refused stays refused when the owner changes something else", () => {
  const newcomer = subgraph("a", "type Query { x: Int }");
  const [b1, b2] = [
    subgraph("b", "type Query { x: Int }"),
    subgraph("b", "type Query { x: Int, more: Int }"),
  ];
  const { subgraphs, codes } = composed(
    [],
    [
      { latest: newcomer, previous: undefined },
      { latest: b2, previous: b1 },
    ],
  );
  expect(subgraphs).toEqual(new Set([b2]));
  expect(codes).toEqual({ a: "ROOT_FIELD_TAKEN" });
});

test("one service that was refused does not keep others from changing a shared type in step", () => {
  const [a1, a2] = [
    subgraph("a", `type Query { a: User } ${users}`),
    subgraph("a", `type Query { a: User } ${usersWithAge}`),
  ];
  const [b1, b2] = [
    subgraph("b", `type Query { b: User } ${users}`),
    subgraph("b", `type Query { b: User } ${usersWithAge}`),
  ];
  const [c1, c2] = [subgraph("c", "type Query { c: Int }"), subgraph("c", "type Query { c: Int, d: Int }")];
  const [d1, d2] = [subgraph("d", "type Query { d: Int }"), subgraph("d", "type Query { d: Int, e: Int }")];
  const { subgraphs, codes } = composed(
    [],
    [
      { latest: c2, previous: c1 },
      { latest: a2, previous: a1 },
      { latest: b2, previous: b1 },
      { latest: d2, previous: d1 },
    ],
  );
  expect(subgraphs).toEqual(new Set([c1, a2, b2, d2]));
  expect(codes).toEqual({ c: "ROOT_FIELD_TAKEN" });
});
