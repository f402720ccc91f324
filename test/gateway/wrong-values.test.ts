/** Values that a service's own schema does not allow: each becomes null with an error that names the service. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FieldNode, type OperationDefinitionNode, parse } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { ask, becomes, register, unregister } from "./graph.ts";

let app: TestApp;
const services: Record<string, TestService> = {};

const typeDefs = `
  enum Color { RED BLUE }
  scalar JSON
  type Query {
    int: Int  float: Float  text: String  yes: Boolean  id: ID  color: Color  colors: [Color!]  ints: [Int]
    json: JSON  one: Thing  many: [Thing]  sure: Sure  named: Named
    either: [Either]
  }
  union Either = Thing
  interface Named { name: String }
  type Thing implements Named { name: String  color: Color  n: Int }
  type Sure { n: Int! }
`;

beforeAll(async () => {
  app = await startApp();
  services.odd = await startService({ typeDefs });
  services.sound = await startService({
    typeDefs: "type Query { sound: String }",
    resolvers: { Query: { sound: () => "ok" } },
  });
  for (const name of ["odd", "sound"]) {
    await register(app, name, services[name] as TestService);
    await becomes(app, name, { composition: "COMPOSED" });
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
});

/** The service answers its root fields with these texts, under whatever names they are asked for. */
function says(fields: Record<string, string>): void {
  services.odd?.answerWith(async (request) => {
    const [operation] = parse(JSON.parse(await request.text()).query)
      .definitions as OperationDefinitionNode[];
    const selections = (operation?.selectionSet.selections ?? []) as FieldNode[];
    const members = selections.map(({ alias, name }) => `"${(alias ?? name).value}":${fields[name.value]}`);
    return new Response(`{"data":{${members}}}`);
  });
}

const wrong: [query: string, text: string, data: unknown, path: (string | number)[]][] = [
  ["int", '"abc"', null, ["int"]],
  ["int", "1.5", null, ["int"]],
  ["int", "3000000000", null, ["int"]],
  ["float", '"1"', null, ["float"]],
  ["float", "1e400", null, ["float"]],
  ["text", "5", null, ["text"]],
  ["text", "{}", null, ["text"]],
  ["yes", '"true"', null, ["yes"]],
  ["id", "true", null, ["id"]],
  ["color", '"GREEN"', null, ["color"]],
  ["color", "0", null, ["color"]],
  ["colors", '["RED","GREEN"]', null, ["colors", 1]],
  ["ints", '[1,"x",3]', [1, null, 3], ["ints", 1]],
  ["ints", "1", null, ["ints"]],
  ["one { n }", '[{"n":1}]', null, ["one"]],
  ["many { n }", '{"n":1}', null, ["many"]],
  ["many { n color }", '[{"n":1,"color":"X"}]', [{ n: 1, color: null }], ["many", 0, "color"]],
  [
    "named { name ... on Thing { n } }",
    '{"__typename":"Thing","n":"1"}',
    { name: null, n: null },
    ["named", "n"],
  ],
  ["named { name }", '{"__typename":"Nope","name":"a"}', null, ["named"]],
  ["named { name }", '{"__typename":"Sure","name":"a"}', null, ["named"]],
  ["named { name }", '{"__typename":5,"name":"a"}', null, ["named"]],
  [
    "either { ... on Thing { n } }",
    '[{"__typename":"Nope"},{"__typename":"Thing","n":1}]',
    [null, { n: 1 }],
    ["either", 0],
  ],
  ["sure { n }", '{"n":"x"}', null, ["sure", "n"]],
  ["sure { n }", '{"n":null}', null, ["sure", "n"]],
  ["sure { n }", "{}", null, ["sure", "n"]],
];
for (const [query, text, value, path] of wrong) {
  test(`${text} for ${query} is told at its path, and the rest is delivered`, async () => {
    const [field = ""] = query.split(" ");
    says({ [field]: text });
    const { data, errors } = await ask(app, `{ ${query} sound }`);
    expect(data).toEqual({ [field]: value, sound: "ok" });
    const extensions = { code: "INVALID_SERVICE_RESPONSE", service: "odd" };
    expect(errors?.map(({ path, extensions }) => ({ path, extensions }))).toEqual([{ path, extensions }]);
  });
}

test("a federated service's object of a type that is none there is told at its path too", async () => {
  await using service = await startService(
    federated({
      sdl: `${V2} type Query { shapes: [Shape] pick: Pick } interface Shape { area: Int }
        type Disc implements Shape { area: Int r: Int } type Word { text: String } union Pick = Disc`,
    }),
  );
  await register(app, "shapes", service);
  await becomes(app, "shapes", { composition: "COMPOSED" });
  const shapes = [
    { __typename: "Nope", area: 1 },
    { __typename: "Disc", area: 2 },
  ];
  service.answerWith(() => Response.json({ data: { shapes, pick: { __typename: "Word" } } }));
  const { data, errors } = await ask(app, "{ shapes { area } pick { ... on Disc { r } } }");
  expect(data).toEqual({ shapes: [null, { area: 2 }], pick: null });
  const extensions = { code: "INVALID_SERVICE_RESPONSE", service: "shapes" };
  expect(errors).toMatchObject([
    {
      path: ["shapes", 0],
      message: "shapes answered an object of type Nope where its schema has Shape.",
      extensions,
    },
    {
      path: ["pick"],
      message: "shapes answered an object of type Word where its schema has Pick.",
      extensions,
    },
  ]);
  await unregister(app, "shapes");
});

test("what its schema allows arrives without an error", async () => {
  const values = {
    int: "2.0",
    float: "1",
    text: '"5"',
    yes: "false",
    id: "7",
    color: '"RED"',
    colors: "null",
    ints: "[]",
    json: '[{"a":"b"}]',
    many: '[null,{"n":null}]',
  };
  says(values);
  const { data, errors } = await ask(app, "{ int float text yes id color colors ints json many { n } }");
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    ...{ int: 2, float: 1, text: "5", yes: false, id: "7", color: "RED", colors: null, ints: [] },
    ...{ json: [{ a: "b" }], many: [null, { n: null }] },
  });
});

test("a null that the service gives a reason for has that reason alone", async () => {
  services.odd?.answerWith(async (request) => {
    const [, key] = /(\w*sure)/.exec(JSON.parse(await request.text()).query) ?? [];
    const errors = [{ message: "no", path: [key, "n"] }];
    return Response.json({ data: { [key as string]: { n: null } }, errors });
  });
  const { data, errors } = await ask(app, "{ sure { n } }");
  expect(data).toEqual({ sure: null });
  expect(errors).toMatchObject([{ message: "no", path: ["sure", "n"], extensions: { service: "odd" } }]);
});

test("of a list that is wrong throughout, a hundred errors are told", async () => {
  says({ ints: JSON.stringify(Array.from({ length: 1_000 }, () => "x")) });
  const { data, errors } = await ask(app, "{ ints }");
  expect(data.ints).toEqual(Array.from({ length: 1_000 }, () => null));
  expect(errors).toHaveLength(100);
});
