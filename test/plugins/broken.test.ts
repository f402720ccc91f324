/** Plugins that do not load: each is reported with its reason and place, and the rest serves. */
import { expect, test } from "bun:test";
import { startApp, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";
import { PROMPT, putBroken } from "./broken-plugins.ts";

const plugin = (fields: string) =>
  `import { definePlugin } from "bobbin";\nexport default definePlugin({ ${fields} });`;

const UNKNOWN_FIELD = { extensions: { code: "GRAPHQL_VALIDATION_FAILED" } };

/** Definitions that are wrong in some further way: the code's default export → what is said of the plugin. */
const WRONG = {
  "no-version": { fields: "", message: /version/ },
  "unknown-type": { fields: `version: "1", typeDefs: "type Query { a: Missing }"`, message: /Missing/ },
  "wrong-tags": { fields: `version: "1", tags: "abc"`, message: /tags must be a list of texts/ },
  "wrong-text": { fields: `version: "1", description: 5`, message: /description must be a text/ },
  "wrong-title": { fields: `version: "1", displayName: {}`, message: /displayName must be a text/ },
  "wrong-setup": { fields: `version: "1", setup: "now"`, message: /setup must be a function/ },
  "wrong-isolation": { fields: `version: "1", isolation: "thread"`, message: /isolation is "thread"/ },
  "wrong-namespace": {
    fields: `version: "1", metadata: { gateway: { namespace: "1bad" } }`,
    message: /metadata\.gateway\.namespace must match/,
  },
} as const;

interface Said {
  readonly kind: string;
  readonly reason: Readonly<Record<string, unknown>>;
  readonly message: RegExp;
}

const WRONG_SAID: readonly Said[] = Object.entries(WRONG).map(([kind, { message }]) => {
  const step = kind === "unknown-type" ? "schema" : "definition";
  return { kind, message, reason: { code: "PLUGIN_INVALID", step } };
});

/** Whose field is taken is another matter: see below. */
const FIXTURES_SAID: readonly Said[] = PROMPT.filter(({ kind }) => kind !== "taken-field").map(
  ({ kind, code, step, place, text }) => ({
    kind,
    message: new RegExp(RegExp.escape(text)),
    reason: { code, step, ...place },
  }),
);

test("each broken plugin is reported with its reason, and the others serve", async () => {
  await using folder = await tempFolder();
  const plugins = `${folder.path}/plugins`;
  const sources = Object.entries(WRONG).map(([kind, { fields }]) => {
    const typeDefs = fields.includes("typeDefs") ? "" : `typeDefs: "type Query { a: Int }",`;
    return [`${kind}.ts`, plugin(`name: "${kind}", ${typeDefs} ${fields}`)];
  });
  await writeFiles(plugins, {
    ...Object.fromEntries(sources),
    "good.ts": pluginSource("good", "good", "yes"),
  });
  for (const { kind } of FIXTURES_SAID) await putBroken(kind, plugins);
  await using bobbin = await startBinary({ folder: folder.path });
  const { gateway, registry } = bobbin.urls;

  expect((await graphql(gateway, "{ good }")).data).toEqual({ good: "yes" });
  const { body } = await get(`${gateway}/gateway/services`);
  for (const { kind, reason, message } of [...FIXTURES_SAID, ...WRONG_SAID]) {
    const listed = body.services.find((service: { name: string }) => service.name === kind);
    expect(listed).toMatchObject({ source: "PLUGIN", status: "INACTIVE", composition: "REJECTED" });
    const where = { ...reason, file: `plugins/${kind}.ts` };
    expect(listed.reason).toMatchObject(where);
    expect(listed.reason.message).toMatch(message);

    const registered = await get(`${registry}/services/${kind}`);
    expect(registered.body).toMatchObject({ status: "INACTIVE", statusReason: listed.reason.message });
    const logged = bobbin.lines.find((line) => line.plugin === kind);
    expect(logged).toMatchObject({ level: "error", ...where });
    expect((await get(`${gateway}/plugins/${kind}/graphql?query={__typename}`)).status).toBe(503);
  }
});

test("an error in a file that a plugin imports names that file", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, {
    "plugins/syntax/index.ts": `import { part } from "./part.ts";\nexport default part;`,
    "plugins/syntax/part.ts": "export const fine = 1;\n\nexport const part = ];",
    "plugins/throws.ts": `import { part } from "../shared/part.ts";\nexport default part();`,
    "shared/part.ts": "export function part(): never {\n  throw new Error('not today');\n}",
    "plugins/thrown-by-host.ts": `import { assertName } from "graphql";\n\nexport default assertName("1");`,
  });
  await using bobbin = await startBinary({ folder: folder.path });

  const { body } = await get(`${bobbin.urls.gateway}/gateway/services`);
  const reasonOf = (name: string) =>
    body.services.find((service: { name: string }) => service.name === name).reason;
  const code = "PLUGIN_LOAD_FAILED";
  expect(reasonOf("syntax")).toMatchObject({
    code,
    step: "bundle",
    file: "plugins/syntax/part.ts",
    line: 3,
    column: 21,
  });
  expect(reasonOf("throws")).toMatchObject({ code, step: "load", file: "shared/part.ts", line: 2 });
  expect(reasonOf("thrown-by-host")).toMatchObject({
    code,
    step: "load",
    file: "plugins/thrown-by-host.ts",
    line: 3,
  });
});

