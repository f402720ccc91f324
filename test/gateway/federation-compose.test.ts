/** Federated services as text in, text out: what composes, beside what, and what its owner is told where it does not. */
import { describe, expect, test } from "bun:test";
import { lexicographicSortSchema, printSchema } from "graphql";
import { type Candidate, compose } from "../../src/gateway/compose/compose.ts";
import { buildSubgraph, type Subgraph } from "../../src/gateway/subgraph/subgraph.ts";
import { V2 } from "../support/federated.ts";

const noExecutor = () => ({});

/** A federated service of version 1; `federated` is one of version 2. */
function version1(name: string, sdl: string): Subgraph {
  return buildSubgraph({ name, sdl, namespace: null, isFederated: true }, noExecutor);
}

const federated = (name: string, sdl: string) => version1(name, `${V2} ${sdl}`);

const plain = (name: string, sdl: string) => buildSubgraph({ name, sdl, namespace: null }, noExecutor);

/** Always there, as the core is. */
const other = plain("other", "type Query { other: Int }");

const inOneLine = (type: string) =>
  type
    .replace(" {\n  ", " { ")
    .replace("\n}", " }")
    .replaceAll("\n  ", ", ")
    .replace(/, other: Int|other: Int, /, "");

/** What the graph has besides `other`, in few words, who is in it, and the reasons by service. */
function composed(incumbents: Subgraph[], candidates: (Subgraph | Candidate)[]) {
  const { schema, subgraphs, rejected } = compose(
    [other, ...incumbents],
    candidates.map((each) => ("latest" in each ? each : { latest: each, previous: undefined })),
  );
  return {
    types: printSchema(lexicographicSortSchema(schema)).split("\n\n").map(inOneLine),
    subgraphs: new Set(subgraphs.filter((subgraph) => subgraph !== other)),
    reasons: Object.fromEntries([...rejected].map(([name, { code, message }]) => [name, [code, message]])),
  };
}

const composedNew = (...subgraphs: Subgraph[]) => composed([], subgraphs);

