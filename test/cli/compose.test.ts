/** `bobbin compose --dry-run` of the compiled binary, and the door behind it: nothing of it stays. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RunningBinary, startBinary } from "../support/app.ts";
import { type Command, commandFor, onTerminal } from "../support/bobbin-command.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { run } from "../support/command.ts";
import { federated, V2 } from "../support/federated.ts";
import { writeFiles } from "../support/files.ts";
import { startService, type TestService } from "../support/service.ts";
import { SECRET, token } from "../support/tokens.ts";

const SHOP = `${V2} type Query { products: [Product!]! } type Product @key(fields: "upc") { upc: ID! name: String }`;

let bobbin: RunningBinary;
let services: TestService[];
let command: Command;

beforeAll(async () => {
  bobbin = await startBinary();
  command = commandFor(bobbin);
  services = [
    await startService({ typeDefs: "type Query { user: User, old: Int } type User { id: ID! }" }),
    await startService(federated({ sdl: SHOP })),
  ];
  for (const [i, serviceName] of ["users", "shop"].entries())
    await post(`${bobbin.urls.registry}/register`, {
      serviceName,
      url: services[i]?.url,
      metadata: { endpoints: { graphql: "/graphql" } },
    });
  await until(
    () =>
      graphql(
        bobbin.urls.gateway,
        '{ a: __type(name: "User") { name } b: __type(name: "Product") { name } }',
      ),
    ({ data }) => Boolean(data?.a && data?.b),
  );
});
afterAll(async () => {
  await bobbin[Symbol.asyncDispose]();
  for (const service of services) await service[Symbol.asyncDispose]();
});

async function tried(sdl: string, ...flags: string[]) {
  await writeFiles(bobbin.folder, { "new.graphql": sdl });
  return command(["compose", "--dry-run", "new.graphql", ...flags]);
}

const graph = async () => (await get(`${bobbin.urls.gateway}/gateway/schema`)).body;

test("a schema that fits composes, as each kind of service, and nothing is different after it", async () => {
  const before = await graph();
  const cases = [
    ["type Query { orders: [Order] } type Order { id: ID! }", "plain"],
    [
      'type Query { byId(ids: [ID!]!): [Order]! @merge(keyField: "id") } type Order @key(selectionSet: "{ id }") { id: ID! }',
      "stitching",
    ],
    [
      `${V2} type Query { top: Product } type Product @key(fields: "upc") { upc: ID! stock: Int }`,
      "federation",
    ],
  ] as const;
  for (const [sdl, kind] of cases)
    expect(await tried(sdl)).toEqual({
      status: 0,
      stdout: `composes: new.graphql as a new service (${kind})\n`,
      stderr: "",
    });
  expect(await graph()).toBe(before);
  const { services: registered } = (await get(`${bobbin.urls.registry}/services`)).body;
  expect(registered).toHaveLength(3);
});

test.each([
  ["a root field that is another's", "type Query { user: Int }", /ROOT_FIELD_TAKEN/],
  ["a type that differs", "type Query { me: User } type User { id: Int! }", /TYPE_CONFLICT/],
  ["a syntax error", "type Query {", /SCHEMA_INVALID/],
  ["a type that is missing", "type Query { a: Missing }", /SCHEMA_INVALID/],
  [
    "a key that is missing",
    `${V2} type Query { top: Product } type Product @key(fields: "nothing") { upc: ID! }`,
    /COMPOSITION_FAILED|SCHEMA_INVALID/,
  ],
])("%s does not compose, with the reason and status 1", async (_, sdl, reason) => {
  const before = await graph();
  const { status, stdout, stderr } = await tried(sdl);
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(stdout).toStartWith("does not compose: new.graphql");
  expect(stdout).toMatch(reason);
  expect(await graph()).toBe(before);
});

test("a new version says what it changes for clients", async () => {
  const { status, stdout } = await tried(
    "type Query { user: User } type User { id: ID! name: String }",
    "--name",
    "users",
  );
  expect(status).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "composes: new.graphql as a new version of users (plain)",
    "",
    "FOR CLIENTS  CHANGE",
    "breaking     Field 'old' was removed from object type 'Query'",
    "safe         Field 'name' was added to object type 'User'",
    "",
    "1 breaking, 0 dangerous, 1 safe",
    "",
  ]);
  const json = await tried(SHOP.replace("name: String", "title: String"), "--name", "shop", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    composes: true,
    kind: "federation",
    isNew: false,
    reasons: [],
    changes: { breaking: 1, list: [{ path: "Product.name" }, { path: "Product.title" }] },
  });
});

test("where schemas that break clients wait, so would this one; and it needs the token of writes", async () => {
  await using safe = await startBinary({ env: { COMPOSITION_POLICY: "safe", JWT_SECRET: SECRET } });
  const at = commandFor(safe);
  const env = { JWT_SECRET: SECRET };
  expect((await at(["register", "users", services[0]?.url ?? "", "--graphql", "/graphql"], env)).status).toBe(
    0,
  );
  await until(
    () => graphql(safe.urls.gateway, "{ old }"),
    ({ errors }) => errors === undefined,
  );
  await writeFiles(safe.folder, { "new.graphql": "type Query { user: User } type User { id: ID! }" });
  const compose = ["compose", "--dry-run", "new.graphql", "--name", "users"];
  expect((await at(compose)).stderr).toContain("UNAUTHENTICATED");
  const { status, stdout } = await at(compose, { BOBBIN_TOKEN: await token() });
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^does not compose: .*\n {2}The new schema of users breaks clients: .* \(BREAKING_CHANGE\)\n/,
  );
});

test("one is tried at a time, and what is no question is refused", async () => {
  const door = `${bobbin.urls.gateway}/gateway/compose`;
  const types = Array.from({ length: 2_000 }, (_, i) => `type T${i} { a: T${(i + 1) % 2_000} }`);
  const sdl = `${V2} type Query { t: T1 @shareable } ${types.join(" ")}`;
  const answers = await Promise.all([1, 2, 3, 4].map(() => post(door, { sdl })));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses[0]).toBe(200);
  expect(statuses.at(-1)).toBe(503);
  for (const [body, status] of [
    ["{", 400],
    ["[1", 400],
    [{}, 422],
    [{ sdl: 1 }, 422],
    [{ sdl: "type Query { a: Int }", name: "No Name" }, 422],
    [{ sdl: "type Query { a: Int }", name: "core" }, 409],
    [{ sdl: "#".repeat(1_100_000) }, 413],
  ] as const)
    expect({ asked: body, status: (await post(door, body)).status }).toEqual({ asked: body, status });
  expect((await fetch(door, { method: "POST", body: "{}" })).status).toBe(415);
});

test.each([
  [["compose", "new.graphql"], 2, /--dry-run/],
  [["compose", "--dry-run", "missing.graphql"], 2, /missing\.graphql cannot be read/],
  [["compose", "--dry-run", "package.json", "--gateway", "http://127.0.0.1:9"], 1, /connection refused/],
  [["compose", "--dry-run", "package.json", "--name", "No"], 1, /INVALID_INPUT/],
] as [string[], number, RegExp][])("%j ends with %d and says why", async (args, expected, hint) => {
  await writeFiles(bobbin.folder, { "package.json": "{}" });
  const { status, stdout, stderr } = await command(args);
  expect({ status, stdout }).toEqual({ status: expected, stdout: "" });
  expect(stderr).toMatch(hint);
  expect((await run(["compose", "--help"])).stdout).toContain("bobbin compose --dry-run");
});

test("on a terminal it is said what takes a while, and what was said is gone again", async () => {
  using slow = Bun.serve({
    port: 0,
    async fetch() {
      await Bun.sleep(800);
      return Response.json({ composes: true, kind: "plain", isNew: true, reasons: [], changes: null });
    },
  });
  const file = `${bobbin.folder}/slow.graphql`;
  await writeFiles(bobbin.folder, { "slow.graphql": "type Query { a: Int }" });
  const args = ["compose", "--dry-run", file, "--gateway", slow.url.origin];
  const said = `composes: ${file} as a new service (plain)\r\n`;
  expect(await onTerminal(args, 200, { NO_COLOR: "1" })).toBe(said);
  const text = await onTerminal(args, 200, {});
  expect(text).toContain("composing …\r\u001b[K");
  expect(text).toEndWith(`\r\u001b[K\u001b[32mcomposes\u001b[39m${said.slice("composes".length)}`);
});
