/** The order of a change: what works takes over, what fails leaves the old version as it is, and names find their owner. */
import { describe, expect, test } from "bun:test";
import { rename } from "node:fs/promises";
import { graphql, post, until } from "../support/client.ts";
import { pluginSource } from "../support/files.ts";
import { startService } from "../support/service.ts";
import { ISOLATIONS, startStage } from "./stage.ts";

/** A definition with one field that answers the text, and more. */
const answering = (name: string, field: string, text: string, more = "") => `
  name: "${name}", typeDefs: "type Query { ${field}: String }",
  resolvers: { Query: { ${field}: () => "${text}" } }, ${more}`;

/** Step → what is wrong, as a definition and as code before it. */
const FAILURES: Record<string, { fields: string; before?: string; code: string; message: string }> = {
  bundle: {
    fields: answering("steps", "steps", "new"),
    before: "const = 1;",
    code: "PLUGIN_LOAD_FAILED",
    message: "but found",
  },
  load: {
    fields: answering("steps", "steps", "new"),
    before: `throw new Error("no licence");`,
    code: "PLUGIN_LOAD_FAILED",
    message: "no licence",
  },
  definition: {
    fields: answering("steps", "steps", "new", "tags: 5,"),
    code: "PLUGIN_INVALID",
    message: "tags must be",
  },
  schema: {
    fields: `name: "steps", typeDefs: "type Query { steps: Missing }",`,
    code: "PLUGIN_INVALID",
    message: "Missing",
  },
  config: {
    fields: answering("steps", "steps", "new", `config() { throw new Error("no port"); },`),
    code: "PLUGIN_INVALID",
    message: "no port",
  },
  setup: {
    fields: answering("steps", "steps", "new", `async setup() { throw new Error("no database"); },`),
    code: "PLUGIN_LOAD_FAILED",
    message: "no database",
  },
  health: {
    fields: answering("steps", "steps", "new", `health() { throw new Error("not well"); },`),
    code: "PLUGIN_LOAD_FAILED",
    message: "not well",
  },
  name: { fields: answering("core", "steps", "new"), code: "NAME_TAKEN", message: "belongs to the core" },
};

for (const isolation of ISOLATIONS) {
  describe(isolation, () => {
    test("whichever step fails, the old version serves, and the answer of a reload says which", async () => {
      await using stage = await startStage({
        config: { pluginsWatch: "off" },
        binary: isolation !== "inline",
        env: { PLUGINS_WATCH: "off" },
      });
      const good = () => stage.save("steps.ts", answering("steps", "steps", "old"), isolation);
      await good();
      expect((await stage.action("steps", "reload")).status).toBe(200);
      for (const [step, { fields, before, code, message }] of Object.entries(FAILURES)) {
        await stage.save("steps.ts", fields, isolation, before);
        const answer = await stage.action("steps", "reload");
        const file = expect.stringMatching(/plugins\/steps\.ts$/);
        const detail = expect.stringContaining(message);
        expect(answer.body).toMatchObject({ code, step, file, detail, status: answer.status });
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        const reason = { code, step, file, message: detail };
        expect(await stage.view("steps.ts")).toMatchObject({
          name: "steps",
          composition: "PREVIOUS",
          reason,
        });
        const { body } = await until(
          () => stage.registered("steps"),
          (each) => each.body.status === "DEGRADED" && each.body.statusReason.includes(message),
        );
        expect(body.statusReason).toStartWith(code);
        expect((await stage.ask("{ steps }")).data).toEqual({ steps: "old" });
      }
      await good();
      expect(await stage.action("steps", "reload")).toMatchObject({ status: 200, body: { reason: null } });
      await until(
        () => stage.registered("steps"),
        ({ body }) => body.status === "ACTIVE",
      );
    });

    test("the last save wins: it ends the attempt before it at once", async () => {
      await using stage = await startStage({ binary: isolation !== "inline" });
      await stage.save("last.ts", answering("last", "last", "0"), isolation);
      await stage.untilAnswers("{ last }", { last: "0" });
      const hanging = `async setup({ every }) { every(5, () => note("last hangs")); await gate("never"); },`;
      await stage.save("last.ts", answering("last", "last", "1", hanging), isolation);
      await stage.untilNoted("last hangs");
      const startedAt = performance.now();
      const ticking = `setup({ every }) { let n = 0; every(5, () => note("tick " + (n += 1))); },`;
      await stage.save("last.ts", answering("last", "last", "2", ticking), isolation);
      await stage.untilAnswers("{ last }", { last: "2" });
      // The attempt had five seconds.
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      // Its code has ended, too; of what is inline the end cannot be made.
      await stage.untilNoted("tick 3");
      const count = () => stage.notes.filter((each) => each === "last hangs").length;
      const ended = count();
      await stage.untilNoted("tick 10");
      if (isolation !== "inline") expect(count()).toBe(ended);
      expect(await stage.view("last.ts")).toMatchObject({ reason: null });
    });
  });
}

