/** Numbers that a double would print otherwise pass through the gateway digit by digit, both ways. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FieldNode, type OperationDefinitionNode, parse } from "graphql";
import { compose } from "../../src/gateway/compose/compose.ts";
import { executeOperation } from "../../src/gateway/execute/operation.ts";
import { remoteExecutor } from "../../src/gateway/remote/remote-executor.ts";
import { Snapshot } from "../../src/gateway/snapshot.ts";
import { buildSubgraph } from "../../src/gateway/subgraph/subgraph.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, becomes, register } from "./graph.ts";

let app: TestApp;
const services: Record<string, TestService> = {};

const LARGE = "12345678901234567890";
const ODD = [LARGE, "1.10", "0.1000000000000000055511151231257827", "1e400", "-0", "1E2", "1.0", "-1.5e-7"];

/** Comes whenever it is due. */
const PROBE = "{__typename}";

/** What the service was sent besides, as text. */
let sent: string[] = [];

/** Lets the service answer its root fields with these texts, under whatever names they are asked for. */
function says(service: string, fields: Record<string, string>): void {
  services[service]?.answerWith(async (request) => {
    const body = await request.text();
    const { query } = JSON.parse(body);
    if (query !== PROBE) sent.push(body);
    const [operation] = parse(query).definitions as OperationDefinitionNode[];
    const selections = (operation?.selectionSet.selections ?? []) as FieldNode[];
    const members = selections.map(({ alias, name }) => `"${(alias ?? name).value}":${fields[name.value]}`);
    return new Response(`{"data":{${members}}}`);
  });
}

/** The gateway's answer as text. */
async function textOf(body: string | object): Promise<string> {
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return response.text();
}

const bank = `
  scalar BigInt  scalar JSON
  type Query {
    amount: BigInt  amounts: [BigInt!]  grid: [[BigInt]]  json: JSON  rate: Float  count: Int  id: ID  text: String
    account: Account  node: Node  any: [Any]
    echo(value: JSON, big: BigInt, list: [BigInt], input: Money, id: ID, float: Float): JSON
    deep: Deep
  }
  type Deep { echo(value: BigInt): JSON }
  interface Node { id: ID }
  union Any = Account | Note
  type Account implements Node { id: ID  balance: BigInt  note: Note }
  type Note implements Node { id: ID  weight: BigInt }
  input Money { amount: BigInt  inner: Money  list: [BigInt!]  float: Float }
`;
/** Another service with a scalar of that name. */
const shop = "scalar BigInt  type Query { price: BigInt  sold(since: BigInt): Int }";

