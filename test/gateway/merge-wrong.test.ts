/** Wrong declarations of merging: the schema is refused, alone, with a message that says what to do. */
import { expect, test } from "bun:test";
import { buildSubgraph } from "../../src/gateway/subgraph/subgraph.ts";

const build = (sdl: string) => buildSubgraph({ name: "stock", sdl, namespace: null }, () => ({}));

const BY_ID = `productsById(ids: [ID!]!): [Product]! @merge(keyField: "id")`;
const PRODUCT = `type Product @key(selectionSet: "{ id }") { id: ID! inStock: Int }`;
const KEY_INPUT = "input ProductKey { id: ID! price: Int }";
const SHIPPED = `type Product @key(selectionSet: "{ id }") { id: ID! shipping: Int @computed(selectionSet: "{ price }") }`;

const wrong: Record<string, [sdl: string, message: RegExp]> = {
  "a keyField that the type has not": [
    `type Query { byId(ids: [ID!]!): [Product]! @merge(keyField: "idd") } ${PRODUCT}`,
    /@merge of Query\.byId: keyField "idd": Cannot query field "idd" on type "Product"\. Did you mean "id"\?\. Name a field/,
  ],
  "a @key that is no selection": [
    `type Query { ${BY_ID} } type Product @key(selectionSet: "id") { id: ID! }`,
    /@key of Product: .*Expected "\{".*selectionSet: "\{ id \}"/,
  ],
  "a @key that is more than a selection": [
    `type Query { ${BY_ID} } type Product @key(selectionSet: "{ id } { id }") { id: ID! }`,
    /@key of Product: .*Name fields of Product/,
  ],
  "a @key of a field that the type has not": [
    `type Query { ${BY_ID} } type Product @key(selectionSet: "{ id sku }") { id: ID! }`,
    /@key of Product: Cannot query field "sku" on type "Product"/,
  ],
  "a @key on a root type": [
    `type Query @key(selectionSet: "{ a }") { a: Int }`,
    /@key of Query: it is a root type/,
  ],
  "a @key without its argument": [
    `type Query { ${BY_ID} } type Product @key { id: ID! }`,
    /"@key" argument "selectionSet"/,
  ],
  "an argument that @merge has not": [
    `type Query { byId(ids: [ID!]!): [Product]! @merge(keyfield: "id") } ${PRODUCT}`,
    /Unknown argument "keyfield" on directive "@merge"\. Did you mean "keyField"\?/,
  ],
  "a @computed without a key": [
    `type Query { ${BY_ID} }
     type Product { id: ID! shipping: Int @computed(selectionSet: "{ price }") }`,
    /@computed of Product\.shipping: Product has no key\. Give the type a @key/,
  ],
  "a @computed that is no selection": [
    `type Query { byKey(keys: [ProductKey!]!): [Product]! @merge } ${KEY_INPUT}
     ${SHIPPED.replace("{ price }", "{ price")}`,
    /@computed of Product\.shipping: .*selectionSet: "\{ price \}"/,
  ],
  "a @computed whose needs no @merge passes": [
    `type Query { ${BY_ID} } ${SHIPPED}`,
    /@computed of Product\.shipping: no @merge passes what it needs\. .*without keyField/,
  ],
  "a @merge without any key": [
    "type Query { byKey(keys: [ProductKey!]!): [Product]! @merge } input ProductKey { id: ID! } type Product { id: ID! }",
    /@merge of Query\.byKey: Product has no key\. Say keyField/,
  ],
  "a @merge that passes an object where an id is taken": [
    `type Query { byId(id: ID!): Product @merge(keyArg: "id") } ${PRODUCT}`,
    /@merge of Query\.byId: "id" takes ID, .*Say keyField/,
  ],
  "a @merge that passes an id where an object is taken": [
    `type Query { byKey(keys: [ProductKey!]!): [Product]! @merge(keyField: "id") } ${KEY_INPUT} ${PRODUCT}`,
    /@merge of Query\.byKey: "keys" takes ProductKey, but keyField passes id alone/,
  ],
  "a @merge outside Query": [
    `type Query { a: Int } type Mutation { byId(ids: [ID!]!): [Product]! @merge(keyField: "id") } ${PRODUCT}`,
    /@merge of Mutation\.byId: .*Move it there/,
  ],
  "a @merge that returns no object": [
    `type Query { byId(ids: [ID!]!): [Int]! @merge(keyField: "id") }`,
    /@merge of Query\.byId: it returns \[Int\]!\. Return an object/,
  ],
  "a @merge that returns a list of lists": [
    `type Query { byId(ids: [ID!]!): [[Product]] @merge(keyField: "id") } ${PRODUCT}`,
    /@merge of Query\.byId: it returns \[\[Product\]\]/,
  ],
  "a list of keys for one object": [
    `type Query { byId(ids: [ID!]!): Product @merge(keyField: "id") } ${PRODUCT}`,
    /@merge of Query\.byId: "ids" takes a list, so return a list/,
  ],
  "one key for a list of objects": [
    `type Query { byId(id: ID!): [Product] @merge(keyField: "id") } ${PRODUCT}`,
    /@merge of Query\.byId: it returns a list, so let "id" take a list of keys/,
  ],
  "no word on which argument takes the key": [
    `type Query { byId(ids: [ID!]!, first: Int): [Product]! @merge(keyField: "id") } ${PRODUCT}`,
    /@merge of Query\.byId: it has 2 arguments\. Say with keyArg/,
  ],
  "a keyArg that there is not": [
    `type Query { byId(ids: [ID!]!, first: Int): [Product]! @merge(keyField: "id", keyArg: "keys") } ${PRODUCT}`,
    /@merge of Query\.byId: there is no argument "keys"\. Name one of ids, first/,
  ],
  "another required argument": [
    `type Query { byId(ids: [ID!]!, shop: ID!): [Product]! @merge(keyField: "id", keyArg: "ids") } ${PRODUCT}`,
    /@merge of Query\.byId: the argument "shop" is required too/,
  ],
  "additionalArgs that cannot be read": [
    `type Query { byId(ids: [ID!]!, shop: ID!): [Product]! @merge(keyField: "id", keyArg: "ids", additionalArgs: "shop=1") } ${PRODUCT}`,
    /@merge of Query\.byId: additionalArgs: .*Write arguments as in/,
  ],
  "keyField beside key": [
    `type Query { byId(ids: [ProductKey!]!): [Product]! @merge(keyField: "id", key: ["id"]) } ${KEY_INPUT} ${PRODUCT}`,
    /@merge of Query\.byId: keyField and key exclude each other/,
  ],
  "argsExpr beside keyArg": [
    `type Query { byId(ids: [ID!]!): [Product]! @merge(argsExpr: "ids: [[$key.id]]", keyArg: "ids") } ${PRODUCT}`,
    /@merge of Query\.byId: argsExpr says all arguments/,
  ],
  "an argsExpr that cannot be read": [
    `type Query { byId(ids: [ID!]!): [Product]! @merge(argsExpr: "ids: [[$key.id]") } ${PRODUCT}`,
    /@merge of Query\.byId: argsExpr: each "\[\[" needs its "\]\]"/,
  ],
  "an argsExpr with an argument that the field has not": [
    `type Query { byId(ids: [ID!]!): [Product]! @merge(argsExpr: "id: [[$key.id]]") } ${PRODUCT}`,
    /@merge of Query\.byId: argsExpr: Unknown argument "id" on field "Query\.byId".*; byId takes \(ids: \[ID!\]!\)/,
  ],
  "a part of a key that is in no @key": [
    `type Query { byKey(keys: [ProductKey!]!): [Product]! @merge(key: ["id", "price"]) } ${KEY_INPUT} ${PRODUCT}`,
    /@merge of Query\.byKey: it passes "price", which is not in the @key of Product/,
  ],
};

