/** `bobbin query` and `bobbin schema` of the compiled binary, against one bobbin: what they print and end with. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RunningBinary, startBinary } from "../support/app.ts";
import { type Command, commandFor, placeOf } from "../support/bobbin-command.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { run } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";
import { startService, type TestService } from "../support/service.ts";

const TYPES = `
  scalar Exact
  type Query { greeting(name: String = "you"): String, header: String, amount(of: Exact): Exact, many: [[Int]] }
`;
const AMOUNT = '{"data":{"amount":12345678901234567890.10}}';

let bobbin: RunningBinary;
let service: TestService;
let command: Command;

beforeAll(async () => {
  [bobbin, service] = await Promise.all([
    startBinary(),
    startService({
      typeDefs: TYPES,
      resolvers: {
        Query: {
          greeting: (_: unknown, { name }: { name: string }) => `Hello, ${name}: "{}[],"`,
          header: (_: unknown, __: unknown, { request }: { request: Request }) =>
            request.headers.get("x-user"),
          many: () => [[], [1, 2]],
        },
      },
    }),
  ]);
  command = commandFor(bobbin);
  await post(`${bobbin.urls.registry}/register`, {
    serviceName: "greeter",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" }, gateway: { headers: ["x-user"] } },
  });
  await until(
    () => graphql(bobbin.urls.gateway, "{ greeting }"),
    ({ data }) => typeof data?.greeting === "string",
  );
});
afterAll(async () => {
  await bobbin[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

test("a question comes from the command line, a file or standard input, and its answer is formatted", async () => {
  const answer = `{\n  "data": {\n    "greeting": "Hello, Ada: \\"{}[],\\""\n  }\n}\n`;
  expect(await command(["query", '{ greeting(name: "Ada") }'])).toEqual({
    status: 0,
    stdout: answer,
    stderr: "",
  });
  await writeFiles(bobbin.folder, {
    "q.graphql": "query A { __typename } query B($n: String) { greeting(name: $n) }",
  });
  const flags = ["--file", "q.graphql", "--operation", "B", "--variables", '{"n":"Ada"}'];
  expect(await command(["query", ...flags])).toEqual({ status: 0, stdout: answer, stderr: "" });
  const child = Bun.spawn([`${import.meta.dir}/../../dist/bobbin`, "query", "-"], {
    env: placeOf(bobbin),
    stdin: new TextEncoder().encode('{ greeting(name: "Ada") }'),
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).text()).toBe(answer);
  const lists = await command(["query", "{ many }"]);
  expect(lists.stdout).toBe(`${JSON.stringify({ data: { many: [[], [1, 2]] } }, null, 2)}\n`);
});

test("headers are sent along", async () => {
  const { stdout } = await command([
    "query",
    "{ header }",
    "--header",
    "X-User: 42",
    "--header",
    "x-other: 1",
  ]);
  expect(JSON.parse(stdout)).toEqual({ data: { header: "42" } });
});

test("numbers are printed as they came, and sent as they were written", async () => {
  const seen: string[] = [];
  service.answerWith(async (request) => {
    seen.push(await request.text());
    return new Response(AMOUNT, { headers: { "content-type": "application/json" } });
  });
  const args = [
    "query",
    "query ($of: Exact) { amount(of: $of) }",
    "--variables",
    '{"of": 12345678901234567890.10}',
  ];
  expect((await command(args)).stdout).toContain('"amount": 12345678901234567890.10');
  expect(seen.join()).toContain("12345678901234567890.10");
  service.answerWith(undefined);
});

test("an answer with errors is printed, with status 1", async () => {
  const { status, stdout, stderr } = await command(["query", "{ nothing }"]);
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(JSON.parse(stdout).errors).toMatchObject([{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }]);
});

test.each([
  [["query"], /one question/],
  [["query", "{ a }", "--file", "q.graphql"], /one question/],
  [["query", "--file", "missing.graphql"], /missing\.graphql cannot be read/],
  [["query", "{ a }", "--variables", "{"], /--variables \{/],
  [["query", "{ a }", "--header", "no colon"], /--header no colon/],
  [["schema", "--diff", "missing.graphql"], /missing\.graphql cannot be read/],
  [["schema", "--diff", "q.graphql"], /q\.graphql is no valid GraphQL schema/],
  [["schema", "--json"], /--json is for --diff/],
])("%j is a wrong command line, with status 2", async (args, hint) => {
  await writeFiles(bobbin.folder, { "q.graphql": "type Query { a: Missing }" });
  const { status, stdout, stderr } = await command(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(hint);
});

test.each([[["query", "{ a }"]], [["schema"]], [["schema", "--diff"]]])(
  "%j without a gateway says where it looked, and what to do",
  async (args) => {
    const { status, stdout, stderr } = await run([...args, "--gateway", "http://127.0.0.1:9"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /at http:\/\/127\.0\.0\.1:9: connection refused\.\n.*bobbin serve.*--gateway <url>/,
    );
  },
);

test("schema prints the graph, and --diff what clients of another one notice", async () => {
  const { status, stdout, stderr } = await command(["schema"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe((await get(`${bobbin.urls.gateway}/gateway/schema`)).body);

  await writeFiles(bobbin.folder, {
    "same.graphql": stdout,
    "fewer.graphql": stdout.replace(/^ {2}many.*\n/m, ""),
    "other.graphql": stdout.replace("greeting(", "oldGreeting("),
  });
  const diff = (...args: string[]) => command(["schema", "--diff", ...args]);
  expect(await diff("same.graphql")).toEqual({ status: 0, stdout: "no changes\n", stderr: "" });
  expect(await diff(bobbin.urls.gateway)).toEqual({ status: 0, stdout: "no changes\n", stderr: "" });
  expect(await diff("fewer.graphql")).toEqual({
    status: 0,
    stdout:
      "FOR CLIENTS  CHANGE\n" +
      "safe         Field 'many' was added to object type 'Query'\n\n" +
      "0 breaking, 0 dangerous, 1 safe\n",
    stderr: "",
  });
  const broken = await diff("other.graphql");
  expect(broken.status).toBe(1);
  expect(broken.stdout).toMatch(/^breaking +Field 'oldGreeting' was removed.*\nsafe /m);
  const json = await diff("other.graphql", "--json");
  expect(json.status).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    breaking: 1,
    safe: 2,
    list: [{ path: "Query.oldGreeting" }, { path: "Query.greeting" }, { path: "Query.greeting.name" }],
  });
});

test("--diff alone tells what services changed last", async () => {
  expect(await command(["schema", "--diff"])).toEqual({ status: 0, stdout: "no changes\n", stderr: "" });
  service.change({ typeDefs: TYPES.replace(", many: [[Int]]", ", more: Int") });
  await post(`${bobbin.urls.gateway}/gateway/reload`, "");
  const { status, stdout } = await command(["schema", "--diff"]);
  expect(status).toBe(1);
  expect(stdout.split("\n")).toEqual([
    "FOR CLIENTS  SERVICE  CHANGE",
    "breaking     greeter  Field 'many' was removed from object type 'Query'",
    "safe         greeter  Field 'more' was added to object type 'Query'",
    "",
    "1 breaking, 0 dangerous, 1 safe",
    "",
  ]);
});