describe("without a change of the schema", () => {
  test("what the definition says of the plugin reaches the registry", async () => {
    await using stage = await startStage();
    const told = (more: string) => stage.save("told.ts", answering("told", "told", "yes", more));
    await told(`displayName: "First", description: "One", tags: ["a"], metadata: { team: "blue" },`);
    await stage.untilAnswers("{ told }", { told: "yes" });
    const { body } = await stage.registered("told");
    expect(body).toMatchObject({ displayName: "First", tags: ["a"], metadata: { team: "blue" } });
    await told(`displayName: "Second", description: "Two", tags: ["b", "c"], dependencies: ["core"],
      metadata: { team: "red", gateway: { headers: ["x-tenant"] } },`);
    const changed = await until(
      () => stage.registered("told"),
      (answer) => answer.body.displayName === "Second",
    );
    expect(changed.body).toMatchObject({
      description: "Two",
      tags: ["b", "c"],
      dependencies: ["core"],
      metadata: { team: "red", gateway: { headers: ["x-tenant"] } },
    });
    expect(changed.body.id).toBe(body.id);
  });

  test("what the definition says no more is gone from the registry", async () => {
    await using stage = await startStage();
    const more = `displayName: "Shown", description: "One", tags: ["a"], metadata: { team: "blue" },`;
    await stage.save("told.ts", answering("told", "told", "1", more));
    await stage.untilAnswers("{ told }", { told: "1" });
    await stage.save("told.ts", answering("told", "told", "2"));
    expect((await stage.action("told", "reload")).status).toBe(200);
    const { body } = await stage.registered("told");
    expect(body).toMatchObject({ displayName: null, description: null, tags: [], metadata: {} });
  });

  test("other code serves, whatever it says of headers that it wants", async () => {
    await using stage = await startStage();
    for (const text of ["none", "x-one", "x-two"]) {
      const metadata = text === "none" ? "" : `metadata: { gateway: { headers: ["${text}"] } },`;
      await stage.save("wanting.ts", answering("wanting", "wanting", text, metadata));
      await stage.untilAnswers("{ wanting }", { wanting: text });
    }
  });
});

