/** Answers that are no answers to what was asked: each costs its own fields, with a code at their path. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FieldNode, type OperationDefinitionNode, parse } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { ask, becomes, register } from "./graph.ts";

let app: TestApp;
let odd: TestService;
let sound: TestService;

beforeAll(async () => {
  app = await startApp();
  odd = await startService({
    typeDefs: `scalar JSON
      type Query { one: Thing  many: [Thing]  grid: [[Thing!]!]  sure: Sure  n: Int  json: JSON }
      type Thing { n: Int  t: String  list: [Int!] }
      type Sure { n: Int! }`,
  });
  sound = await startService({
    typeDefs: "type Query { sound: String }",
    resolvers: { Query: { sound: () => "ok" } },
  });
  for (const [name, service] of Object.entries({ odd, sound })) {
    await register(app, name, service);
    await becomes(app, name, { composition: "COMPOSED" });
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await odd[Symbol.asyncDispose]();
  await sound[Symbol.asyncDispose]();
});

/** The service answers with this text, in which $field is the name that a root field was asked for by. */
function says(text: string): void {
  odd.answerWith(async (request) => {
    const [operation] = parse(JSON.parse(await request.text()).query)
      .definitions as OperationDefinitionNode[];
    const fields = (operation?.selectionSet.selections ?? []) as FieldNode[];
    const names = new Map(fields.map(({ alias, name }) => [name.value, (alias ?? name).value]));
    return new Response(text.replace(/\$(\w+)/g, (_, field) => JSON.stringify(names.get(field))));
  });
}

/** Path and code of each error. */
async function asked(query: string) {
  const { data, errors = [] } = await ask(app, query);
  return { data, errors: errors.map(({ path, extensions }) => [path?.join("."), extensions?.code]) };
}

const INVALID = "INVALID_SERVICE_RESPONSE";
const wrong: [what: string, query: string, text: string, data: object, path: string][] = [
  ["an object for a list", "many { n }", '{"data":{$many:{"n":1}}}', { many: null }, "many"],
  ["a list for a list of lists", "grid { n }", '{"data":{$grid:[{"n":1}]}}', { grid: null }, "grid.0"],
  [
    "a null in a list of lists",
    "grid { n }",
    '{"data":{$grid:[[{"n":1},null]]}}',
    { grid: null },
    "grid.0.1",
  ],
  ["a number for a list", "one { list }", '{"data":{$one:{"list":5}}}', { one: { list: null } }, "one.list"],
  ["nothing where something must be", "sure { n }", '{"data":{$sure:{}}}', { sure: null }, "sure.n"],
  ["null without a reason", "n", '{"data":null}', { n: null }, "n"],
  ["errors that are a text", "n", '{"data":{$n:1},"errors":"bad"}', { n: null }, "n"],
  ["errors that are an object", "n", '{"data":{$n:1},"errors":{"message":"bad"}}', { n: null }, "n"],
  ["errors without a message", "n", '{"data":{$n:1},"errors":[{"path":["n"]}]}', { n: null }, "n"],
  [
    "JSON without end",
    "json",
    `{"data":{$json:${"[".repeat(50_000)}1${"]".repeat(50_000)}}}`,
    { json: null },
    "json",
  ],
];
for (const [what, query, text, data, path] of wrong) {
  test(`${what} becomes ${INVALID} at its path, and the rest is delivered`, async () => {
    says(text);
    expect(await asked(`{ ${query} sound }`)).toEqual({
      data: { ...data, sound: "ok" },
      errors: [[path, INVALID]],
    });
  });
}

test("what was not asked for is not delivered, and what is missing is null", async () => {
  says('{"data":{$one:{"n":1,"more":{"a":1},"__proto__":{"t":"x"}}},"more":1}');
  expect(await asked("{ one { n t } sound }")).toEqual({
    data: { one: { n: 1, t: null }, sound: "ok" },
    errors: [],
  });
});

const paths = [
  '{"a":1}',
  "null",
  "1.5",
  '"__proto__","n"',
  '"constructor","name"',
  '"__proto__","__proto__"',
];
for (const path of paths) {
  test(`an error whose path goes on with ${path} is told at a field's own path`, async () => {
    says(`{"data":{$one:{"n":null},$n:1},"errors":[{"message":"odd","path":[$one,${path}]}]}`);
    const { data, errors } = await ask(app, "{ one { n } n sound }");
    expect(data).toEqual({ one: { n: null }, n: 1, sound: "ok" });
    expect(errors).toMatchObject([{ message: "odd", path: ["one", "n"], extensions: { service: "odd" } }]);
    expect({}.constructor.name).toBe("Object");
  });
}

test("errors of one call for several fields stay at their own, under aliases and in lists of lists", async () => {
  const why = { code: "OUT", deep: { list: [1, { a: null }], of: "it" } };
  says(`{"data":{$grid:[[{"n":1,"t":"a"},{"n":null,"t":"b"}],[]],$many:[null,{"n":2}],$n:null},"errors":[
    {"message":"m","path":[$many,0],"extensions":${JSON.stringify(why)}},
    {"message":"g","path":[$grid,0,1,"n"]}]}`);
  const { data, errors } = await ask(app, "{ a: grid { n t } b: many { n } n sound }");
  expect(data).toEqual({
    a: [
      [
        { n: 1, t: "a" },
        { n: null, t: "b" },
      ],
      [],
    ],
    b: [null, { n: 2 }],
    n: null,
    sound: "ok",
  });
  const told = errors?.map(({ message, path, extensions }) => ({ message, path, extensions }));
  expect(told).toHaveLength(2);
  expect(told).toContainEqual({ message: "m", path: ["b", 0], extensions: { ...why, service: "odd" } });
  expect(told).toContainEqual({ message: "g", path: ["a", 0, 1, "n"], extensions: { service: "odd" } });
});

test("fragments that spread each other twice, without end, are refused before any service hears of them", async () => {
  const chain = Array.from({ length: 40 }, (_, i) => {
    return `fragment F${i} on Thing { ${i < 39 ? `...F${i + 1} ...F${i + 1}` : "n"} }`;
  });
  const { data, errors } = await ask(app, `{ one { ...F0 } sound } ${chain.join(" ")}`);
  expect(data).toBeUndefined();
  expect(errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
});
