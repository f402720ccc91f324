/** Plugins at work: their own door, what a resolver is given, what becomes of what it throws, maintenance. */
import { expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";

const SOURCE = `
  import { definePlugin } from "bobbin";
  import { GraphQLError } from "graphql";
  let count = 0;
  export default definePlugin({
    name: "desk", version: "1.0.0",
    typeDefs: \`
      type Query { header(name: String!): String  plain: String  coded: String  later: String  count: Int }
      type Mutation { add(amount: Int! = 1): Int! }
    \`,
    resolvers: {
      Query: {
        header: (_: unknown, { name }: { name: string }, context) => context.headers[name],
        plain: () => { throw new Error("password=hunter2"); },
        coded: () => { throw new GraphQLError("out of paper", { extensions: { code: "NO_PAPER", tray: 2 } }); },
        later: async () => { await Bun.sleep(1); throw new Error("password=hunter2"); },
        count: () => count,
      },
      Mutation: { add: (_: unknown, { amount }: { amount: number }) => (count += amount) },
    },
  });`;

async function withDesk(config = {}): Promise<TestApp> {
  const folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/desk.ts": SOURCE });
  const app = await startApp({ folder: folder.path, config });
  return {
    ...app,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The plugin through the graph, and through its own door. */
const doorsOf = ({ urls }: TestApp) => [`${urls.gateway}/graphql`, `${urls.gateway}/plugins/desk/graphql`];

test("a resolver sees the headers of the client's request, through either door", async () => {
  await using app = await withDesk();
  for (const door of doorsOf(app)) {
    const { data } = await graphql(door, `{ header(name: "x-tenant") }`, undefined, { "X-Tenant": "blue" });
    expect(data).toEqual({ header: "blue" });
  }
});

test("a resolver never sees a token that may write to the registry, but a user's own token", async () => {
  const jwtSecret = "a secret of more than thirty-two characters";
  await using app = await withDesk({ jwtSecret });
  const { createToken } = await import("../../src/api/tokens.ts");
  const writeToken = await createToken(jwtSecret, 60);
  for (const door of doorsOf(app)) {
    const ask = (token: string) =>
      graphql(door, `{ header(name: "authorization") }`, undefined, { authorization: `Bearer ${token}` });
    expect((await ask(writeToken)).data).toEqual({ header: null });
    expect((await ask("users-own")).data).toEqual({ header: "Bearer users-own" });
  }
});

test("a plain error is masked and a GraphQLError passes, through either door", async () => {
  await using app = await withDesk();
  for (const door of doorsOf(app)) {
    const answer = await graphql(door, "{ plain coded later count }");
    expect(answer.data).toMatchObject({ plain: null, coded: null, later: null });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
    const byPath = new Map(answer.errors?.map((error) => [error.path?.join("."), error]));
    for (const path of ["plain", "later"]) {
      expect(byPath.get(path)).toMatchObject({
        message: "Unexpected error.",
        extensions: { code: "INTERNAL" },
      });
    }
    expect(byPath.get("coded")).toMatchObject({
      message: "out of paper",
      extensions: { code: "NO_PAPER", tray: 2 },
    });
  }
});

test("mutations reach the plugin, through either door", async () => {
  await using app = await withDesk();
  for (const door of doorsOf(app)) {
    const before = await graphql(door, "{ count }");
    const { data } = await graphql(door, "mutation { one: add two: add(amount: 2) }");
    expect(data).toEqual({ one: before.data.count + 1, two: before.data.count + 3 });
  }
});

test("a plugin's own door takes GET, and knows no other plugin", async () => {
  await using app = await withDesk();
  const { gateway } = app.urls;
  const answer = await get(`${gateway}/plugins/desk/graphql?query={count}`, { accept: "application/json" });
  expect(answer.body).toMatchObject({ data: { count: expect.any(Number) } });
  const unknown = await get(`${gateway}/plugins/nobody/graphql?query={count}`);
  expect(unknown).toMatchObject({
    status: 404,
    body: { errors: [{ extensions: { code: "PLUGIN_NOT_FOUND" } }] },
  });
});

test("in maintenance a plugin's fields fail fast, and come back after it", async () => {
  await using app = await withDesk();
  const { gateway, core, registry } = app.urls;
  const set = (status: string) =>
    graphql(
      core,
      `mutation { updateService(name: "desk", input: { status: ${status} }) { name status source } }`,
    );

  expect((await set("MAINTENANCE")).data.updateService).toEqual({
    name: "desk",
    status: "MAINTENANCE",
    source: "PLUGIN",
  });
  const refused = await graphql(gateway, '{ count getService(name: "desk") { status } }');
  expect(refused.data).toEqual({ count: null, getService: { status: "MAINTENANCE" } });
  expect(refused.errors).toMatchObject([
    { path: ["count"], extensions: { code: "SERVICE_UNAVAILABLE", service: "desk" } },
  ]);

  expect((await set("ACTIVE")).data.updateService.status).toBe("ACTIVE");
  await until(
    () => graphql(gateway, "{ count }"),
    ({ data }) => typeof data?.count === "number",
  );
  expect((await get(`${registry}/services/desk`)).body.status).toBe("ACTIVE");
});

test("nothing but maintenance may be changed of a plugin through a door", async () => {
  await using app = await withDesk();
  const { core, registry } = app.urls;
  const url = "http://127.0.0.1:9/graphql";
  for (const [path, body] of [
    ["register", { serviceName: "desk", url }],
    ["unregister", { serviceName: "desk" }],
    ["heartbeat", { serviceName: "desk", url }],
  ] as const) {
    expect(await post(`${registry}/${path}`, body)).toMatchObject({
      status: 409,
      body: { code: "NAME_TAKEN" },
    });
  }
  for (const mutation of [
    `registerService(input: { name: "desk", url: "${url}" }) { name }`,
    `unregisterService(name: "desk") { name }`,
    `updateService(name: "desk", input: { url: "${url}" }) { name }`,
    `updateService(name: "desk", input: { tags: ["mine"] }) { name }`,
  ]) {
    const { errors } = await graphql(core, `mutation { ${mutation} }`);
    expect(errors).toMatchObject([{ extensions: { code: "NAME_TAKEN" } }]);
  }
});