/** What is thrown where the SDL alone is wrong. */
function refusal(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

const products = federated(
  "products",
  `type Query { products: [Product] } type Product @key(fields: "id") { id: ID! name: String }`,
);
const reviews = federated(
  "reviews",
  `type Query { reviews: [Review] } type Review { body: String product: Product }
   type Product @key(fields: "id") { id: ID! reviews: [Review] }`,
);

const failed = (message: string | RegExp) => [
  "COMPOSITION_FAILED",
  typeof message === "string"
    ? `The federated services do not compose: ${message}`
    : expect.stringMatching(message),
];

describe("federated services among themselves", () => {
  test("an entity has the fields of all services, and nothing of the federation's own is in the graph", () => {
    const { types, reasons } = composedNew(products, reviews);
    expect(reasons).toEqual({});
    expect(types).toEqual([
      "type Product { id: ID!, name: String, reviews: [Review] }",
      "type Query { products: [Product], reviews: [Review] }",
      "type Review { body: String, product: Product }",
    ]);
  });

  test("what a service says of _service, _entities and their types never appears", () => {
    const whole = version1(
      "whole",
      `directive @key(fields: _FieldSet!) repeatable on OBJECT | INTERFACE
       scalar _FieldSet scalar _Any union _Entity = Thing type _Service { sdl: String }
       type Query { thing: Thing _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
       type Thing @key(fields: "id") { id: ID! }`,
    );
    expect(composedNew(whole)).toMatchObject({
      types: ["type Query { thing: Thing }", "type Thing { id: ID! }"],
      reasons: {},
    });
  });

  test("a field of two services that is not @shareable leaves the later out, which is told what to do", () => {
    const names = federated(
      "names",
      `type Query { n: Int } type Product @key(fields: "id") { id: ID! name: String }`,
    );
    const { reasons, subgraphs } = composedNew(products, names, reviews);
    expect(subgraphs).toEqual(new Set([products, reviews]));
    expect(reasons).toEqual({
      names: failed(
        /"Product\.name".*"names" and "products".*mark it @shareable in each of them, or take it over with @override\(from:\)\.$/,
      ),
    });
  });

  test("a root field is like any other field: shared where both say so", () => {
    const sdl = "type Query { now: Int @shareable }";
    expect(composedNew(federated("a", sdl), federated("b", sdl)).reasons).toEqual({});
    const alone = federated("b", "type Query { now: Int }");
    expect(composedNew(federated("a", sdl), alone).reasons).toEqual({ b: failed(/"Query\.now".*"b"/) });
  });

  test("@override takes a field over from another service", () => {
    const sdl = `type Query { n: Int }
      type Product @key(fields: "id") { id: ID! name: String @override(from: "products") }`;
    const { types, reasons } = composedNew(products, federated("names", sdl));
    expect(reasons).toEqual({});
    expect(types).toContain("type Product { id: ID!, name: String }");
  });

  test("@override of one field from one service by two others leaves the later one out, and says who has it", () => {
    const taking = (name: string) =>
      federated(
        name,
        `type Query { ${name}: Int }
         type Product @key(fields: "id") { id: ID! name: String @override(from: "products") }`,
      );
    const [first, second] = [taking("first"), taking("second")];
    const { subgraphs, reasons } = composedNew(products, first, second);
    expect(subgraphs).toEqual(new Set([products, first]));
    expect(reasons).toEqual({
      second: failed(
        'Field "Product.name" is taken over from "products" with @override by "first" and by "second": leave it to one of them.',
      ),
    });
  });

  test("@inaccessible types, fields, arguments, input fields and enum values are not in the graph", () => {
    const { types, reasons } = composedNew(
      federated(
        "a",
        `type Query { a(i: I, hidden: Int @inaccessible): A e: E secret: Secret @inaccessible }
         type A { x: Int y: Secret @inaccessible }
         type Secret @inaccessible { z: Int }
         input I { p: Int q: Int @inaccessible }
         enum E { ONE TWO @inaccessible }`,
      ),
    );
    expect(reasons).toEqual({});
    expect(types).toEqual([
      "type A { x: Int }",
      "enum E { ONE }",
      "input I { p: Int }",
      "type Query { a(i: I): A, e: E }",
    ]);
  });

  test("a type that is @inaccessible, though a field that is not leads to it, is refused with both", () => {
    const sdl = "type Query { h: H n: Int } type H @inaccessible { z: Int }";
    expect(composedNew(products, federated("a", sdl)).reasons).toEqual({
      a: failed(`Type "H" is @inaccessible but is referenced by "Query.h", which is in the API schema (a).`),
    });
  });

  test("@interfaceObject adds fields to all implementations of another service's interface", () => {
    const media = federated(
      "media",
      `type Query { media: [Media] } interface Media @key(fields: "id") { id: ID! }
       type Book implements Media @key(fields: "id") { id: ID! pages: Int }
       type Film implements Media @key(fields: "id") { id: ID! }`,
    );
    const stars = federated(
      "stars",
      `type Query { s: Int } type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }`,
    );
    const { types, reasons } = composedNew(media, stars);
    expect(reasons).toEqual({});
    expect(types).toContain("interface Media { id: ID!, stars: Int }");
    expect(types).toContain("type Book implements Media { id: ID!, pages: Int, stars: Int }");
    expect(composedNew(products, stars).reasons).toEqual({
      stars: failed(/"Media" is declared with @interfaceObject.*\(stars\)\.$/),
    });
  });

  test("enums and inputs that are asked for have what all services know; an answered enum has all values", () => {
    const { types, reasons } = composedNew(
      federated(
        "a",
        "type Query { a(e: In, i: I): Out } enum In { A B } enum Out { A B } input I { x: Int y: Int }",
      ),
      federated(
        "b",
        "type Query { b(e: In, i: I): Out } enum In { B C } enum Out { B C } input I { x: Int z: Int }",
      ),
    );
    expect(reasons).toEqual({});
    expect(types.slice(0, 3)).toEqual(["input I { x: Int }", "enum In { B }", "enum Out { A, B, C }"]);
  });

  test("enums that have nothing in common are refused, with the services that define them", () => {
    const { reasons } = composedNew(
      federated("a", "type Query { a(e: E): Int } enum E { A }"),
      federated("b", "type Query { b(e: E): Int } enum E { B }"),
      federated("c", "type Query { c: Int }"),
    );
    expect(reasons).toEqual({ b: failed(/enum type "E".*\(a, b\)\.$/) });
  });

  const differences: [what: string, first: string, second: string, told: RegExp][] = [
    [
      "a field's type",
      "type T @shareable { x: Int }",
      "type T @shareable { x: String }",
      /"T\.x".*"Int".*"a".*"String".*"b"/,
    ],
    ["a kind", "type T { x: Int }", "scalar T", /"T" has mismatched kind.*"a".*"b"/],
    [
      "an input field that one requires and the other has not",
      "type T { x(i: I): Int } input I { a: Int! b: Int }",
      "type T { y(i: I): Int } input I { b: Int }",
      /"I\.a" is required.*"a".*"b"/,
    ],
    [
      "a field that nobody can be asked for",
      "type T @shareable { x: Int }",
      "type T @shareable { x: Int y: Int }",
      /query: \{ a \{ y \} \} cannot be satisfied.*"a".*"b"/,
    ],
  ];
  for (const [what, first, second, told] of differences) {
    test(`${what} is told in one line, with the services' names`, () => {
      const a = federated("a", `type Query { a: T } ${first}`);
      const { reasons } = composedNew(a, federated("b", `type Query { b: T } ${second}`));
      expect(reasons).toEqual({ b: failed(told) });
      expect(reasons.b?.[1]).not.toContain("\n");
    });
  }
});

describe("versions 1 and 2", () => {
  const weights = version1(
    "weights",
    `extend type Query { heavy: Product } extend type Product @key(fields: "id") { id: ID! @external weight: Int }`,
  );

  test("compose with each other", () => {
    const { types, reasons } = composedNew(products, weights);
    expect(reasons).toEqual({});
    expect(types).toContain("type Product { id: ID!, name: String, weight: Int }");
  });

  test("a type that is extended before its owner is there is refused alone, and composed when the owner comes", () => {
    const unrelated = federated("unrelated", "type Query { u: Int }");
    const early = composedNew(unrelated, weights);
    expect(early.subgraphs).toEqual(new Set([unrelated]));
    expect(early.reasons).toEqual({
      weights: failed(
        `[weights] Type "Product" is an extension type, but there is no type definition for "Product" in any subgraph: it is composed once a service that defines the type is there.`,
      ),
    });
    const later = composed([unrelated], [weights, products]);
    expect(later.reasons).toEqual({});
    expect(later.types).toContain("type Product { id: ID!, name: String, weight: Int }");
  });

  test("without its owner the extension is refused again, and its owner's leaving hurts nobody else", () => {
    const { types, reasons } = composed([weights, reviews], []);
    expect(types).toContain("type Query { heavy: Product, reviews: [Review] }");
    expect(reasons).toEqual({});
    const alone = composed([weights], []);
    expect(alone.types).toEqual(["type Query { other: Int }"]);
    expect(alone.reasons).toEqual({ weights: failed(/"Product" is an extension type/) });
  });
});

describe("an SDL that breaks the rules by itself is refused as SCHEMA_INVALID", () => {
  const wrong: [what: string, sdl: string, told: RegExp][] = [
    [
      "a @key of a field that is not there",
      `type Query { p: P } type P @key(fields: "nope") { id: ID! }`,
      /"P", for @key\(fields: "nope"\)/,
    ],
    [
      "a @requires of a field that is not there",
      `type Query { p: P } type P @key(fields: "id") { id: ID! s: Int @requires(fields: "w") }`,
      /"P\.s", for @requires\(fields: "w"\).*@external/,
    ],
    [
      "a @provides of a field that is not there",
      `type Query { p: P @provides(fields: "w") } type P @key(fields: "id") { id: ID! }`,
      /"Query\.p", for @provides\(fields: "w"\)/,
    ],
    [
      "@external for nothing",
      `type Query { p: P } type P @key(fields: "id") { id: ID! w: Int @external }`,
      /"P\.w" is marked @external but is not used/,
    ],
    [
      "@override of its own field",
      `type Query { p: Int @override(from: "bad") }`,
      /"bad" are the same for overridden field "Query\.p"/,
    ],
    ["a type that is not there", "type Query { p: Nope }", /Unknown type Nope/],
    ["a syntax error", "type Query {", /Syntax Error/],
    [
      "a directive that was not imported",
      'type Query { p: Int @tag(name: "x") }',
      /Unknown directive "@tag"/,
    ],
  ];
  for (const [what, sdl, told] of wrong) {
    test(what, () => {
      expect(refusal(() => federated("bad", sdl))).toMatch(told);
    });
  }

  test("a version that does not exist, and one without a query", () => {
    const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v9.9") type Query { a: Int }`;
    expect(refusal(() => version1("bad", link))).toContain("Invalid version v9.9");
    expect(composedNew(federated("none", 'type T @key(fields: "id") { id: ID! }')).reasons).toEqual({
      none: failed(/No queries found/),
    });
  });

  test("arguments that a gateway would have to fill in", () => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@context", "@fromContext"])
      type Query { t: T } type T @key(fields: "id") @context(name: "c") { id: ID! cur: String u: U }
      type U @key(fields: "id") { id: ID! f(c: String @fromContext(field: "$c { cur }")): Int }`;
    expect(refusal(() => version1("contextual", sdl))).toContain("@fromContext is not supported");
  });

  for (const [directive, imported] of [
    ["@authenticated", '"@authenticated"'],
    ["@rule(policies: [])", '{ name: "@policy", as: "@rule" }'],
  ]) {
    test(`${directive}, which would have to be enforced here`, () => {
      const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: [${imported}])
        type Query { secret: Int ${directive} }`;
      expect(refusal(() => version1("guarded", sdl))).toContain("the field would be open to everybody");
    });
  }

  const settings = { hide: ["Query.a"], rename: { "Query.a": "b" }, namespace: "N" };
  for (const [setting, value] of Object.entries(settings)) {
    test(`with ${setting}, which a federated service cannot have`, () => {
      const source = { name: "f", sdl: "type Query { a: Int }", namespace: null, isFederated: true };
      const build = () => buildSubgraph({ ...source, [setting]: value }, noExecutor);
      expect(refusal(build)).toStartWith(
        `metadata.gateway of f has ${setting}: a federated service takes no`,
      );
    });
  }
});

