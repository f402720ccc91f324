/** What holds of compiled plans over time and in their order: mutations, changes of the graph. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

const log: string[] = [];
const noting = (name: string) => async () => {
  log.push(`${name} begins`);
  await Bun.sleep(20);
  log.push(`${name} ends`);
  return name;
};

let app: TestApp;
let left: TestService;
let right: TestService;

beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0 } });
  const serviceOf = (name: string) =>
    startService({
      typeDefs: `type Query { ${name}: String } type Mutation { do_${name}: String }`,
      resolvers: { Query: { [name]: () => name }, Mutation: { [`do_${name}`]: noting(name) } },
    });
  [left, right] = await Promise.all([serviceOf("left"), serviceOf("right")]);
  await joined(app);
  // The first answer to an Accept header is not by code made for it.
  await roadOf("{ left }");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await Promise.all([left, right].map((service) => service[Symbol.asyncDispose]()));
});

async function joined(to: TestApp): Promise<void> {
  await register(to, "left", left);
  await register(to, "right", right);
  await answered(to, "{ left right }");
}

async function answerTo(query: string): Promise<{ road: string | null; body: unknown }> {
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query }),
  });
  return { road: response.headers.get("x-bobbin-road"), body: await response.json() };
}
const roadOf = async (query: string) => (await answerTo(query)).road;

test("a mutation's fields of several services follow each other", async () => {
  const { road, body } = await answerTo("mutation { do_right do_left again: do_right }");
  expect(road).toBe("compiled");
  expect(body).toEqual({ data: { do_right: "right", do_left: "left", again: "right" } });
  expect(log).toEqual(["right", "left", "right"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test("the root's type name is answered beside services' fields, also where one of them fails", async () => {
  expect(await answerTo("{ __typename left type: __typename }")).toEqual({
    road: "compiled",
    body: { data: { __typename: "Query", left: "left", type: "Query" } },
  });
  right.answerWith(() => new Response("no", { status: 500 }));
  const { road, body } = await answerTo("{ __typename right }");
  right.answerWith(undefined);
  expect(road).toBe("interpreted");
  expect(body).toMatchObject({ data: { __typename: "Query", right: null }, errors: [{ path: ["right"] }] });
});

test("a document whose services did not change stays compiled, and one whose did is compiled before it is asked", async () => {
  await using patient = await startApp({ config: { compileAfter: 2 } });
  const ask = async (query: string) => {
    const response = await fetch(`${patient.urls.gateway}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query }),
    });
    return response.headers.get("x-bobbin-road");
  };
  await joined(patient);
  for (const query of ["{ left }", "{ right }"]) for (let i = 0; i < 3; i++) await ask(query);
  expect([await ask("{ left }"), await ask("{ right }")]).toEqual(["compiled", "compiled"]);
  right.change({
    typeDefs: "type Query { right: String newer: String } type Mutation { do_right: String }",
    resolvers: { Query: { right: () => "right" } },
  });
  await fetch(`${patient.urls.gateway}/gateway/reload`, { method: "POST" });
  await answered(patient, "{ newer }");
  expect([await ask("{ left }"), await ask("{ right }")]).toEqual(["compiled", "compiled"]);
});

test("a request that comes slowly, on the graph as it was when it began, costs others none of their plans", async () => {
  await using patient = await startApp({ config: { compileAfter: 2 } });
  const url = `${patient.urls.gateway}/graphql`;
  const ask = async () => {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: '{"query":"{ left }"}' });
    return response.headers.get("x-bobbin-road");
  };
  await joined(patient);
  for (let i = 0; i < 4; i++) await ask();
  const said = Promise.withResolvers<string>();
  const { hostname, port } = new URL(url);
  const socket = await Bun.connect({
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port),
    socket: { data: (_, bytes) => said.resolve(bytes.toString()) },
  });
  const body = '{"query":"{ right }"}';
  const head = `POST /graphql HTTP/1.1\r\nhost: localhost:${port}\r\naccept: application/json\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body[0]}`);
  await Bun.sleep(50);
  await using late = await startService({
    typeDefs: "type Query { late: String }",
    resolvers: { Query: { late: () => "l" } },
  });
  await register(patient, "late", late);
  await answered(patient, "{ late }");
  expect(await ask()).toBe("compiled");
  socket.write(body.slice(1));
  expect(await said.promise).toEndWith('{"data":{"right":"right"}}');
  socket.end();
  expect(await ask()).toBe("compiled");
});

test("/metrics counts the answers by the road they took", async () => {
  const count = async (labels: string) => {
    const text = await (await fetch(`${app.urls.gateway}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`bobbin_graphql_answers_total{${labels}}`));
    return Number(line?.split(" ").at(-1) ?? 0);
  };
  const [compiled, introspection] = ['road="compiled",reason=""', 'road="reference",reason="introspection"'];
  const before = [await count(compiled), await count(introspection)];
  await roadOf("{ left }");
  await roadOf("{ left }");
  await roadOf("{ __schema { queryType { name } } }");
  expect([await count(compiled), await count(introspection)]).toEqual([
    (before[0] as number) + 2,
    (before[1] as number) + 1,
  ]);
});