for (const [what, [sdl, message]] of Object.entries(wrong)) {
  test(`${what} is refused`, () => {
    expect(() => build(sdl)).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringMatching(message) }),
    );
  });
}

const sound: Record<string, string> = {
  "a list by keyField": `type Query { ${BY_ID} } ${PRODUCT}`,
  "keyField without a @key": `type Query { ${BY_ID} } type Product { id: ID! inStock: Int }`,
  "a single object": `type Query { byId(id: ID!): Product @merge(keyField: "id") } ${PRODUCT}`,
  "the whole key in an input": `type Query { byKey(keys: [ProductKey!]!): [Product]! @merge } ${KEY_INPUT} ${SHIPPED}`,
  "the whole key in a scalar": `type Query { byKey(keys: [_Key!]!): [Product]! @merge } scalar _Key ${SHIPPED}`,
  "parts of the key": `type Query { byKey(keys: [ProductKey!]!): [Product]! @merge(key: ["id", "price"]) } ${KEY_INPUT} ${SHIPPED}`,
  "an argument inside an input": `type Query { search(where: Where): [Product]! @merge(keyField: "id", keyArg: "where.ids") } input Where { ids: [ID!]! } ${PRODUCT}`,
  "a further argument that is given": `type Query { byId(ids: [ID!]!, shop: ID!): [Product]! @merge(keyField: "id", keyArg: "ids", additionalArgs: "shop: 1") } ${PRODUCT}`,
  "all arguments at once": `type Query { byId(ids: [ID!]!, shop: ID!): [Product]! @merge(argsExpr: "ids: [[$key.id]], shop: 1") } ${PRODUCT}`,
  "several keys": `type Query { ${BY_ID} byNames(names: [String!]!): [Product]! @merge(keyField: "name") } type Product { id: ID! name: String! }`,
  "a union": `type Query { byIds(ids: [ID!]!): [Item]! @merge(keyField: "id") } union Item = Product | Book type Book { id: ID! } ${PRODUCT}`,
  "the words in a description only": `"Not @merge(d) by @key" type Query { a: Int }`,
};

for (const [what, sdl] of Object.entries(sound)) {
  test(`${what} is taken`, () => {
    expect(build(sdl).rootFields.length).toBeGreaterThan(0);
  });
}
