/** The rules of composition as text in, text out: which schemas become one graph, and why one is left out. */
import { describe, expect, test } from "bun:test";
import { printSchema } from "graphql";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";

const noExecutor = () => ({});

function subgraph(name: string, sdl: string, namespace: string | null = null): Subgraph {
  return buildSubgraph({ name, sdl, namespace }, noExecutor);
}

const newcomer = (latest: Subgraph): Candidate => ({ latest, previous: undefined });

/** What comes of it: the SDL, who is in it with which of its schemas, and the reasons by service. */
function composed(incumbents: Subgraph[], candidates: Candidate[]) {
  const { schema, subgraphs, rejected } = compose(incumbents, candidates);
  return { sdl: printSchema(schema), subgraphs, rejected: Object.fromEntries(rejected) };
}

const composedNew = (...subgraphs: Subgraph[]) => composed([], subgraphs.map(newcomer));

describe("root fields", () => {
  test("the fields of all services stand in one Query", () => {
    const { sdl } = composedNew(
      subgraph("a", "type Query { a: Int }"),
      subgraph("b", "type Query { b(n: Int = 3): [ID!]! }"),
    );
    expect(sdl).toBe("type Query {\n  a: Int\n  b(n: Int = 3): [ID!]!\n}");
  });

  test("a root field belongs to the service that came first; the later one is left out with both names", () => {
    const { sdl, rejected } = composedNew(
      subgraph("a", "type Query { hello: Int }"),
      subgraph("b", "type Query { hello: String, other: Int }"),
      subgraph("c", "type Query { c: Int }"),
    );
    expect(sdl).toBe("type Query {\n  hello: Int\n  c: Int\n}");
    expect(rejected).toEqual({
      b: {
        code: "ROOT_FIELD_TAKEN",
        message: expect.stringMatching(/Query\.hello of b belongs to a\b/),
      },
    });
  });

  test("the same root field with the same type has one owner too", () => {
    const same = "type Query { hello: Int }";
    const { rejected } = composedNew(subgraph("a", same), subgraph("b", same));
    expect(rejected.b?.code).toBe("ROOT_FIELD_TAKEN");
  });

  test("a mutation and a query of one name are two fields", () => {
    const { sdl, rejected } = composedNew(
      subgraph("a", "type Query { order: Int }"),
      subgraph("b", "type Query { b: Int } type Mutation { order: Int }"),
    );
    expect(rejected).toEqual({});
    expect(sdl).toContain("type Mutation {\n  order: Int\n}");
  });
});

