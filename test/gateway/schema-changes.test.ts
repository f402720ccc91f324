/** What changes of schema mean for the graph's clients, as text, and which of them are held back. */
import { describe, expect, test } from "bun:test";
import { changedServices } from "../../src/gateway/compose/changed-services.ts";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { composeSafely } from "../../src/gateway/compose/compose-safely.ts";
import { summary } from "../../src/gateway/compose/schema-changes.ts";
import { atOnce } from "../../src/gateway/compose/slices.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";

/** Service → its SDL before and after; undefined where it was not there yet, or is gone. */
type Services = Record<string, [before: string | undefined, after: string | undefined]>;

function subgraph(name: string, sdl: string, namespace: string | null = null): Subgraph {
  return buildSubgraph({ name, sdl, namespace }, async () => ({}));
}

/** The graph before, and what the services make of it. */
function stage(services: Services, namespace: string | null = null) {
  const entries = Object.entries(services).map(([name, [before, after]]) => {
    const previous = before === undefined ? undefined : subgraph(name, before, namespace);
    const latest = after === undefined || after === before ? undefined : subgraph(name, after, namespace);
    return { previous, latest, isSame: before === after };
  });
  const first = entries.flatMap(({ previous }) =>
    previous ? [{ latest: previous, previous: undefined }] : [],
  );
  const graph = compose([], first);
  expect([...graph.rejected]).toEqual([]);
  const incumbents = entries.flatMap(({ previous, isSame }) => (previous && isSame ? [previous] : []));
  const candidates = entries.flatMap(({ latest, previous }) => (latest ? [{ latest, previous }] : []));
  return { graph, incumbents, candidates };
}

/** `service CRITICALITY path: message`, for every change. */
function changes(services: Services, namespace: string | null = null): string[] {
  const { graph, incumbents, candidates } = stage(services, namespace);
  const lists = changedServices(graph, compose(incumbents, candidates));
  return [...lists].flatMap(([name, list]) =>
    list.map(({ criticality, path, message }) => `${name} ${criticality} ${path}: ${message}`),
  );
}

const user = (fields: string) => `type User { id: ID! ${fields} }`;

const TABLE: [what: string, services: Services, expected: string[]][] = [
  [
    "a root field is gone",
    { a: ["type Query { x: Int y: Int }", "type Query { x: Int }"] },
    ["a BREAKING Query.y: Field 'y' was removed from object type 'Query'"],
  ],
  [
    "a field has another type, another one is new: the worst comes first",
    { a: ["type Query { x: Int }", "type Query { new: Int x: String }"] },
    [
      "a BREAKING Query.x: Field 'Query.x' changed type from 'Int' to 'String'",
      "a NON_BREAKING Query.new: Field 'new' was added to object type 'Query'",
    ],
  ],
  [
    "an argument is required",
    { a: ["type Query { x: Int }", "type Query { x(of: Int!): Int }"] },
    ["a BREAKING Query.x.of: Argument 'of: Int!' added to field 'Query.x'"],
  ],
  [
    "a value of an enum is gone, another one is new",
    {
      a: ["type Query { x: E } enum E { A B }", "type Query { x: E } enum E { A C }"],
    },
    [
      "a BREAKING E.B: Enum value 'B' was removed from enum 'E'",
      "a DANGEROUS E.C: Enum value 'C' was added to enum 'E'",
    ],
  ],
  [
    "an input wants more",
    {
      a: [
        "type Query { x(i: I): Int } input I { a: Int }",
        "type Query { x(i: I): Int } input I { a: Int b: Int! }",
      ],
    },
    ["a BREAKING I.b: Input field 'b' of type 'Int!' was added to input object type 'I'"],
  ],
  [
    "the last mutation is gone with its type",
    { a: ["type Query { x: Int } type Mutation { m: Int }", "type Query { x: Int }"], b: same("b") },
    ["a BREAKING Mutation: Type 'Mutation' was removed"],
  ],
  [
    "the first mutation breaks nobody",
    { a: ["type Query { x: Int }", "type Query { x: Int } type Mutation { m: Int }"], b: same("b") },
    [
      "a NON_BREAKING Mutation: Type 'Mutation' was added",
      "a NON_BREAKING Mutation.m: Field 'm' was added to object type 'Mutation'",
    ],
  ],
  [
    "a deprecation is told, though it breaks nobody",
    { a: ["type Query { x: Int }", 'type Query { x: Int @deprecated(reason: "old") }'] },
    ["a NON_BREAKING Query.x.@deprecated: Field 'Query.x' is deprecated"],
  ],
  [
    "directives and the order are none of the clients' business",
    {
      a: ["directive @d on FIELD_DEFINITION type Query { x: Int @d y: Int }", "type Query { y: Int x: Int }"],
    },
    [],
  ],
  [
    "a field that goes to another service is not lost",
    {
      a: ["type Query { x: Int y: Int }", "type Query { x: Int }"],
      b: ["type Query { b: Int }", "type Query { b: Int y: Int }"],
    },
    [],
  ],
  [
    "who gave up a field is to blame for what another service makes of it",
    {
      a: ["type Query { x: Int y: Int }", "type Query { x: Int }"],
      b: [undefined, "type Query { y: String }"],
    },
    ["a BREAKING Query.y: Field 'Query.y' changed type from 'Int' to 'String'"],
  ],
  [
    "a type that another service still has is not lost",
    { a: [`type Query { a: User } ${user("")}`, "type Query { a: Int }"], b: same("b: User", user("")) },
    ["a BREAKING Query.a: Field 'Query.a' changed type from 'User' to 'Int'"],
  ],
  [
    "services that change a type in step are to blame together",
    {
      a: [`type Query { a: User } ${user("old: Int")}`, `type Query { a: User } ${user("")}`],
      b: [`type Query { b: User } ${user("old: Int")}`, `type Query { b: User } ${user("")}`],
      c: ["type Query { c: Int }", "type Query { c: Int d: Int }"],
    },
    [
      "a BREAKING User.old: Field 'old' was removed from object type 'User'",
      "b BREAKING User.old: Field 'old' was removed from object type 'User'",
      "c NON_BREAKING Query.d: Field 'd' was added to object type 'Query'",
    ],
  ],
  [
    "a service is gone, and its fields with it",
    { a: ["type Query { x: User } type User { id: ID }", undefined], b: same("b") },
    [
      "a BREAKING User: Type 'User' was removed",
      "a BREAKING Query.x: Field 'x' was removed from object type 'Query'",
    ],
  ],
  ["a service that is new changes nobody's", { a: same("a"), b: [undefined, "type Query { b: Int }"] }, []],
];

