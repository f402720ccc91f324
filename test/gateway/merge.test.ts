/** Types that services share by declaration, as text in, text out: what merges, what is refused and why. */
import { describe, expect, test } from "bun:test";
import { printSchema } from "graphql";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";

function subgraph(name: string, sdl: string, namespace: string | null = null): Subgraph {
  return buildSubgraph({ name, sdl, namespace }, () => ({}));
}

const newcomer = (latest: Subgraph): Candidate => ({ latest, previous: undefined });

/** The SDL, who is in it with which of its schemas, and the reasons by service. */
function composed(incumbents: Subgraph[], candidates: Candidate[]) {
  const { schema, subgraphs, rejected } = compose(incumbents, candidates);
  return { sdl: printSchema(schema), subgraphs: new Set(subgraphs), rejected: Object.fromEntries(rejected) };
}

const composedNew = (...subgraphs: Subgraph[]) => composed([], subgraphs.map(newcomer));

/** `Query` with one field that returns Product, so that services have root fields of their own. */
const owning = (name: string, fields: string) =>
  subgraph(name, `type Query { ${name}: Product } type Product { ${fields} }`);

/** The same with Product declared to be fetched by `key`. */
const declaring = (name: string, fields: string, key = "id") =>
  subgraph(
    name,
    `type Query { ${name}ById(ids: [ID!]!): [Product]! @merge(keyField: "${key}") }
     type Product @key(selectionSet: "{ ${key} }") { ${fields} }`,
  );

const DIRECTIVES = `
  directive @key(selectionSet: String!) on OBJECT
  directive @computed(selectionSet: String!) on FIELD_DEFINITION
  directive @merge(argsExpr: String, keyArg: String, keyField: String, key: [String!], additionalArgs: String) on FIELD_DEFINITION
  directive @canonical on OBJECT | INTERFACE | FIELD_DEFINITION`;

describe("a type that one service declares", () => {
  const catalog = owning("catalog", "id: ID! name: String");
  const stock = declaring("stock", "id: ID! inStock: Int");

  test("has the fields of both, whichever registered first; the field that serves it is a root field", () => {
    for (const order of [
      [catalog, stock],
      [stock, catalog],
    ]) {
      const { sdl, rejected } = composedNew(...order);
      expect(rejected).toEqual({});
      expect(sdl).toMatch(
        /type Product \{\n {2}id: ID!\n {2}(name: String\n {2}inStock: Int|inStock: Int\n {2}name: String)\n\}/,
      );
      expect(sdl).toContain("stockById(ids: [ID!]!): [Product]!");
    }
  });

  test("may be declared with the definitions of the directives, which the graph does not show", () => {
    const defining = subgraph("stock", `${DIRECTIVES} ${stock.sdl}`);
    const { sdl, rejected } = composedNew(catalog, defining);
    expect(rejected).toEqual({});
    expect(sdl).toBe(composedNew(catalog, stock).sdl);
    expect(sdl).not.toMatch(/directive|@/);
  });

  test("may be shared by more than two: each is held against all others", () => {
    const prices = declaring("prices", "id: ID! price: Int");
    expect(composedNew(catalog, stock, prices).rejected).toEqual({});
    const plain = owning("plain", "id: ID! weight: Int");
    for (const order of [
      [catalog, stock, plain],
      [stock, catalog, plain],
    ]) {
      const { sdl, rejected } = composedNew(...order);
      expect(sdl).not.toContain("weight");
      expect(rejected.plain).toEqual({
        code: "TYPE_CONFLICT",
        message: expect.stringMatching(/The type Product of plain differs from the one of catalog\b/),
      });
    }
    const twin = owning("twin", "name: String id: ID!");
    expect(composedNew(catalog, stock, twin).rejected).toEqual({});
  });

  test("helps no two others that differ, even where one of them has what the declaring one has", () => {
    const twin = owning("twin", "id: ID! inStock: Int");
    expect(composedNew(stock, twin).rejected).toEqual({});
    expect(composedNew(stock, twin, catalog).rejected.catalog?.message).toMatch(
      /The type Product of catalog differs from the one of twin\b/,
    );
  });

  test("belongs to a service's graph alone until another one shares it", () => {
    const { sdl, rejected } = composedNew(stock);
    expect(rejected).toEqual({});
    expect(sdl).toContain("type Product {\n  id: ID!\n  inStock: Int\n}");
  });

  test("may be an interface, where the field that serves it returns the interface", () => {
    const { sdl, rejected } = composedNew(
      subgraph(
        "catalog",
        "type Query { all: [Item] } interface Item { id: ID! name: String } type Book implements Item { id: ID! name: String }",
      ),
      subgraph(
        "stock",
        `type Query { itemsById(ids: [ID!]!): [Item]! @merge(keyField: "id") }
         interface Item { id: ID! inStock: Int } type Book implements Item { id: ID! inStock: Int }`,
      ),
    );
    expect(rejected).toEqual({});
    expect(sdl).toContain("interface Item {\n  id: ID!\n  name: String\n  inStock: Int\n}");
  });
});