beforeAll(async () => {
  app = await startApp();
  for (const [name, typeDefs] of Object.entries({ bank, shop })) {
    const service = await startService({ typeDefs });
    services[name] = service;
    await register(app, name, service);
    await becomes(app, name, { composition: "COMPOSED" });
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
});

test("a custom scalar's number arrives with the digits that the service wrote", async () => {
  for (const number of ODD) {
    says("bank", { amount: number });
    expect(await textOf({ query: "{ amount }" })).toBe(`{"data":{"amount":${number}}}`);
  }
});

test("so it does in lists, in lists of lists, under aliases and inside JSON of any form", async () => {
  const json = `{"a":[1.10,{"b":${LARGE},"__proto__":{"c":1e400},"d":"1.10 \\" 2.20","e\\\\":-0}],"f":1}`;
  const grid = `[[1.0,null],[${LARGE}]]`;
  says("bank", { amount: LARGE, amounts: "[1.10,2,-0]", grid, json });
  expect(await textOf({ query: "{ x: amount amounts grid json }" })).toBe(
    `{"data":{"x":${LARGE},"amounts":[1.10,2,-0],"grid":${grid},"json":${json}}}`,
  );
});

test("so it does below interfaces, unions and fragments", async () => {
  const account = `{"__typename":"Account","id":"1","balance":1.10,"note":{"weight":2.50}}`;
  const any = `[{"__typename":"Note","weight":-0},${account}]`;
  says("bank", { node: account, any });
  const query = `{
    node { __typename id ... on Account { balance ...Noted } }
    any { __typename ... on Note { weight } ... on Account { id balance ...Noted } }
  } fragment Noted on Account { note { weight } }`;
  expect(await textOf({ query })).toBe(`{"data":{"node":${account},"any":${any}}}`);
});

test("what GraphQL itself defines keeps its rules, and an ID keeps its digits", async () => {
  says("bank", { rate: "1.10", count: "2.0", id: LARGE, text: '"1.10"', amount: "1.10" });
  expect(await textOf({ query: "{ rate count id text amount }" })).toBe(
    `{"data":{"rate":1.1,"count":2,"id":"${LARGE}","text":"1.10","amount":1.10}}`,
  );
});

test("an error beside such a number stays where it is", async () => {
  const broken = '"errors":[{"message":"no","path":["node","note"]}]';
  const account = '{"__typename":"Account","balance":1.10,"note":null}';
  services.bank?.answerWith(() => new Response(`{"data":{"node":${account}},${broken}}`));
  const text = await textOf({ query: "{ node { ... on Account { balance note { id } } } }" });
  expect(text).toContain('"data":{"node":{"balance":1.10,"note":null}}');
  expect(JSON.parse(text).errors).toMatchObject([{ message: "no", path: ["node", "note"] }]);
});

const query =
  "query ($value: JSON, $big: BigInt, $list: [BigInt], $input: Money, $id: ID, $float: Float) { echo(value: $value, big: $big, list: $list, input: $input, id: $id, float: $float) }";
const variables = `{"value":{"a":[1.10,"1.10"],"b":-0},"big":${LARGE},"list":[1e400,null],"input":{"amount":1.0,"inner":{"list":[2.50]},"float":1.50},"id":${LARGE},"float":1.10}`;
const variablesSent = `{"value":{"a":[1.10,"1.10"],"b":-0},"big":${LARGE},"list":[1e400,null],"input":{"amount":1.0,"inner":{"list":[2.50]},"float":1.5},"id":"${LARGE}","float":1.1}`;

test("variables reach the service as the client wrote them, over POST and GET", async () => {
  sent = [];
  says("bank", { echo: "1" });
  const body = `{"query":${JSON.stringify(query)},"variables":${variables}}`;
  expect(await textOf(body)).toBe('{"data":{"echo":1}}');
  const url = `${app.urls.gateway}/graphql?query=${encodeURIComponent(query)}&variables=${encodeURIComponent(variables)}`;
  expect(await (await fetch(url)).text()).toBe('{"data":{"echo":1}}');
  expect(sent).toHaveLength(2);
  for (const text of sent) expect(text.replaceAll("_echo_", "")).toEndWith(`"variables":${variablesSent}}`);
});

test("literals reach the service as they are written, at the top and below, and several fields in one call", async () => {
  sent = [];
  says("bank", { echo: "1", deep: '{"echo":2}' });
  await textOf({ query: `{ echo(value: { a: [1.10, "x", BLUE, true, null] }, big: ${LARGE}) }` });
  await textOf({ query: `{ deep { echo(value: ${LARGE}) } }` });
  await textOf({
    query: `query ($n: BigInt) { echo(value: { a: [1.10, $n] }) deep { echo(value: $n) } }`,
    variables: { n: 7 },
  });
  // As variables on one road, as literals on the other.
  expect(sent[0]).toMatch(/[[]1\.10,\s*\\?"x\\?",\s*"?BLUE"?,\s*true,\s*null\]/);
  expect(sent[0]).toMatch(new RegExp(`big"?:\\s*${LARGE}`));
  expect(sent[1]).toContain(`echo(value: ${LARGE})`);
  expect(sent[2]).toMatch(/[[]1\.10,\s*(7|\$n)\]/);
});

test("keys of merged types keep their digits: numbers of a custom scalar, and IDs that are numbers", async () => {
  const serve = async (name: string, sdl: string, answer: (body: string) => string) => {
    const service = await startService({ typeDefs: "type Query { unused: Int }" });
    services[name] = service;
    service.answerWith(async (request) => {
      sent.push(await request.text());
      return new Response(`{"data":${answer(sent.at(-1) ?? "")}}`);
    });
    const execute = remoteExecutor(name, {
      route: () => ({
        origin: service.url,
        graphqlUrl: service.graphqlUrl,
        headers: [],
        subscriptions: null as never,
      }),
      onFailure: () => {},
    });
    const latest = buildSubgraph({ name, sdl: `scalar BigInt ${sdl}`, namespace: null }, execute);
    return { latest, previous: undefined };
  };
  /** The name under which a field is asked for. */
  const asked = (body: string, field: string) => new RegExp(`(\\w+): ${field}\\(`).exec(body)?.[1] ?? field;
  const list = await serve(
    "list",
    "type Query { items: [Item] things: [Thing] } type Item { no: BigInt! } type Thing { id: ID! }",
    (body) =>
      body.includes("items")
        ? `{"items":[{"__typename":"Item","no":${LARGE}},{"__typename":"Item","no":1.10}]}`
        : `{"things":[{"__typename":"Thing","id":${LARGE}}]}`,
  );
  const titles = await serve(
    "titles",
    `type Query { items2(nos: [BigInt!]!): [Item] @merge(keyField: "no") thing(id: ID!): Thing @merge(keyField: "id") }
     type Item @key(selectionSet: "{ no }") { no: BigInt! title: String }
     type Thing @key(selectionSet: "{ id }") { id: ID! title: String }`,
    (body) =>
      body.includes("items2")
        ? `{"${asked(body, "items2")}":[{"__typename":"Item","no":${LARGE},"title":"a"},{"__typename":"Item","no":1.10,"title":"b"}]}`
        : `{"${asked(body, "thing")}":{"__typename":"Thing","id":"${LARGE}","title":"c"}}`,
  );
  const composition = compose([], [list, titles]);
  const snapshot = new Snapshot(1, composition);
  expect(Object.fromEntries(composition.rejected)).toEqual({});
  const ask = async (source: string) =>
    JSON.stringify(
      await executeOperation(snapshot, {
        document: parse(source),
        contextValue: { hops: 0, writeToken: undefined },
      }),
    );
  expect(await ask("{ items { no title } }")).toBe(
    `{"data":{"items":[{"no":${LARGE},"title":"a"},{"no":1.10,"title":"b"}]}}`,
  );
  expect(sent.at(-1)).toContain(`[${LARGE},1.10]`);
  expect(await ask("{ things { id title } }")).toBe(`{"data":{"things":[{"id":"${LARGE}","title":"c"}]}}`);
  expect(sent.at(-1)).toContain(`"${LARGE}"`);
});

test("services that have a scalar of the same name get their numbers alike", async () => {
  sent = [];
  says("bank", { amount: "1.10" });
  says("shop", { price: "2.50", sold: "3" });
  expect(await textOf({ query: `{ amount price sold(since: ${LARGE}) }` })).toBe(
    '{"data":{"amount":1.10,"price":2.50,"sold":3}}',
  );
  expect(sent.join()).toContain(LARGE);
});

test("a plugin reckons with ordinary numbers", async () => {
  await Bun.write(
    `${app.folder}/plugins/sums.ts`,
    `import { definePlugin } from "bobbin";
     export default definePlugin({
       name: "sums", version: "1.0.0",
       typeDefs: "scalar Numbers type Query { seen(value: Numbers): String }",
       resolvers: { Query: { seen: (_, { value }) => JSON.stringify(value.map((each) => [typeof each, each])) } },
     });`,
  );
  const { seen } = await answered(app, `{ seen(value: [1.10, ${LARGE}]) }`);
  expect(seen).toBe('[["number",1.1],["number",12345678901234567000]]');
});