describe("names", () => {
  test("a definition that is renamed moves, with its field", async () => {
    await using stage = await startStage();
    await stage.save("a.ts", answering("before", "field", "1"));
    await stage.untilAnswers("{ field }", { field: "1" });
    await stage.save("a.ts", answering("after", "field", "2", `setup: () => gate("setup"),`));
    await until(
      () => stage.isWaiting("setup"),
      (isWaiting) => isWaiting,
    );
    expect((await stage.ask("{ field }")).data).toEqual({ field: "1" });
    stage.open("setup");
    await stage.untilAnswers("{ field }", { field: "2" });
    await until(
      () => stage.registered("before"),
      ({ status }) => status === 404,
    );
    expect((await stage.registered("after")).body).toMatchObject({ source: "PLUGIN", status: "ACTIVE" });
    expect(await stage.view("a.ts")).toMatchObject({ name: "after", reason: null });
  });

  test("a definition that is renamed and then fails keeps its old name and field", async () => {
    await using stage = await startStage();
    await stage.save("a.ts", answering("before", "field", "1"));
    await stage.untilAnswers("{ field }", { field: "1" });
    await stage.save("a.ts", answering("after", "field", "2", `setup() { throw new Error("not yet"); },`));
    expect((await stage.action("before", "reload")).body).toMatchObject({ step: "setup" });
    expect((await stage.ask("{ field }")).data).toEqual({ field: "1" });
    expect(await stage.view("a.ts")).toMatchObject({ name: "before", composition: "PREVIOUS" });
    expect((await stage.registered("after")).status).toBe(404);
    await stage.write("b.ts", pluginSource("after", "other", "free"));
    await stage.untilAnswers("{ other field }", { other: "free", field: "1" });
  });

  test("a file that is renamed keeps the name of its definition", async () => {
    await using stage = await startStage();
    await stage.save("old.ts", answering("stays", "field", "1"));
    await stage.untilAnswers("{ field }", { field: "1" });
    await rename(`${stage.folder}/plugins/old.ts`, `${stage.folder}/plugins/new.ts`);
    await stage.untilView("new.ts", ({ name, status }) => name === "stays" && status === "ACTIVE");
    await stage.untilAnswers("{ field }", { field: "1" });
    expect(await stage.view("old.ts")).toBeUndefined();
    expect((await stage.registered("stays")).body).toMatchObject({ status: "ACTIVE" });
    await stage.save("new.ts", answering("stays", "field", "2"));
    await stage.untilAnswers("{ field }", { field: "2" });
  });

  test("the second plugin of a name is refused with the reason, and takes over when the first is gone", async () => {
    await using stage = await startStage();
    await stage.save("a.ts", answering("twin", "first", "1"));
    await stage.untilAnswers("{ first }", { first: "1" });
    await stage.save("b.ts", answering("twin", "second", "2"));
    const view = await stage.untilView("b.ts", ({ reason }) => reason !== null);
    expect(view).toMatchObject({
      name: "b",
      status: "INACTIVE",
      reason: {
        code: "PLUGIN_INVALID",
        step: "name",
        message: expect.stringMatching(/plugins\/a\.ts is named twin too/),
      },
    });
    expect((await stage.ask("{ first }")).data).toEqual({ first: "1" });
    await stage.remove("a.ts");
    await stage.untilAnswers("{ second }", { second: "2" });
    await stage.untilUnknown("first");
    expect(await stage.untilView("b.ts", ({ status }) => status === "ACTIVE")).toMatchObject({
      name: "twin",
    });
    await until(
      () => stage.registered("b"),
      ({ status }) => status === 404,
    );
  });

  test("the name of a remote service is refused, left alone, and taken once it is free", async () => {
    await using stage = await startStage();
    await using remote = await startService({ typeDefs: "type Query { remote: Int }" });
    const { registry } = stage.urls;
    const metadata = { endpoints: { graphql: "/graphql" } };
    await post(`${registry}/register`, { serviceName: "payment", url: remote.url, metadata });
    await stage.untilAnswers("{ remote }", { remote: null });
    const untilRefused = async (file: string) =>
      expect(await stage.untilView(file, ({ reason }) => reason !== null)).toMatchObject({
        status: "INACTIVE",
        reason: { code: "NAME_TAKEN", step: "name" },
      });
    await stage.save("payment.ts", answering("payment", "plugin", "1"));
    await untilRefused("payment.ts");
    for (const what of ["reload", "disable", "enable"])
      expect(await stage.action("payment", what)).toMatchObject({
        status: 409,
        body: { code: "NAME_TAKEN" },
      });
    expect((await stage.registered("payment")).body).toMatchObject({ source: "REMOTE", status: "ACTIVE" });
    await rename(`${stage.folder}/plugins/payment.ts`, `${stage.folder}/plugins/else.ts`);
    await untilRefused("else.ts");
    expect((await stage.ask("{ remote }")).data).toEqual({ remote: null });
    expect((await stage.registered("payment")).body).toMatchObject({ source: "REMOTE", status: "ACTIVE" });
    await post(`${registry}/unregister`, { serviceName: "payment" });
    await stage.untilAnswers("{ plugin }", { plugin: "1" });
    await stage.untilUnknown("remote");
    await until(
      () => stage.registered("payment"),
      ({ body }) => body.source === "PLUGIN" && body.status === "ACTIVE",
    );
    // The file of before, which had to find itself another name, goes without what has its old one.
    await until(
      async () => [await stage.view("payment.ts"), (await stage.registered("payment-2")).status],
      ([view, status]) => view === undefined && status === 404,
    );
    expect((await stage.ask("{ plugin }")).data).toEqual({ plugin: "1" });
    expect(await stage.view("else.ts")).toMatchObject({ name: "payment", composition: "COMPOSED" });
  });
});