test("two plugins of one name: the first file serves, the second is refused under its file's name", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "a.ts": pluginSource("twin", "twin", "first").replace(
      "resolvers:",
      "setup: () => Bun.sleep(300), resolvers:",
    ),
    "b.ts": pluginSource("twin", "twin", "second"),
  });
  await using bobbin = await startBinary({ folder: folder.path });

  expect((await graphql(bobbin.urls.gateway, "{ twin }")).data).toEqual({ twin: "first" });
  const refused = bobbin.lines.find(({ level, plugin }) => level === "error" && plugin === "b");
  expect(refused).toMatchObject({ code: "PLUGIN_INVALID", step: "name", file: "plugins/b.ts" });
  expect(refused?.reason).toMatch(/plugins\/a\.ts/);
  const { body } = await get(`${bobbin.urls.gateway}/gateway/services`);
  expect(body.services).toContainEqual(
    expect.objectContaining({
      name: "b",
      composition: "REJECTED",
      reason: expect.objectContaining({ code: "PLUGIN_INVALID", step: "name", file: "plugins/b.ts" }),
    }),
  );
});

test("a broken file does not take the name of a plugin that works", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "clock.ts": "export default ];",
    "works.ts": pluginSource("clock", "clock", "ticks"),
  });
  await using app = await startApp({ folder: folder.path });
  expect((await graphql(app.urls.gateway, "{ clock }")).data).toEqual({ clock: "ticks" });
});

test("a plugin cannot take the name of a remote service or of the core", async () => {
  await using folder = await tempFolder();
  await using remote = await startService({
    typeDefs: "type Query { held: String }",
    resolvers: { Query: { held: () => "remote" } },
  });
  {
    await using app = await startBinary({ folder: folder.path });
    const registered = await post(`${app.urls.registry}/register`, {
      serviceName: "held",
      url: remote.url,
      metadata: { endpoints: { graphql: "/graphql" } },
    });
    expect(registered.status).toBe(201);
  }
  await writeFiles(`${folder.path}/plugins`, {
    "core.ts": pluginSource("core", "mine", "plugin"),
    "held.ts": pluginSource("held", "held", "plugin"),
    "free.ts": pluginSource("free", "free", "yes"),
  });

  await using bobbin = await startBinary({ folder: folder.path });
  const { gateway, registry } = bobbin.urls;
  await until(
    () => graphql(gateway, "{ held free }"),
    ({ data }) => data?.held === "remote" && data.free === "yes",
  );
  expect((await graphql(gateway, "{ mine }")).errors).toMatchObject([UNKNOWN_FIELD]);
  expect((await get(`${registry}/services/held`)).body.source).toBe("REMOTE");
  expect((await get(`${registry}/services/core`)).body.source).toBe("CORE");
  for (const name of ["held", "core"]) {
    expect(bobbin.lines).toContainEqual(
      expect.objectContaining({ level: "error", plugin: name, code: "NAME_TAKEN" }),
    );
    expect((await get(`${gateway}/plugins/${name}/graphql?query={__typename}`)).status).toBe(503);
  }
});

test("a plugin that cannot be registered is left out alone, with the reason in the log", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "endless.ts": plugin(
      `name: "endless", version: "1", typeDefs: "type Query { endless: Int }", description: "x".repeat(2_001)`,
    ),
    "good.ts": pluginSource("good", "good", "yes"),
  });
  await using bobbin = await startBinary({ folder: folder.path });
  expect((await graphql(bobbin.urls.gateway, "{ good }")).data).toEqual({ good: "yes" });
  expect((await graphql(bobbin.urls.gateway, "{ endless }")).errors).toMatchObject([UNKNOWN_FIELD]);
  expect((await get(`${bobbin.urls.registry}/services/endless`)).status).toBe(404);
  expect(bobbin.lines).toContainEqual(
    expect.objectContaining({
      level: "error",
      plugin: "endless",
      code: "PLUGIN_INVALID",
      reason: expect.stringContaining("description is longer"),
      file: "plugins/endless.ts",
    }),
  );
});

test("a plugin whose field another one owns is left out alone, with both names in the reason", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "a.ts": pluginSource("first", "shared", "first"),
    "b.ts": pluginSource("second", "shared", "second"),
  });
  await using app = await startApp({ folder: folder.path });

  expect((await graphql(app.urls.gateway, "{ shared }")).data).toEqual({ shared: "first" });
  const { body } = await get(`${app.urls.gateway}/gateway/services`);
  const second = body.services.find((service: { name: string }) => service.name === "second");
  expect(second).toMatchObject({ composition: "REJECTED", reason: { code: "ROOT_FIELD_TAKEN" } });
  expect(second.reason.message).toMatch(/first.*second|second.*first/);
  await until(
    () => get(`${app.urls.registry}/services/second`),
    ({ body: service }) => service.status === "ERROR",
  );
});

test("a plugin that is mended serves at the next start", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/late.ts": "export default ];" });
  {
    await using app = await startBinary({ folder: folder.path });
    expect((await get(`${app.urls.registry}/services/late`)).body.status).toBe("INACTIVE");
  }
  await writeFiles(folder.path, { "plugins/late.ts": pluginSource("late", "late", "better") });

  await using app = await startBinary({ folder: folder.path });
  expect((await graphql(app.urls.gateway, "{ late }")).data).toEqual({ late: "better" });
  await until(
    () => get(`${app.urls.registry}/services/late`),
    ({ body }) => body.status === "ACTIVE" && body.statusReason === null,
  );
});