describe("plain services beside federated ones", () => {
  test("a root field belongs to who came first, be it the one or the other", () => {
    const same = plain("same", "type Query { products: Int s: Int }");
    expect(composedNew(products, same, reviews).reasons).toEqual({
      same: [
        "ROOT_FIELD_TAKEN",
        "Query.products of same belongs to products, which registered it first: rename it (root fields by metadata.gateway.rename), or give same a namespace (metadata.gateway.namespace).",
      ],
    });
    const later = composedNew(same, products, reviews);
    expect(later.subgraphs).toEqual(new Set([same, reviews]));
    expect(later.reasons).toEqual({
      products: [
        "ROOT_FIELD_TAKEN",
        "Query.products of products belongs to same, which registered it first: rename it.",
      ],
    });
  });

  const value = federated("fed", "type Query { f: T } type T { x: Int }");

  test("an identical type is one type", () => {
    const { types, reasons } = composedNew(value, plain("p", "type Query { p: T } type T { x: Int }"));
    expect(reasons).toEqual({});
    expect(types).toEqual(["type Query { f: T, p: T }", "type T { x: Int }"]);
  });

  test("a different type leaves the later service out, which is told what it can do", () => {
    const different = plain("p", "type Query { p: T } type T { x: Int y: Int }");
    expect(composedNew(value, different).reasons).toEqual({
      p: [
        "TYPE_CONFLICT",
        expect.stringMatching(/type T of p differs from the one of fed:.*give p a namespace/),
      ],
    });
    const { reasons, subgraphs } = composedNew(different, value, products);
    expect(subgraphs).toEqual(new Set([different, products]));
    expect(reasons).toEqual({
      fed: [
        "TYPE_CONFLICT",
        expect.stringMatching(/type T of fed differs from the one of p:.*, or rename it\.$/),
      ],
    });
  });

  test("what is @inaccessible in a federated service is in nobody's way", () => {
    const secret = federated(
      "secret",
      "type Query { s: Int p: Int @inaccessible } type T @inaccessible { x: Int } type U { a: Int b: Int @inaccessible }",
    );
    const open = plain("open", "type Query { p: T u: U } type T { y: Int } type U { a: Int }");
    const { types, reasons } = composedNew(secret, open);
    expect(reasons).toEqual({});
    expect(types).toEqual(["type Query { p: T, s: Int, u: U }", "type T { y: Int }", "type U { a: Int }"]);
  });

  const stock = plain(
    "stock",
    `type Query { productsById(ids: [ID!]!): [Product]! @merge(keyField: "id") }
     type Product @key(selectionSet: "{ id }") { id: ID! stock: Int }`,
  );

  for (const [order, services] of [
    ["after", [products, reviews, stock]],
    ["before", [stock, products, reviews]],
  ] as const) {
    test(`one that declares how an entity is fetched (@key, @merge) extends it, registered ${order} them`, () => {
      const { types, reasons } = composedNew(...services);
      expect(reasons).toEqual({});
      expect(types).toContain("type Product { id: ID!, name: String, reviews: [Review], stock: Int }");
      expect(types).toContain(
        "type Query { products: [Product], productsById(ids: [ID!]!): [Product]!, reviews: [Review] }",
      );
    });
  }

  test("a field of the entity that one federated service hides is in no plain service's way", () => {
    const owner = (name: string, directive: string) =>
      federated(
        name,
        `type Query { ${name}: [Product] }
         type Product @key(fields: "id") { id: ID! name: String @shareable ${directive} }`,
      );
    const { types, reasons } = composedNew(owner("a", "@inaccessible"), owner("b", ""), stock);
    expect(reasons).toEqual({});
    expect(types).toContain("type Product { id: ID!, stock: Int }");
  });

  test("one that returns an entity without declaring anything has its fields beside the entity's", () => {
    const lists = plain("lists", "type Query { listed: [Product] } type Product { id: ID! rank: Int }");
    const { types, reasons } = composedNew(products, lists);
    expect(reasons).toEqual({});
    expect(types).toContain("type Product { id: ID!, name: String, rank: Int }");
  });

  test("a field of an entity has the same type in both, or the later service is left out", () => {
    const numbers = plain("numbers", "type Query { n: Product } type Product { id: ID! name: Int }");
    expect(composedNew(products, numbers).reasons).toEqual({
      numbers: [
        "TYPE_CONFLICT",
        expect.stringMatching(
          /^Product\.name: Int of numbers differs from Product\.name: String of products/,
        ),
      ],
    });
  });
});