function same(fields: string, types = ""): [string, string] {
  const sdl = `type Query { ${fields.includes(":") ? fields : `${fields}: Int`} } ${types}`;
  return [sdl, sdl];
}

describe("what clients see", () => {
  test.each(TABLE)("%s", (_what, services, expected) => {
    expect(changes(services).sort()).toEqual([...expected].sort());
  });

  test("names are those that the graph shows", () => {
    const services: Services = {
      a: ["type Query { x: T } type T { a: Int b: Int }", "type Query { x: T } type T { a: Int }"],
    };
    expect(changes(services, "Thief")).toEqual([
      "a BREAKING Thief_T.b: Field 'b' was removed from object type 'Thief_T'",
    ]);
  });

  test("the worst come first, and a list has a bound for its length and for each text", () => {
    const long = "x".repeat(5_000);
    const many = Array.from({ length: 150 }, (_, i) => `f${i}: Int`).join(" ");
    const { graph, incumbents, candidates } = stage({
      a: [`type Query { x: Int ${long}: Int ${many} }`, "type Query { x: Int new: Int }"],
    });
    const list = changedServices(graph, compose(incumbents, candidates)).get("a") ?? [];
    const { breaking, dangerous, list: shown, more } = summary(list, 100);
    expect({ breaking, dangerous, shown: shown.length, more }).toEqual({
      breaking: 151,
      dangerous: 0,
      shown: 100,
      more: 52,
    });
    expect(list.at(-1)?.criticality).toBe("NON_BREAKING");
    for (const { path, message } of shown)
      expect(Math.max(path?.length ?? 0, message.length)).toBeLessThan(301);
  });
});

describe("what breaks clients is held back", () => {
  const none = () => false;
  const safely = (services: Services, mayBreak: (candidate: Candidate) => boolean = none) => {
    const { graph, incumbents, candidates } = stage(services);
    const { schema, rejected, waiting } = atOnce(
      composeSafely(graph, incumbents, candidates, mayBreak),
    ).value;
    const codes = Object.fromEntries([...rejected].map(([name, { code }]) => [name, code]));
    return { fields: Object.keys(schema.getQueryType()?.getFields() ?? {}).sort(), codes, waiting };
  };

  test("alone: what others change is composed", () => {
    const { fields, codes } = safely({
      a: ["type Query { a: Int gone: Int }", "type Query { a: Int }"],
      b: ["type Query { b: Int }", "type Query { b: Int more: Int }"],
    });
    expect(fields).toEqual(["a", "b", "gone", "more"]);
    expect(codes).toEqual({ a: "BREAKING_CHANGE" });
  });

  test("with what it gave up, so that nobody else gets that", () => {
    const { fields, codes } = safely({
      a: ["type Query { a: Int x: Int }", "type Query { a: Int }"],
      b: [undefined, "type Query { b: Int x: String }"],
    });
    expect(fields).toEqual(["a", "x"]);
    expect(codes).toEqual({ a: "BREAKING_CHANGE", b: "ROOT_FIELD_TAKEN" });
  });

  test("not where another service brings at the same time what the one gives up", () => {
    const { fields, codes } = safely({
      a: ["type Query { a: Int x: Int }", "type Query { a: Int }"],
      b: ["type Query { b: Int }", "type Query { b: Int x: Int }"],
    });
    expect(fields).toEqual(["a", "b", "x"]);
    expect(codes).toEqual({});
  });

  test("in step, where two change a type in step: the one is refused until the other is accepted too", () => {
    const services: Services = {
      a: [`type Query { a: User } ${user("old: Int")}`, `type Query { a: User } ${user("")}`],
      b: [`type Query { b: User } ${user("old: Int")}`, `type Query { b: User } ${user("")}`],
    };
    expect(safely(services).codes).toEqual({ a: "BREAKING_CHANGE", b: "BREAKING_CHANGE" });
    expect(safely(services, ({ latest }) => latest.name === "a").codes).toEqual({
      a: "TYPE_CONFLICT",
      b: "BREAKING_CHANGE",
    });
    expect(safely(services, () => true).codes).toEqual({});
  });

  test("never because a service is gone", () => {
    const { fields, waiting } = safely({
      a: ["type Query { a: Int }", undefined],
      b: ["type Query { b: Int }", "type Query { b: Int more: Int }"],
    });
    expect(fields).toEqual(["b", "more"]);
    expect([...waiting]).toEqual([]);
  });
});