describe("what collides in the graph", () => {
  test("a plugin that wants a remote service's field is refused alone, and is in once the field is free", async () => {
    await using stage = await startStage();
    await using remote = await startService({ typeDefs: "type Query { wanted: String }" });
    const { registry } = stage.urls;
    const metadata = { endpoints: { graphql: "/graphql" } };
    await post(`${registry}/register`, { serviceName: "owner", url: remote.url, metadata });
    await stage.untilAnswers("{ wanted }", { wanted: null });

    const more = `fetch: () => new Response("old"), dispose: () => note("old disposed"),`;
    await stage.save("late.ts", answering("late", "mine", "old", more));
    await stage.untilAnswers("{ mine }", { mine: "old" });
    await stage.save("late.ts", answering("late", "wanted", "new", `fetch: () => new Response("new"),`));
    expect(await stage.action("late", "reload")).toMatchObject({
      status: 409,
      body: { code: "ROOT_FIELD_TAKEN", detail: expect.stringContaining("owner") },
    });
    await until(
      () => stage.registered("late"),
      ({ body }) => body.status === "DEGRADED" && body.statusReason.startsWith("ROOT_FIELD_TAKEN"),
    );
    // The old version serves, over its own doors too.
    expect((await stage.ask("{ mine wanted }")).data).toEqual({ mine: "old", wanted: null });
    expect(await (await fetch(`${stage.urls.gateway}/plugins/late/`)).text()).toBe("old");
    expect((await graphql(`${stage.urls.gateway}/plugins/late/graphql`, "{ mine }")).data).toEqual({
      mine: "old",
    });
    expect(stage.notes).toEqual([]);

    remote.change({ typeDefs: "type Query { other: String }" });
    await post(`${registry}/register`, { serviceName: "owner", url: remote.url, metadata });
    await stage.untilAnswers("{ wanted other }", { wanted: "new", other: null });
    await stage.untilUnknown("mine");
    await stage.untilNoted("old disposed");
    expect(await (await fetch(`${stage.urls.gateway}/plugins/late/`)).text()).toBe("new");
    await stage.untilView("late.ts", ({ status, reason }) => status === "ACTIVE" && reason === null);
  });

  test("a new plugin that wants another's field is in once that one is removed", async () => {
    await using stage = await startStage();
    await stage.save("a.ts", answering("a", "wanted", "a"));
    await stage.untilAnswers("{ wanted }", { wanted: "a" });
    await stage.save("b.ts", answering("b", "wanted", "b"));
    await stage.untilView("b.ts", ({ status }) => status === "ERROR");
    expect(await stage.view("b.ts")).toMatchObject({
      reason: { code: "ROOT_FIELD_TAKEN" },
      composition: "REJECTED",
    });
    expect((await stage.ask("{ wanted }")).data).toEqual({ wanted: "a" });
    await stage.remove("a.ts");
    await stage.untilAnswers("{ wanted }", { wanted: "b" });
    await stage.untilView("b.ts", ({ status }) => status === "ACTIVE");
  });
});

test("every plugin is listed with its file, its isolation, its status and the reason", async () => {
  await using stage = await startStage({
    files: ({ prelude }) => ({
      "good.ts": pluginSource("good", "good", "yes"),
      "quick.ts": `${prelude} export default definePlugin({ version: "2", isolation: "inline", ${answering("fast", "fast", "yes")} });`,
      "folder/index.js": "export default ];",
    }),
  });
  const file = (path: string) => expect.stringMatching(new RegExp(`plugins/${path}$`));
  const well = { status: "ACTIVE", composition: "COMPOSED", reason: null, crashes: 0 };
  expect(await stage.view("good.ts")).toMatchObject({
    name: "good",
    file: file("good.ts"),
    version: "1.0.0",
    isolation: "worker",
    ...well,
  });
  expect(await stage.view("quick.ts")).toMatchObject({
    name: "fast",
    version: "2",
    isolation: "inline",
    ...well,
  });
  expect(await stage.view("folder/index.js")).toMatchObject({
    name: "folder",
    version: null,
    isolation: null,
    status: "INACTIVE",
    composition: "REJECTED",
    reason: {
      code: "PLUGIN_LOAD_FAILED",
      step: "bundle",
      file: file("folder/index.js"),
      line: 1,
      column: 16,
    },
  });
  await stage.action("fast", "disable");
  expect(await stage.view("quick.ts")).toMatchObject({ status: "MAINTENANCE" });
});