describe("types of one name", () => {
  test("identical ones merge; order and descriptions do not matter", () => {
    const { sdl, rejected } = composedNew(
      subgraph(
        "a",
        `type Query { a(by: By): U } enum By { X Y } type U { id: ID! name(short: Boolean, n: Int): String }`,
      ),
      subgraph(
        "b",
        `type Query { b(by: By): U } enum By { Y X } "A user" type U { name(n: Int, short: Boolean): String "its id" id: ID! }`,
      ),
    );
    expect(rejected).toEqual({});
    expect(sdl.match(/type U \{/g)).toHaveLength(1);
    expect(sdl.match(/enum By \{/g)).toHaveLength(1);
  });

  test("scalars merge by their name", () => {
    const { sdl, rejected } = composedNew(
      subgraph("a", `type Query { a: Time } scalar Time @specifiedBy(url: "https://a.example")`),
      subgraph("b", `type Query { b: Time } "Seconds" scalar Time`),
    );
    expect(rejected).toEqual({});
    expect(sdl.match(/scalar Time/g)).toHaveLength(1);
  });

  const differences: [kind: string, first: string, second: string][] = [
    ["a field's type", "type T { x: Int }", "type T { x: Int! }"],
    ["a field more", "type T { x: Int }", "type T { x: Int, y: Int }"],
    ["an argument's default", "type T { x(n: Int = 1): Int }", "type T { x(n: Int = 2): Int }"],
    [
      "an interface",
      "interface I { x: Int } type T { x: Int }",
      "interface I { x: Int } type T implements I { x: Int }",
    ],
    ["an enum's value", "enum T { A }", "enum T { A B }"],
    [
      "a union's member",
      "union T = M type M { m: Int } type N { n: Int }",
      "union T = M | N type M { m: Int } type N { n: Int }",
    ],
    ["the kind", "scalar T", "type T { x: Int }"],
  ];
  for (const [kind, first, second] of differences) {
    test(`different ones (${kind}) leave the later service out, with both names and the type's`, () => {
      const { sdl, rejected } = composedNew(
        subgraph("a", `type Query { a: T } ${first}`),
        subgraph("b", `type Query { b: T } ${second}`),
      );
      expect(sdl).not.toContain("b: T");
      expect(rejected.b).toEqual({
        code: "TYPE_CONFLICT",
        message: expect.stringMatching(/The type T of b differs from the one of a\b/),
      });
    });
  }

  test("input types differ by a field's default and by @oneOf", () => {
    const first = subgraph("a", "type Query { a(i: I): Int } input I { x: Int, y: Int }");
    for (const other of ["input I { x: Int = 1, y: Int }", "input I @oneOf { x: Int, y: Int }"]) {
      const { rejected } = composedNew(first, subgraph("b", `type Query { b(i: I): Int } ${other}`));
      expect(rejected.b?.code).toBe("TYPE_CONFLICT");
    }
  });
});

describe("what federation and stitching add", () => {
  test("_sdl, _service, _entities and their types neither appear nor collide", () => {
    const sdl = (own: string) => `
      type Query { ${own}: Int, _sdl: String!, _service: _Service!, _entities(representations: [_Any!]!): [_Entity]! }
      type _Service { sdl: String }
      scalar _Any
      union _Entity = ${own === "a" ? "A" : "B"}
      type ${own === "a" ? "A" : "B"} { id: ID! }`;
    const { sdl: graph, rejected } = composedNew(subgraph("a", sdl("a")), subgraph("b", sdl("b")));
    expect(rejected).toEqual({});
    expect(graph).not.toMatch(/_sdl|_service|_entities|_Any|_Entity|_Service/);
    expect(graph).toContain("a: Int\n  b: Int");
  });
});

describe("namespaces", () => {
  const shop =
    "type Query { items(where: Where): [Item] } type Item { id: ID! again: Item } input Where { id: ID }";

  test("turn Type into Thief_Type and root fields into Thief_field", () => {
    const { sdl } = composedNew(subgraph("shop", shop, "Thief"));
    expect(sdl).toContain("Thief_items(where: Thief_Where): [Thief_Item]");
    expect(sdl).toContain("type Thief_Item {\n  id: ID!\n  again: Thief_Item\n}");
    expect(sdl).not.toMatch(/[^_]\b(Item|Where|items)\b/);
  });

  test("let two services with the same names live side by side", () => {
    const other = "type Query { items: [Item] } type Item { sku: String }";
    const { rejected } = composedNew(subgraph("a", shop), subgraph("b", other, "Thief"));
    expect(rejected).toEqual({});
  });

  test("rename a type whose new name another of the service's types has", () => {
    const { sdl } = composedNew(
      subgraph(
        "a",
        "type Query { a: Item b: Thief_Item } type Item { x: Int } type Thief_Item { y: Int }",
        "Thief",
      ),
    );
    expect(sdl).toContain("Thief_a: Thief_Item\n  Thief_b: Thief_Thief_Item");
    expect(sdl).toContain("type Thief_Item {\n  x: Int\n}");
  });

  test("keep the root types' names, where a type leads back to Query too", () => {
    const { sdl } = composedNew(subgraph("a", "type Query { me: Me } type Me { query: Query }", "Thief"));
    expect(sdl).toContain("type Query {\n  Thief_me: Thief_Me\n}");
    expect(sdl).toContain("query: Query");
  });
});

describe("root types of other names", () => {
  test("schema { query: RootQuery } is merged into Query, and references to it lead there", () => {
    const { sdl, rejected } = composedNew(
      subgraph("a", "type Query { a: Int }"),
      subgraph("b", "schema { query: RootQuery } type RootQuery { b: B } type B { root: RootQuery }"),
    );
    expect(rejected).toEqual({});
    expect(sdl).toContain("type Query {\n  a: Int\n  b: B\n}");
    expect(sdl).toContain("type B {\n  root: Query\n}");
    expect(sdl).not.toContain("RootQuery");
  });

  test("another type named Query is refused, because the graph's root type has that name", () => {
    const { sdl, rejected } = composedNew(
      subgraph("a", "type Query { a: Int }"),
      subgraph("b", "schema { query: Root } type Root { b: Query } type Query { text: String }"),
    );
    expect(rejected.b).toEqual({
      code: "TYPE_CONFLICT",
      message: expect.stringContaining("b has another type"),
    });
    expect(sdl).toBe("type Query {\n  a: Int\n}");
  });
});
