/** `metadata.gateway.deduplicate`: equal queries in flight are sent once; nobody gets what another one's credentials got. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

let app: TestApp;
let once: TestService;
let each: TestService;
let gate = Promise.withResolvers<void>();

beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0 } });
  const serviceOf = (name: string) =>
    startService({
      typeDefs: `type Query { ${name}(of: Int): String ${name}_ready: String } type Mutation { do_${name}: String }`,
      resolvers: {
        Query: {
          [name]: async (_: unknown, { of }: { of: number }, { request }: { request: Request }) => {
            await gate.promise;
            return `${of} ${request.headers.get("authorization")}`;
          },
          [`${name}_ready`]: () => "yes",
        },
        Mutation: { [`do_${name}`]: () => gate.promise.then(() => "done") },
      },
    });
  [once, each] = await Promise.all([serviceOf("once"), serviceOf("each")]);
  const metadata = (deduplicate: boolean) => ({
    metadata: { endpoints: { graphql: "/graphql" }, gateway: { headers: ["authorization"], deduplicate } },
  });
  await register(app, "once", once, metadata(true));
  await register(app, "each", each, metadata(false));
  await answered(app, "{ once_ready each_ready }");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await Promise.all([once, each].map((service) => service[Symbol.asyncDispose]()));
});
beforeEach(() => {
  gate = Promise.withResolvers<void>();
  once.requests.length = 0;
  each.requests.length = 0;
});

async function ask(query: string, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: unknown }).data;
}

/** What it was asked by clients: probes come when they come. */
const sentTo = ({ requests }: TestService) => requests.filter(({ query }) => /once|each/.test(query)).length;

/** The answers to questions that are all in flight at the same time. */
async function together(questions: (() => Promise<unknown>)[], service: TestService, sent: number) {
  const answers = Promise.all(questions.map((question) => question()));
  while (sentTo(service) < sent) await Bun.sleep(5);
  // Whoever were sent besides would have come by now.
  await Bun.sleep(200);
  gate.resolve();
  return answers;
}

test("equal queries in flight are sent once, whatever their traces, and all get the answer", async () => {
  const asked = [1, 2, 3].map((n) => () => ask("{ once(of: 1) }", { "x-request-id": `${n}` }));
  const answer = { once: "1 null" };
  expect(await together(asked, once, 1)).toEqual([answer, answer, answer]);
  expect(sentTo(once)).toBe(1);
});

test("credentials make another call, and so do other arguments", async () => {
  const asked = [
    () => ask("{ once(of: 1) }", { authorization: "Ada" }),
    () => ask("{ once(of: 1) }", { authorization: "Bob" }),
    () => ask("{ once(of: 2) }", { authorization: "Bob" }),
  ];
  expect(await together(asked, once, 3)).toEqual([{ once: "1 Ada" }, { once: "1 Bob" }, { once: "2 Bob" }]);
});

test("a query that comes after the answer is sent anew", async () => {
  gate.resolve();
  for (let n = 0; n < 2; n++) await ask("{ once(of: 7) }");
  expect(sentTo(once)).toBe(2);
});

test("mutations are never one, and nothing is where it was not asked for", async () => {
  const mutate = () => ask("mutation { do_once }");
  await together([mutate, mutate], once, 2);
  gate = Promise.withResolvers<void>();
  const query = () => ask("{ each(of: 1) }");
  await together([query, query], each, 2);
  expect([sentTo(once), sentTo(each)]).toEqual([2, 2]);
});