describe("changes", () => {
  test("a schema that does not compose any more leaves the service with the one before", () => {
    const broken = federated(
      "products",
      `type Query { products: [Product] } type Product @key(fields: "sku") { sku: ID! name: String }`,
    );
    const { subgraphs, reasons } = composed([reviews], [{ latest: broken, previous: products }]);
    expect(subgraphs).toEqual(new Set([reviews, products]));
    expect(reasons).toEqual({ products: failed(/cannot be satisfied.*"reviews"/) });
  });

  test("services that change a shared type in step get through together", () => {
    const shared = (name: string, fields: string) =>
      federated(name, `type Query { ${name}: V } type V @shareable { ${fields} }`);
    const [a, b] = [shared("a", "x: Int y: Int"), shared("b", "x: Int y: Int")];
    const { types, reasons } = composed(
      [],
      [
        { latest: a, previous: shared("a", "x: Int") },
        { latest: b, previous: shared("b", "x: Int") },
      ],
    );
    expect(reasons).toEqual({});
    expect(types).toContain("type V { x: Int, y: Int }");
  });

  test("a newcomer that does not fit leaves those in the graph as they are", () => {
    const taker = federated(
      "taker",
      `type Query { t: Int } type Product @key(fields: "id") { id: ID! name: Int }`,
    );
    const { subgraphs, reasons } = composed([products, reviews], [taker]);
    expect(subgraphs).toEqual(new Set([products, reviews]));
    expect(Object.keys(reasons)).toEqual(["taker"]);
  });

  test("a service that leaves takes along its own fields only", () => {
    const { types, reasons } = composed([reviews], []);
    expect(reasons).toEqual({});
    expect(types).toContain("type Product { id: ID!, reviews: [Review] }");
  });
});

