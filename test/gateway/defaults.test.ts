/** Defaults of arguments and input fields, whatever their types: shown as the service has them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { get } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask, becomes, register } from "./graph.ts";

let app: TestApp;
let service: TestService;
let sent = "";

const LARGE = "12345678901234567890";
const OBJECT = `{a: 1, b: [1.10, "x", {c: true, d: null}], big: ${LARGE}}`;
const ARGUMENTS = `json: JSON = ${OBJECT}, big: BigInt = ${LARGE}, money: Money = {amount: 1.50, extra: {note: "n"}}, list: [BigInt!] = [1.0, 2], color: Color = RED, n: Int = 3, id: ID = "a"`;

/** A service whose introspection says of its defaults what is written here. */
function introspected(): unknown {
  const input = (name: string, type: object, defaultValue: string | null) => ({ name, type, defaultValue });
  const named = (kind: string, name: string) => ({ kind, name });
  const list = { kind: "LIST", ofType: { kind: "NON_NULL", ofType: named("SCALAR", "BigInt") } };
  const args = [
    input("json", named("SCALAR", "JSON"), OBJECT),
    input("big", named("SCALAR", "BigInt"), LARGE),
    input("money", named("INPUT_OBJECT", "Money"), "{amount: 1.50}"),
    input("list", list, "[1.0, 2]"),
    input("color", named("ENUM", "Color"), "RED"),
    input("n", named("SCALAR", "Int"), "3"),
    input("id", named("SCALAR", "ID"), '"a"'),
  ];
  const field = { name: "echo", args, type: named("SCALAR", "JSON"), isDeprecated: false };
  const scalar = (name: string) => ({ ...named("SCALAR", name) });
  const types = [
    { ...named("OBJECT", "Query"), fields: [field], interfaces: [] },
    ...["JSON", "BigInt", "Int", "ID", "String", "Boolean"].map(scalar),
    { ...named("ENUM", "Color"), enumValues: [{ name: "RED", isDeprecated: false }] },
    {
      ...named("INPUT_OBJECT", "Money"),
      inputFields: [
        input("amount", named("SCALAR", "BigInt"), LARGE),
        input("extra", named("SCALAR", "JSON"), '{note: "n"}'),
      ],
    },
  ];
  return { data: { __schema: { queryType: { name: "Query" }, types, directives: [] } } };
}

beforeAll(async () => {
  app = await startApp();
  service = await startService({ typeDefs: "type Query { unused: Int }" });
  service.answerWith(async (request) => {
    const text = request.method === "POST" ? await request.text() : "";
    if (text.includes("__schema")) return Response.json(introspected());
    if (!text) return new Response("ok");
    sent = text;
    const [, key] = /(\w*echo)(?:\(| \}|\}|\\n)/.exec(text) ?? [];
    return new Response(`{"data":{"${key}":1}}`);
  });
  await register(app, "defaults", service);
  await becomes(app, "defaults", { composition: "COMPOSED" });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

test("the graph's SDL has them digit by digit", async () => {
  const { body } = await get(`${app.urls.gateway}/gateway/schema`);
  for (const argument of ARGUMENTS.split(/, (?=\w+: [A-Z[])/)) expect(body).toContain(argument);
  expect(body).toContain(`amount: BigInt = ${LARGE}`);
  expect(body).toContain('extra: JSON = {note: "n"}');
});

test("introspection tells them", async () => {
  const { data, errors } = await ask(app, getIntrospectionQuery());
  expect(errors).toBeUndefined();
  const { types } = data.__schema;
  const query = types.find(({ name }: { name: string }) => name === "Query");
  const echo = query.fields.find(({ name }: { name: string }) => name === "echo");
  const texts = Object.fromEntries(
    echo.args.map(({ name, defaultValue }: Record<string, string>) => [name, defaultValue]),
  );
  expect(texts).toMatchObject({ json: OBJECT, big: LARGE, list: "[1.0, 2]", color: "RED", n: "3" });
  expect(texts.money).toContain("amount: 1.50");
  expect(buildClientSchema(data).getQueryType()?.getFields().echo).toBeDefined();
});

test("a field with them is asked without them where the client gives none", async () => {
  expect((await ask(app, "{ echo }")).data).toEqual({ echo: 1 });
  expect(sent).not.toContain("12345678901234567000");
  expect((await ask(app, "{ echo(money: {}) }")).data).toEqual({ echo: 1 });
  expect(sent).not.toContain("12345678901234567000");
});

test("a plugin may have an object for a default", async () => {
  await Bun.write(
    `${app.folder}/plugins/defaults.ts`,
    `import { definePlugin } from "bobbin";
     export default definePlugin({
       name: "objects", version: "1.0.0",
       typeDefs: "scalar Any type Query { seen(value: Any = { a: [1, true], b: { c: null } }): String }",
       resolvers: { Query: { seen: (_, { value }) => JSON.stringify(value) } },
     });`,
  );
  expect(await answered(app, "{ seen }")).toEqual({ seen: '{"a":[1,true],"b":{"c":null}}' });
  const { body } = await get(`${app.urls.gateway}/gateway/schema`);
  expect(body).toContain("seen(value: Any = {a: [1, true], b: {c: null}}): String");
});
