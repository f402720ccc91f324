/** A service tells errors of values that it gives all the same: they arrive at their path with the service's name. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FieldNode, type OperationDefinitionNode, parse } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { ask, becomes, register } from "./graph.ts";

let app: TestApp;
const services: Record<string, TestService> = {};

const typeDefs = `
  type Query { one: Thing  many: [Thing]  text: String  id: ID }
  type Thing { name: String  inner: Thing }
`;

beforeAll(async () => {
  app = await startApp();
  const gateway: Record<string, object> = { spaced: { namespace: "Spaced" } };
  for (const name of ["partial", "spaced"]) {
    services[name] = await startService({
      typeDefs: name === "spaced" ? "type Query { note: String }" : typeDefs,
    });
    const metadata = { endpoints: { graphql: "/graphql" }, gateway: gateway[name] ?? {} };
    await register(app, name, services[name] as TestService, { metadata });
    await becomes(app, name, { composition: "COMPOSED" });
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
});

interface Told {
  message: string;
  path?: (string | number)[];
}

/** The service answers its root fields with these values, under whatever names they are asked for. */
function says(service: string, values: Record<string, unknown>, told: Told[]): void {
  services[service]?.answerWith(async (request) => {
    const [operation] = parse(JSON.parse(await request.text()).query)
      .definitions as OperationDefinitionNode[];
    const nodes = (operation?.selectionSet.selections ?? []) as FieldNode[];
    const keyOf = (field: unknown) => {
      const node = nodes.find(({ name }) => name.value === field);
      return (node?.alias ?? node?.name)?.value ?? "";
    };
    const data = Object.fromEntries(
      nodes.map((node) => [(node.alias ?? node.name).value, values[node.name.value]]),
    );
    const errors = told.map(({ path: [root, ...rest] = [], ...error }) =>
      root === undefined ? error : { ...error, path: [keyOf(root), ...rest] },
    );
    return Response.json({ data, errors });
  });
}

async function toldOf(query: string) {
  const { data, errors = [] } = await ask(app, query);
  return {
    data,
    errors: errors.map(({ message, path, extensions }) => [message, path?.join("."), extensions?.service]),
  };
}

test("an error beside a value of a root field, an object's field or a list's item is told at its path", async () => {
  const many = [{ name: "a" }, { name: "b" }];
  says("partial", { one: { name: "x", inner: { name: "y" } }, many, text: "t" }, [
    { message: "1", path: ["text"] },
    { message: "2", path: ["one"] },
    { message: "3", path: ["one", "inner", "name"] },
    { message: "4", path: ["many", 1, "name"] },
    { message: "5", path: ["many", 0] },
  ]);
  const { data, errors } = await toldOf("{ alias: one { name inner { name } } many { name } text }");
  expect(data).toEqual({ alias: { name: "x", inner: { name: "y" } }, many, text: "t" });
  expect(errors.sort()).toEqual([
    ["1", "text", "partial"],
    ["2", "alias", "partial"],
    ["3", "alias.inner.name", "partial"],
    ["4", "many.1.name", "partial"],
    ["5", "many.0", "partial"],
  ]);
});

test("so it is where other services are asked in the same request, and beside nulls with errors of their own", async () => {
  says("partial", { one: { name: null, inner: null }, text: "t" }, [
    { message: "gone", path: ["one", "name"] },
    { message: "old", path: ["text"] },
  ]);
  says("spaced", { note: "n" }, [{ message: "stale", path: ["note"] }]);
  const { data, errors } = await toldOf("{ one { name inner { name } } text Spaced_note }");
  expect(data).toEqual({ one: { name: null, inner: null }, text: "t", Spaced_note: "n" });
  expect(errors.sort()).toEqual([
    ["gone", "one.name", "partial"],
    ["old", "text", "partial"],
    ["stale", "Spaced_note", "spaced"],
  ]);
});

test("an error that names no place is told once, whether there is a null or not", async () => {
  says("partial", { one: { name: "x" }, text: "t" }, [{ message: "slow" }]);
  expect((await toldOf("{ one { name } text }")).errors).toEqual([["slow", "one", "partial"]]);
  says("partial", { one: { name: null }, text: "t" }, [{ message: "slow" }]);
  expect((await toldOf("{ one { name } text }")).errors).toMatchObject([
    ["slow", expect.any(String), "partial"],
  ]);
});

test("a request hears nothing of another's errors, and of very many a hundred", async () => {
  const errors = Array.from({ length: 300 }, (_, i) => ({ message: `${i}`, path: ["text"] }));
  says("partial", { text: "t" }, errors);
  expect((await toldOf("{ text }")).errors).toHaveLength(100);
  says("partial", { text: "t" }, []);
  expect(await toldOf("{ text }")).toEqual({ data: { text: "t" }, errors: [] });
});
