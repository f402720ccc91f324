/** Plugins that do not load: each is reported with its reason and place, and the rest serves. */
import { expect, test } from "bun:test";
import { startApp, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";

const plugin = (fields: string) =>
  `import { definePlugin } from "bobbin";\nexport default definePlugin({ ${fields} });`;

const UNKNOWN_FIELD = { extensions: { code: "GRAPHQL_VALIDATION_FAILED" } };

/** A file → what is said of the plugin in it. */
const BROKEN = {
  "syntax.ts": {
    source: "export default {\n  name: 'syntax',\n  version: = 3,\n};",
    name: "syntax",
    reason: { code: "PLUGIN_LOAD_FAILED", line: 3, column: 12 },
  },
  "missing-import.ts": {
    source: `import { definePlugin } from "bobbin";\nimport { gone } from "./gone.ts";\nexport default gone;`,
    name: "missing-import",
    reason: { code: "PLUGIN_LOAD_FAILED", line: 2, column: 22, message: /gone\.ts/ },
  },
  "throws.ts": {
    source: "const now = 1;\nfunction start(): never {\n  throw new Error('no licence');\n}\nstart();",
    name: "throws",
    reason: { code: "PLUGIN_LOAD_FAILED", line: 3, message: /no licence/ },
  },
  "no-default.ts": {
    source: "export const name = 'no-default';",
    name: "no-default",
    reason: { code: "PLUGIN_INVALID", message: /no default export/ },
  },
  "wrong-name.ts": {
    source: plugin(`name: "Wrong Name", version: "1", typeDefs: "type Query { a: Int }"`),
    name: "wrong-name",
    reason: { code: "PLUGIN_INVALID", message: /"Wrong Name" does not match/ },
  },
  "no-version.ts": {
    source: plugin(`name: "no-version", typeDefs: "type Query { a: Int }"`),
    name: "no-version",
    reason: { code: "PLUGIN_INVALID", message: /version/ },
  },
  "bad-sdl.ts": {
    source: plugin(`name: "bad-sdl", version: "1", typeDefs: "type Query { a: "`),
    name: "bad-sdl",
    reason: { code: "PLUGIN_INVALID", message: /Syntax Error/ },
  },
  "unknown-type.ts": {
    source: plugin(`name: "unknown-type", version: "1", typeDefs: "type Query { a: Missing }"`),
    name: "unknown-type",
    reason: { code: "PLUGIN_INVALID", message: /Missing/ },
  },
  "missing-field.ts": {
    source: plugin(
      `name: "missing-field", version: "1", typeDefs: "type Query { a: Int }", resolvers: { Query: { b: () => 1 } }`,
    ),
    name: "missing-field",
    reason: { code: "PLUGIN_INVALID", message: /Query\.b/ },
  },
  "wrong-tags.ts": {
    source: plugin(`name: "wrong-tags", version: "1", typeDefs: "type Query { a: Int }", tags: "abc"`),
    name: "wrong-tags",
    reason: { code: "PLUGIN_INVALID", message: /tags must be a list of texts/ },
  },
  "wrong-text.ts": {
    source: plugin(`name: "wrong-text", version: "1", typeDefs: "type Query { a: Int }", description: 5`),
    name: "wrong-text",
    reason: { code: "PLUGIN_INVALID", message: /description must be a text/ },
  },
  "wrong-title.ts": {
    source: plugin(`name: "wrong-title", version: "1", typeDefs: "type Query { a: Int }", displayName: {}`),
    name: "wrong-title",
    reason: { code: "PLUGIN_INVALID", message: /displayName must be a text/ },
  },
  "wrong-namespace.ts": {
    source: plugin(
      `name: "wrong-namespace", version: "1", typeDefs: "type Query { a: Int }", metadata: { gateway: { namespace: "1bad" } }`,
    ),
    name: "wrong-namespace",
    reason: { code: "PLUGIN_INVALID", message: /metadata\.gateway\.namespace must match/ },
  },
} as const;

test("each broken plugin is reported with its reason, and the others serve", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    ...Object.fromEntries(Object.entries(BROKEN).map(([file, { source }]) => [file, source])),
    "good.ts": pluginSource("good", "good", "yes"),
  });
  await using bobbin = await startBinary({ folder: folder.path });
  const { gateway, registry } = bobbin.urls;

  expect((await graphql(gateway, "{ good }")).data).toEqual({ good: "yes" });
  const { body } = await get(`${gateway}/gateway/services`);
  for (const [file, { name, reason }] of Object.entries(BROKEN)) {
    const listed = body.services.find((service: { name: string }) => service.name === name);
    expect(listed).toMatchObject({ source: "PLUGIN", status: "INACTIVE", composition: "REJECTED" });
    const { message = new RegExp(file), ...place } = reason as typeof reason & { message?: RegExp };
    expect(listed.reason).toMatchObject({ ...place, file: `plugins/${file}` });
    expect(listed.reason.message).toMatch(message);

    const registered = await get(`${registry}/services/${name}`);
    expect(registered.body).toMatchObject({ status: "INACTIVE", statusReason: listed.reason.message });
    const logged = bobbin.lines.find((line) => line.plugin === name);
    expect(logged).toMatchObject({ level: "error", ...place, file: `plugins/${file}` });
    expect((await get(`${gateway}/plugins/${name}/graphql?query={__typename}`)).status).toBe(404);
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
  expect(reasonOf("syntax")).toMatchObject({ code, file: "plugins/syntax/part.ts", line: 3, column: 21 });
  expect(reasonOf("throws")).toMatchObject({ code, file: "shared/part.ts", line: 2 });
  expect(reasonOf("thrown-by-host")).toMatchObject({ code, file: "plugins/thrown-by-host.ts", line: 3 });
});

test("two plugins of one name: the first file serves, the second is refused in the log", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "a.ts": pluginSource("twin", "twin", "first"),
    "b.ts": pluginSource("twin", "twin", "second"),
  });
  await using bobbin = await startBinary({ folder: folder.path });

  expect((await graphql(bobbin.urls.gateway, "{ twin }")).data).toEqual({ twin: "first" });
  const refused = bobbin.lines.find(({ level, plugin }) => level === "error" && plugin === "twin");
  expect(refused).toMatchObject({ code: "PLUGIN_INVALID", file: "plugins/b.ts" });
  expect(refused?.reason).toMatch(/plugins\/a\.ts/);
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
    expect((await get(`${gateway}/plugins/${name}/graphql?query={__typename}`)).status).toBe(404);
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