describe("a field that both have", () => {
  const catalog = owning("catalog", `"The id" id: ID! name(short: Boolean, n: Int = 1): String`);

  test("may differ in the order of arguments and in descriptions", () => {
    const stock = declaring("stock", "id: ID! name(n: Int = 1, short: Boolean): String inStock: Int");
    expect(composedNew(catalog, stock).rejected).toEqual({});
  });

  for (const [difference, field, shown] of [
    ["type", "name(short: Boolean, n: Int = 1): Int", "name(n: Int = 1, short: Boolean): Int"],
    ["nullability", "name(short: Boolean, n: Int = 1): String!", "name(n: Int = 1, short: Boolean): String!"],
    ["arguments", "name: String", "name: String"],
    [
      "an argument's default",
      "name(short: Boolean, n: Int = 2): String",
      "name(n: Int = 2, short: Boolean): String",
    ],
  ] as const) {
    test(`may not differ in ${difference}: the later is left out, with both services, type and field`, () => {
      const stock = declaring("stock", `id: ID! ${field} inStock: Int`);
      const first = "Product.name(n: Int = 1, short: Boolean): String";
      const { rejected, sdl } = composedNew(catalog, stock);
      expect(sdl).not.toContain("inStock");
      expect(rejected.stock).toEqual({
        code: "TYPE_CONFLICT",
        message: expect.stringContaining(`Product.${shown} of stock differs from ${first} of catalog:`),
      });
      expect(composedNew(stock, catalog).rejected.catalog).toEqual({
        code: "TYPE_CONFLICT",
        message: expect.stringContaining(`${first} of catalog differs from Product.${shown} of stock:`),
      });
    });
  }
});

describe("what no declaration covers stays as it is", () => {
  test("a key alone makes nothing mergeable: nobody could be asked by it", () => {
    const { rejected } = composedNew(
      owning("catalog", "id: ID! name: String"),
      subgraph(
        "stock",
        `type Query { s: Product } type Product @key(selectionSet: "{ id }") { id: ID! inStock: Int }`,
      ),
    );
    expect(rejected.stock).toEqual({
      code: "TYPE_CONFLICT",
      message: expect.stringMatching(/The type Product of stock differs from the one of catalog: .*@merge/),
    });
  });

  test("another type of the same services has to be identical", () => {
    const { rejected } = composedNew(
      subgraph("a", "type Query { a: Product size: Size } type Product { id: ID! a: Int } enum Size { S }"),
      subgraph(
        "b",
        `type Query { byId(ids: [ID!]!): [Product] @merge(keyField: "id") sizes: Size } type Product { id: ID! b: Int } enum Size { S L }`,
      ),
    );
    expect(rejected.b?.message).toMatch(/The type Size of b differs from the one of a\b/);
  });

  test("a type and an interface of one name do not merge", () => {
    const { rejected } = composedNew(
      subgraph(
        "a",
        "type Query { a: Product } interface Product { id: ID! } type Book implements Product { id: ID! }",
      ),
      declaring("b", "id: ID!"),
    );
    expect(rejected.b?.code).toBe("TYPE_CONFLICT");
  });

  test("the root field that serves a type has one owner", () => {
    const first = declaring("stock", "id: ID! a: Int");
    const second = subgraph("other", first.sdl.replace("a: Int", "b: Int"));
    expect(composedNew(first, second).rejected).toEqual({
      other: {
        code: "ROOT_FIELD_TAKEN",
        message: expect.stringMatching(/Query\.stockById of other belongs to stock\b/),
      },
    });
  });

  test("federation's @key(fields:) declares nothing, and is not shown", () => {
    const sdl = `directive @key(fields: String!) repeatable on OBJECT
      type Query { f: Product } type Product @key(fields: "id") @key(fields: "name") { id: ID! name: String }`;
    const { sdl: graph, rejected } = composedNew(
      subgraph("f", sdl),
      owning("catalog", "id: ID! name: String"),
    );
    expect(rejected).toEqual({});
    expect(graph).not.toContain("directive");
    expect(composedNew(subgraph("f", sdl), owning("catalog", "id: ID!")).rejected.catalog?.code).toBe(
      "TYPE_CONFLICT",
    );
  });

  test("an unknown directive is an error still", () => {
    expect(() => declaring("stock", "id: ID! a: Int @other")).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringContaining("@other") }),
    );
  });
});

