/** An answer says, outside production, which road it took and why. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { QuickRoad } from "../../src/gateway/quick/quick-road.ts";
import type { Reason } from "../../src/gateway/quick/uncompilable.ts";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { writeFiles } from "../support/files.ts";
import { startService, type TestService } from "../support/service.ts";
import { webSocketClient } from "../support/subscriber.ts";
import { answered, register } from "./graph.ts";

const CAT = "{ cat { name } }";

let app: TestApp;
let zoo: TestService;
let shaped: TestService;
beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0 } });
  zoo = await startService({
    typeDefs: "type Query { cat(age: Int): Cat! } type Cat { name: String! } type Subscription { meow: Int }",
    resolvers: { Query: { cat: () => ({ name: "Tom" }) } },
  });
  shaped = await startService({ typeDefs: "type Query { shaped: Int }" });
  await register(app, "zoo", zoo);
  const metadata = { endpoints: { graphql: "/graphql" }, gateway: { namespace: "My" } };
  await register(app, "shaped", shaped, { metadata });
  await answered(app, "{ cat { name } My_shaped }");
  await askWith(app, { query: CAT });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await zoo[Symbol.asyncDispose]();
  await shaped[Symbol.asyncDispose]();
});

function askWith(to: TestApp, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${to.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const roadOf = async (...asked: Parameters<typeof askWith>) =>
  (await askWith(...asked)).headers.get("x-bobbin-road");

test("a document is compiled when it is asked again, and interpreted where an answer is wrong", async () => {
  await using seldom = await startApp({ config: { compileAfter: 1 } });
  await register(seldom, "zoo", zoo);
  await answered(seldom, "{ cat { name } }");
  const question = { query: "{ cat { n: name } }" };
  const accept = { accept: "application/graphql-response+json" };
  expect(await roadOf(seldom, question, accept)).toBe("reference; media type not answered yet");
  expect(await roadOf(seldom, question, accept)).toBe("reference; seldom asked");
  expect(await roadOf(seldom, question, accept)).toBe("compiled");
  zoo.answerWith(() => Response.json({ data: { cat: { n: 1 } }, errors: [{ message: "no" }] }));
  expect(await roadOf(seldom, question, accept)).toBe("interpreted");
  zoo.answerWith(undefined);
  expect(await roadOf(seldom, question, accept)).toBe("compiled");
});

test("documents that are asked no more make room for others, by what is made of them", async () => {
  await using seldom = await startApp({ config: { compileAfter: 1 } });
  await register(seldom, "zoo", zoo);
  await answered(seldom, "{ cat { name } }");
  const ask = (query: string) => roadOf(seldom, { query });
  const [kept, pushedOut] = ["{ cat { kept: name } }", "{ cat { pushedOut: name } }"];
  for (const query of [CAT, kept, pushedOut]) await ask(query);
  expect([await ask(pushedOut), await ask(kept)]).toEqual(["compiled", "compiled"]);
  for (let n = 0; n < 20; n++) {
    const long = `{ cat { name } } # ${n}${" ".repeat(49_000)}`;
    expect([await ask(long), await ask(long)]).toEqual(["reference; seldom asked", "compiled"]);
    expect(await ask(kept)).toBe("compiled");
  }
  expect([await ask(pushedOut), await ask(pushedOut)]).toEqual(["reference; seldom asked", "compiled"]);
});

const DECIDED = `query(${["a", "b", "c", "d", "e"].map((name) => `$${name}: Boolean!`)}) {
  cat { name ${["a", "b", "c", "d", "e"].map((name) => `${name}: name @include(if: $${name})`).join(" ")} }
}`;
const deciding = (n: number) =>
  Object.fromEntries(["a", "b", "c", "d", "e"].map((name, bit) => [name, (n & (1 << bit)) !== 0]));

const cases: [Reason, unknown][] = [
  ["not one plain question", "{"],
  ["not one plain question", [{ query: CAT }]],
  ["document too long", { query: `${CAT} #${"x".repeat(50_000)}` }],
  ["document that is not valid", { query: "{ dog }" }],
  ["document that is not valid", { query: "mutation { __typename }" }],
  [
    "variables for the reference road",
    { query: "query($n: Int) { cat(age: $n) { name } }", variables: { n: "1" } },
  ],
  ["introspection", { query: "{ __schema { queryType { name } } }" }],
  ["subscription", { query: "subscription { meow }" }],
  ["stitched services", { query: "{ My_shaped }" }],
  ["service of this process", { query: "{ getServices { name } }" }],
  ["name with a meaning in JavaScript", { query: "{ cat { __proto__: name } }" }],
];

test.each(cases)("what is not compiled says why: %s", async (reason, body) => {
  expect(await roadOf(app, body)).toBe(`reference; ${reason}`);
});

test("what its variables include makes eight of an operation at most", async () => {
  const roads = await Promise.all(
    Array.from({ length: 17 }, (_, n) => roadOf(app, { query: DECIDED, variables: deciding(n) })),
  );
  expect(roads.filter((road) => road === "compiled")).toHaveLength(8);
  expect(roads).toContain("reference; too many variables decide");
});

test("only plain POSTs of the graph say it", async () => {
  const query = new URLSearchParams({ query: CAT });
  const byGet = await fetch(`${app.urls.gateway}/graphql?${query}`);
  expect([byGet.status, byGet.headers.get("x-bobbin-road")]).toEqual([200, null]);
  const core = await fetch(`${app.urls.core}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "{ getServices { name } }" }),
  });
  expect([core.status, core.headers.get("x-bobbin-road")]).toEqual([200, null]);
});

test("in production no answer says it", async () => {
  await using silent = await startApp({ config: { isProduction: true, compileAfter: 0 } });
  await register(silent, "zoo", zoo);
  await answered(silent, CAT);
  const answers = [{ query: CAT }, { query: CAT }, { query: "{ __schema { description } }" }];
  for (const body of answers) expect(await roadOf(silent, body)).toBeNull();
});

test("the roads are counted", () => {
  const road = new QuickRoad(0);
  for (const reason of ["not one plain question", "seldom asked", "seldom asked"] as const)
    expect(road.pass(reason)).toEqual({ reason });
  expect(road.counts()).toEqual({
    compiled: 0,
    interpreted: 0,
    reference: new Map<Reason, number>([
      ["not one plain question", 1],
      ["seldom asked", 2],
    ]),
  });
});

/** How many answers took each road so far, as /metrics has it. */
async function countsOf({ urls }: TestApp): Promise<Record<string, number>> {
  const text = await (await fetch(`${urls.gateway}/metrics`)).text();
  const lines = text.matchAll(/^bobbin_graphql_answers_total\{road="(\w+)",reason="([^"]*)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, road, reason, count]) => [reason || road, Number(count)]));
}