test("names that differ in punctuation only are services of their own", () => {
  const names = ["a-b", "a.b", "a_b", "1"];
  const { reasons, types } = composedNew(
    ...names.map((name, i) => federated(name, `type Query { f${i}: Int }`)),
  );
  expect(reasons).toEqual({});
  expect(types).toEqual(["type Query { f0: Int, f1: Int, f2: Int, f3: Int }"]);
});

describe("who is in the graph stays in it", () => {
  /** Needs what items1 has: alone it does not compose. */
  const items1 = federated(
    "items1",
    `type Query { items: [Item] } type Item @key(fields: "upc") { upc: ID! title: String weight: Int }`,
  );
  const items2 = federated(
    "items2",
    `type Item @key(fields: "upc") { upc: ID! price: Int weight: Int @external shipping: Int @requires(fields: "weight") }
     type Query { cheapest: Item }`,
  );

  test("a newcomer that takes what an incumbent has is left out, not the incumbent", () => {
    const intruder = federated(
      "intruder",
      `type Item @key(fields: "upc") { upc: ID! price: Int } type Query { i: Int }`,
    );
    for (const order of [
      [items1, items2],
      [items2, items1],
    ]) {
      const { subgraphs, reasons } = composed(order, [intruder]);
      expect(subgraphs).toEqual(new Set(order));
      expect(reasons).toEqual({ intruder: failed(/Item\.price/) });
    }
  });

  test("a change without which a neighbour does not compose any more is held back", () => {
    const without = federated(
      "items1",
      `type Query { items: [Item] } type Item @key(fields: "upc") { upc: ID! title: String }`,
    );
    const taking = federated(
      "items1",
      `type Query { items: [Item] } type Item @key(fields: "upc") { upc: ID! title: String weight: Int price: Int }`,
    );
    const asPlain = plain(
      "items1",
      "type Query { items: [Item] } type Item { upc: ID! title: String weight: Int }",
    );
    for (const latest of [without, taking, asPlain]) {
      const { subgraphs, reasons } = composed([items2], [{ latest, previous: items1 }]);
      expect(subgraphs).toEqual(new Set([items2, items1]));
      expect(Object.keys(reasons)).toEqual(["items1"]);
    }
  });

  test("a change that fits gets in beside one that does not, and beside newcomers that need each other", () => {
    const more = federated(
      "items1",
      `type Query { items: [Item] more: Int } type Item @key(fields: "upc") { upc: ID! title: String weight: Int }`,
    );
    const broken = federated(
      "broken",
      `type Item @key(fields: "upc") { upc: ID! title: String } type Query { b: Int }`,
    );
    const extension = version1(
      "extension",
      `extend type Box @key(fields: "id") { id: ID! @external w: Int } type Query { e: Int }`,
    );
    const box = version1("box", `type Box @key(fields: "id") { id: ID! } type Query { box: Box }`);
    const { subgraphs, reasons } = composed(
      [items2],
      [extension, { latest: more, previous: items1 }, broken, box],
    );
    expect(subgraphs).toEqual(new Set([items2, more, extension, box]));
    expect(Object.keys(reasons)).toEqual(["broken"]);
  });
});