test("@canonical decides whose description is shown; a second service that says so is left out", () => {
  const catalog = owning("catalog", `id: ID! "a name" name: String`);
  const canonical = (name: string) =>
    subgraph(
      name,
      `type Query { ${name}ById(ids: [ID!]!): [Product]! @merge(keyField: "id") }
       type Product { id: ID! "${name}'s name" name: String @canonical ${name}: Int }`,
    );
  for (const order of [
    [catalog, canonical("stock")],
    [canonical("stock"), catalog],
  ]) {
    expect(composedNew(...order).sdl).toContain(`"""stock's name"""`);
  }
  expect(composedNew(canonical("stock"), catalog, canonical("other")).rejected).toEqual({
    other: {
      code: "TYPE_CONFLICT",
      message: expect.stringMatching(/Product\.name is @canonical in other, but in stock too/),
    },
  });
});

test("@canonical on a root type says nothing: each root field has one owner", () => {
  const rooted = (name: string) => subgraph(name, `type Query @canonical { ${name}: Int @canonical }`);
  const { sdl, rejected } = composedNew(rooted("a"), rooted("b"));
  expect(rejected).toEqual({});
  expect(sdl).toBe("type Query {\n  a: Int\n  b: Int\n}");
});

describe("over time", () => {
  const catalog = owning("catalog", "id: ID! name: String");
  const stock = declaring("stock", "id: ID! inStock: Int");

  test("a changed declaration that fits takes the place of the old one", () => {
    const changed = declaring("stock", "id: ID! name: String inStock: Int", "name");
    const { subgraphs, rejected } = composed([catalog], [{ latest: changed, previous: stock }]);
    expect(rejected).toEqual({});
    expect(subgraphs).toEqual(new Set([catalog, changed]));
  });

  test("one that takes the declaration away is refused, and the old one stays", () => {
    const changed = owning("stock", "id: ID! inStock: Int");
    const { sdl, subgraphs, rejected } = composed([catalog], [{ latest: changed, previous: stock }]);
    expect(subgraphs).toEqual(new Set([catalog, stock]));
    expect(rejected.stock?.code).toBe("TYPE_CONFLICT");
    expect(sdl).toContain("inStock: Int");
  });

  test("a service that changes a field which another adds is refused, and the old one stays", () => {
    const changed = owning("catalog", "id: ID! name: String inStock: Boolean");
    const { subgraphs, rejected } = composed([stock], [{ latest: changed, previous: catalog }]);
    expect(subgraphs).toEqual(new Set([catalog, stock]));
    expect(rejected.catalog?.message).toMatch(
      /Product\.inStock: Boolean of catalog differs from Product\.inStock: Int of stock/,
    );
  });

  test("two services that change a shared field in step get through together", () => {
    const [a1, a2] = [owning("a", "id: ID! n: Int"), owning("a", "id: ID! n: Float")];
    const [b1, b2] = [declaring("b", "id: ID! n: Int b: Int"), declaring("b", "id: ID! n: Float b: Int")];
    const { subgraphs, rejected } = composed(
      [],
      [
        { latest: a2, previous: a1 },
        { latest: b2, previous: b1 },
      ],
    );
    expect(rejected).toEqual({});
    expect(subgraphs).toEqual(new Set([a2, b2]));
  });

  test("a service whose type was complete only by one that is gone is left out alone, and comes back with it", () => {
    const items = subgraph(
      "items",
      "type Query { all: [Item] } interface Item { id: ID! name: String } type Book implements Item { id: ID! name: String }",
    );
    const shoes = subgraph(
      "shoes",
      `type Query { itemsById(ids: [ID!]!): [Item]! @merge(keyField: "id") }
       interface Item { id: ID! } type Book implements Item { id: ID! pages: Int } type Shoe implements Item { id: ID! }`,
    );
    const names = subgraph("names", "type Query { n: Shoe } type Shoe { id: ID! name: String }");
    const other = subgraph("other", "type Query { other: Int }");
    const whole = composedNew(names, items, shoes, other);
    expect(whole.rejected).toEqual({});

    const without = composed([items, shoes, other], []);
    expect(without.subgraphs).toEqual(new Set([items, other]));
    expect(without.rejected.shoes).toEqual({
      code: "COMPOSITION_FAILED",
      message: expect.stringContaining("Shoe"),
    });

    const again = composed([items, other], [newcomer(names), newcomer(shoes)]);
    expect(again.rejected).toEqual({});
  });

  describe("a newcomer that cannot be stitched", () => {
    const items = (more = "") =>
      subgraph(
        "items",
        `type Query { all: [Item] ${more} } interface Item { id: ID! name: String }
         type Book implements Item { id: ID! name: String }`,
      );
    const shoes = subgraph("shoes", "type Query { shoe: Int }");
    const changed = subgraph(
      "shoes",
      `type Query { shoe: Int itemsById(ids: [ID!]!): [Item]! @merge(keyField: "id") }
       interface Item { id: ID! } type Shoe implements Item { id: ID! }`,
    );
    const fine = subgraph("fine", "type Query { fine: Int }");

    test("is left out alone, and keeps its previous schema", () => {
      const incumbent = items();
      const { subgraphs, rejected } = composed(
        [incumbent],
        [{ latest: changed, previous: shoes }, newcomer(fine)],
      );
      expect(subgraphs).toEqual(new Set([incumbent, shoes, fine]));
      expect(Object.keys(rejected)).toEqual(["shoes"]);
      expect(rejected.shoes?.code).toBe("COMPOSITION_FAILED");
    });

    test("takes nothing from a later service whose own change is refused", () => {
      const before = items();
      const { subgraphs, rejected } = composed(
        [fine],
        [
          { latest: changed, previous: shoes },
          { latest: items("fine: Int"), previous: before },
        ],
      );
      expect(subgraphs).toEqual(new Set([fine, shoes, before]));
      expect(rejected.shoes?.code).toBe("COMPOSITION_FAILED");
      expect(rejected.items?.code).toBe("ROOT_FIELD_TAKEN");
    });
  });
});

describe("with a namespace", () => {
  const stock = declaring("stock", "id: ID! inStock: Int");

  test("declarations hold under the names that the graph shows", () => {
    const inNamespace = subgraph("stock", stock.sdl, "Thief");
    const catalog = subgraph(
      "catalog",
      "type Query { all: [Product] } type Product { id: ID! name: String }",
      "Thief",
    );
    const { sdl, rejected } = composedNew(catalog, inNamespace);
    expect(rejected).toEqual({});
    expect(sdl).toContain("type Thief_Product {\n  id: ID!\n  name: String\n  inStock: Int\n}");
    expect(sdl).toContain("Thief_stockById(ids: [ID!]!): [Thief_Product]!");
    expect(sdl).not.toMatch(/directive|@/);
  });

  test("a type of another namespace, or of none, is another type", () => {
    const catalog = owning("catalog", "id: Int");
    const { sdl, rejected } = composedNew(catalog, subgraph("stock", stock.sdl, "Thief"));
    expect(rejected).toEqual({});
    expect(sdl).toContain("type Product {\n  id: Int\n}");
    expect(sdl).toContain("type Thief_Product {\n  id: ID!\n  inStock: Int\n}");
  });
});
