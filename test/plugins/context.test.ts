/** What a plugin is given: its configuration, the gateway's graph, the registry's services, the log. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tempFolder } from "../support/app.ts";
import { post, until } from "../support/client.ts";
import { type ServiceDefinition, startService, type TestService } from "../support/service.ts";
import { codeOf, ISOLATIONS, type Stage, startStage } from "./stage.ts";

const STOCK: ServiceDefinition = {
  typeDefs: "type Query { stock(of: String!): Int  broken: Int }",
  resolvers: {
    Query: {
      stock: (_: unknown, { of }: { of: string }) => of.length,
      broken: () => {
        throw new Error("out of order");
      },
    },
  },
};

const register = (stage: Stage, service: TestService) =>
  post(`${stage.urls.registry}/register`, {
    serviceName: "stock",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });

for (const isolation of ISOLATIONS) {
  describe(isolation, () => {
    let stage: Stage;
    let stock: TestService;
    beforeAll(async () => {
      stage = await startStage({ binary: isolation !== "inline" });
      stock = await startService(STOCK);
      await register(stage, stock);
      await stage.untilAnswers(`{ stock(of: "abc") }`, { stock: 3 });
    });
    afterAll(async () => {
      await stage[Symbol.asyncDispose]();
      await stock[Symbol.asyncDispose]();
    });

    test("query: the whole graph, from setup and from a resolver; what is wrong is an error in the answer", async () => {
      await stage.save(
        "asking.ts",
        `name: "asking", typeDefs: "type Query { asking(document: String!, of: String): String! atSetup: String! }",
        async setup({ query }) { atSetup = await query("query ($of: String!) { stock(of: $of) asking: __typename }", { of: "four" }); },
        resolvers: { Query: {
          atSetup: () => JSON.stringify(atSetup),
          asking: async (_, { document, of }, { query }) => JSON.stringify(await query(document, { of })),
        } },`,
        isolation,
        "let atSetup;",
      );
      await stage.untilAnswers("{ atSetup }", { atSetup: `{"data":{"stock":4,"asking":"Query"}}` });
      const answer = async (document: string, of = "xy") => {
        const { data } = await stage.ask(
          `{ asking(document: ${JSON.stringify(document)}, of: ${JSON.stringify(of)}) }`,
        );
        return JSON.parse(data.asking);
      };
      expect(
        await answer(`query ($of: String!) { stock(of: $of) atSetup getService(name: "asking") { source } }`),
      ).toEqual({
        data: { stock: 2, atSetup: expect.any(String), getService: { source: "PLUGIN" } },
      });
      expect(await answer("{ broken atSetup }")).toMatchObject({
        data: { broken: null, atSetup: expect.any(String) },
        errors: [{ message: expect.stringMatching(/./), path: ["broken"] }],
      });
      for (const [document, code] of [
        ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
        ["{ stock( }", "GRAPHQL_PARSE_FAILED"],
        ["", "GRAPHQL_PARSE_FAILED"],
      ] as const) {
        const { data, errors } = await answer(document);
        expect(data).toBeUndefined();
        expect(errors).toMatchObject([{ message: expect.stringMatching(/./), extensions: { code } }]);
      }
      const unknown = await answer(`{ getService(name: "nobody") { name } }`);
      expect(unknown).toMatchObject({
        data: { getService: null },
        errors: [{ path: ["getService"], extensions: { code: "SERVICE_NOT_FOUND" } }],
      });
    });

    test("a resolver that asks for its own field comes to an end", async () => {
      await stage.save(
        "echo.ts",
        `name: "echo", typeDefs: "type Query { echo: String early: String }",
        setup: (context) => { ofSetup = context; },
        resolvers: { Query: {
          echo: async (_, __, { query }) => { const a = await query("{ echo }"); return a.errors?.[0].extensions.code ?? a.data.echo; },
          early: async () => {
            try { const a = await ofSetup.query("{ early }"); return a.errors?.[0].extensions.code ?? a.data.early; }
            catch (error) { return error.code; }
          },
        } },`,
        isolation,
        "let ofSetup;",
      );
      await stage.untilAnswers("{ echo }", { echo: "LOOP_DETECTED" });
      // A context that knows of no request counts no hops: what may be under way at once is the bound.
      expect((await stage.ask("{ early }")).data).toEqual({ early: "OVERLOADED" });
    });

    test("subscribe: what another plugin sends, to the end of whoever ends first", async () => {
      await stage.save(
        "source.ts",
        `name: "source", typeDefs: "type Query { source: Int } type Subscription { sent: Int never: Int }",
        resolvers: { Subscription: {
          sent: { subscribe: async function* () { for (let n = 1; n <= 3; n++) yield { sent: n }; } },
          never: { subscribe: async function* () { yield { never: 1 }; await new Promise(() => {}); } },
        } },`,
        isolation,
      );
      await stage.untilAnswers("{ source }", { source: null });
      const listening = (text: string) => `
        name: "listener", typeDefs: "type Query { listener: String }", resolvers: { Query: { listener: () => "${text}" } },
        setup({ subscribe }) {
          void (async () => {
            for await (const { data } of subscribe("subscription { sent }")) await note("${text} sent " + data.sent);
            for await (const { errors } of subscribe("subscription { nothing }")) await note("${text} errors " + errors.length);
            for await (const { data } of subscribe("subscription { never }")) { await note("${text} never " + data.never); break; }
            for await (const { data } of subscribe("subscription { never }")) await note("${text} never " + data.never);
            await note("${text} is over");
          })();
        },`;
      await stage.save("listener.ts", listening("one"), isolation);
      await until(
        () => stage.notes.filter((each) => each === "one never 1").length,
        (times) => times === 2,
      );
      expect(stage.notes.filter((each) => each.startsWith("one "))).toEqual([
        "one sent 1",
        "one sent 2",
        "one sent 3",
        "one errors 1",
        "one never 1",
        "one never 1",
      ]);
      await stage.save("listener.ts", listening("two"), isolation);
      await stage.untilAnswers("{ listener }", { listener: "two" });
      if (isolation === "inline") await stage.untilNoted("one is over");
    });

    test("services: every one that is registered", async () => {
      await stage.save(
        "lookup.ts",
        `name: "lookup", tags: ["a"], metadata: { team: "blue" }, typeDefs: "type Query { lookup: String }",
        resolvers: { Query: { lookup: async (_, __, { services }) => JSON.stringify(await services()) } },`,
        isolation,
      );
      const { data } = await until(
        () => stage.ask("{ lookup }"),
        ({ errors }) => errors === undefined,
      );
      const all = JSON.parse(data.lookup) as { name: string }[];
      expect(all.find(({ name }) => name === "core")).toMatchObject({ source: "CORE", status: "ACTIVE" });
      expect(all.find(({ name }) => name === "stock")).toEqual({
        name: "stock",
        source: "REMOTE",
        status: "ACTIVE",
        url: stock.url,
        graphqlUrl: stock.graphqlUrl,
        version: null,
        tags: [],
        metadata: { endpoints: { graphql: "/graphql" } },
      } as never);
      expect(all.find(({ name }) => name === "lookup")).toMatchObject({
        source: "PLUGIN",
        version: "1.0.0",
        tags: ["a"],
        metadata: { team: "blue" },
      });
    });

    test("a refused configuration keeps the version before it, and says where it is wrong", async () => {
      const port = `{ "~standard": { version: 1, vendor: "by hand", validate: async (value) =>
        typeof value.server?.port === "number" ? { value: { port: value.server.port * 10 } }
          : { issues: [{ message: "must be a number", path: ["server", { key: "port" }] }, { message: "is wrong" }] } } }`;
      const code = (config: string) => `
        name: "set", typeDefs: "type Query { set: String }", config: ${config},
        resolvers: { Query: { set: (_, __, { config }) => JSON.stringify(config) } },`;
      await stage.write("set/config.json", `{ "server": { "port": 1 } }`);
      await stage.save("set/index.ts", code(port), isolation);
      await stage.untilAnswers("{ set }", { set: `{"port":10}` });

      const untilRefused = (message: string) =>
        stage.untilView(
          "set/index.ts",
          ({ status, reason }) => status === "DEGRADED" && JSON.stringify(reason).includes(message),
        );
      const kept = async (view: Record<string, unknown>) => {
        expect(view).toMatchObject({
          status: "DEGRADED",
          reason: { code: "PLUGIN_INVALID", step: "config" },
        });
        expect((await stage.ask("{ set }")).data).toEqual({ set: `{"port":10}` });
      };
      await stage.write("set/config.json", `{ "server": { "port": "1" } }`);
      await kept(await untilRefused("server.port: must be a number; is wrong"));
      await stage.write("set/config.json", `{ "server": `);
      const unread = await untilRefused("JSON");
      expect(unread).toMatchObject({ reason: { file: expect.stringMatching(/set\/config\.json$/) } });
      await kept(unread);
      await stage.save("set/index.ts", code(`async () => { throw new Error("not like this"); }`), isolation);
      await stage.write("set/config.json", "{}");
      await kept(await untilRefused("not like this"));

      await stage.save("set/index.ts", code("(value) => ({ ...value, more: true })"), isolation);
      await stage.untilAnswers("{ set }", { set: `{"more":true}` });
      await stage.remove("set/config.json");
      await stage.save("set/index.ts", code("undefined"), isolation);
      await stage.untilAnswers("{ set }", { set: "{}" });
    });
  });
}

describe("at bobbin's start", () => {
  test("setup can ask the graph of the services that were in it before", async () => {
    await using stock = await startService(STOCK);
    await using folder = await tempFolder();
    const stage = await startStage({ folder: folder.path });
    await register(stage, stock);
    await stage.untilAnswers(`{ stock(of: "abc") }`, { stock: 3 });
    for (const isolation of ["worker", "inline"] as const) {
      await stage.save(
        `${isolation}.ts`,
        `name: "${isolation}", typeDefs: "type Query { ${isolation}: String }",
        async setup({ query }) { atSetup = await query("{ stock(of: \\"four\\") }"); },
        resolvers: { Query: { ${isolation}: () => JSON.stringify(atSetup) } },`,
        isolation,
        "let atSetup;",
      );
      await stage.untilAnswers(`{ ${isolation} }`, { [isolation]: `{"data":{"stock":4}}` });
    }
    await stage[Symbol.asyncDispose]();
    await using again = await startStage({ folder: folder.path });
    const answer = `{"data":{"stock":4}}`;
    expect((await again.ask("{ worker inline }")).data).toEqual({ worker: answer, inline: answer });
  });
});

test("what a plugin logs, throws and says on the console are lines with its name", async () => {
  await using stage = await startStage({
    binary: true,
    files: (prompter) =>
      Object.fromEntries(
        (["worker", "process"] as const).map((isolation) => [
          `${isolation}.ts`,
          codeOf(
            prompter,
            `name: "logging-${isolation}", typeDefs: "type Query { ${isolation}: String }",
            setup({ log, after, every, defer }) {
              log.info("hello", { count: 3, plugin: "another" });
              log.warn("careful");
              console.log("said", { a: 1 });
              const loop = {}; loop.self = loop;
              log.info("in a circle", { loop, big: 10n });
              log.error("with a cause", { err: new Error("the cause") });
              after(1, () => { throw new Error("after failed"); });
              const stop = every(1, async () => { stop(); throw new Error("every failed"); });
              defer(() => { throw new Error("defer failed"); });
            },
            resolvers: { Query: { ${isolation}: () => { throw new Error("resolver failed"); } } },
            dispose() { throw new Error("it has gone wrong"); },`,
            isolation,
          ),
        ]),
      ),
  });
  for (const isolation of ["worker", "process"]) {
    const plugin = `logging-${isolation}`;
    await stage.ask(`{ ${isolation} }`);
    const has = async (level: string, msg: string, more: Record<string, unknown> = {}) => {
      const found = await until(
        () => stage.lines.find((line) => line.plugin === plugin && line.msg === msg),
        (line) => line !== undefined,
      );
      expect(found).toMatchObject({ level, ...more });
    };
    await has("info", "hello", { count: 3 });
    await has("warn", "careful");
    await has("info", "said {\n  a: 1,\n}");
    await has("info", "in a circle", { fields: expect.stringContaining("Circular") });
    await has("error", "with a cause", {
      err: { message: "the cause", stack: expect.stringContaining(`plugins/${isolation}.ts`) },
    });
    await has("error", "after failed");
    await has("error", "every failed");
    const place = { file: `plugins/${isolation}.ts`, line: expect.any(Number), column: expect.any(Number) };
    await has("error", `${isolation} failed: resolver failed`, place);
    await stage.remove(`${isolation}.ts`);
    await has("error", "dispose failed: it has gone wrong");
    await has("error", "defer failed");
  }
});