test("a question over a WebSocket, and one that a plugin asks, take the same roads and are counted", async () => {
  await using folder = await tempFolder();
  const source = (isolation: string) => `
    import { definePlugin } from "bobbin";
    export default definePlugin({
      name: "${isolation}", version: "1.0.0", isolation: "${isolation}",
      typeDefs: "type Query { by_${isolation}(query: String!, age: Int): String }",
      resolvers: {
        Query: {
          by_${isolation}: async (_, { query, age }, context) => JSON.stringify(await context.query(query, { age })),
        },
      },
    });`;
  await writeFiles(`${folder.path}/plugins`, {
    "inline.ts": source("inline"),
    "worker.ts": source("worker"),
  });
  await using asked = await startApp({ folder: folder.path, config: { compileAfter: 0 } });
  await register(asked, "zoo", zoo);
  await answered(
    asked,
    '{ cat { name } by_inline(query: "{ __typename }") by_worker(query: "{ __typename }") }',
  );
  const question = "query ($age: Int) { cat(age: $age) { name } }";
  const tom = { data: { cat: { name: "Tom" } } };
  const client = webSocketClient(asked.urls.gateway);
  const overWebSocket = async (query: string, variables: Record<string, unknown> = {}) => {
    for await (const result of client.iterate({ query, variables })) return result;
  };
  const grown = async (name: string, ask: () => Promise<unknown>) => {
    const before = await countsOf(asked);
    const answer = await ask();
    return [answer, ((await countsOf(asked))[name] ?? 0) - (before[name] ?? 0)];
  };
  expect(await grown("compiled", () => overWebSocket(question, { age: 3 }))).toEqual([tom, 1]);
  expect(await grown("introspection", () => overWebSocket("{ __schema { queryType { name } } }"))).toEqual([
    { data: { __schema: { queryType: { name: "Query" } } } },
    1,
  ]);
  for (const field of ["by_inline", "by_worker"]) {
    // The question to the plugin is one, and what it asks is another.
    const byPlugin = (query: string) =>
      askWith(asked, {
        query: `query ($q: String!) { ${field}(query: $q, age: 3) }`,
        variables: { q: query },
      }).then(async (response) => JSON.parse((await response.json()).data[field]));
    await byPlugin(question);
    expect(await grown("compiled", () => byPlugin(question))).toEqual([tom, 2]);
    expect(await grown("document that is not valid", () => byPlugin("{ dog }"))).toEqual([
      { errors: [expect.objectContaining({ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } })] },
      1,
    ]);
  }
  // What fails is told by the interpreter, everywhere in the same words.
  zoo.answerWith(() => Response.json({ data: null, errors: [{ message: "no cats" }] }));
  const error = { message: "no cats", path: ["cat"] };
  const failed = { data: null, errors: [expect.objectContaining(error)] };
  expect(await grown("interpreted", () => overWebSocket(question, { age: 4 }))).toEqual([failed, 1]);
  zoo.answerWith(undefined);
  await client.dispose();
});
