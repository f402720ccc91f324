/** The graph follows the plugin folder: what is dropped into it, changed in it and taken out of it, however that is done. */
import { describe, expect, test } from "bun:test";
import { mkdir, rename, rm, symlink, unlink } from "node:fs/promises";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";

/** A plugin named `a` whose field `a` answers the text. */
const answering = (text: string) => pluginSource("a", "a", text);

/** A plugin whose field answers the value of an expression. */
const plugin = (name: string, expression: string, imports = "") => `
  import { definePlugin } from "bobbin";
  ${imports}
  export default definePlugin({
    name: "${name}", version: "1.0.0",
    typeDefs: "type Query { ${name}: String }",
    resolvers: { Query: { ${name}: (_parent, _args, context) => String(${expression}) } },
  });`;

/** Returns when the graph answers so. */
async function untilAnswers(app: TestApp, data: Record<string, string>, boundMs?: number): Promise<void> {
  await until(
    () => graphql(app.urls.gateway, `{ ${Object.keys(data).join(" ")} }`),
    (answer) => Bun.deepEquals(answer.data, data),
    boundMs,
  );
}

/** Returns when the plugin is neither in the graph nor registered. */
async function untilGone(app: TestApp, name: string): Promise<void> {
  await until(
    () => graphql(app.urls.gateway, `{ ${name} }`),
    ({ errors }) => errors?.[0]?.extensions?.code === "GRAPHQL_VALIDATION_FAILED",
  );
  await until(
    () => get(`${app.urls.registry}/services/${name}`),
    ({ status }) => status === 404,
  );
}

async function saveAtomically(path: string, content: string): Promise<void> {
  await Bun.write(`${path}.tmp-1`, content);
  await rename(`${path}.tmp-1`, path);
}

async function saveLikeVim(path: string, content: string): Promise<void> {
  await rename(path, `${path}~`);
  await Bun.write(path, content);
  await unlink(`${path}~`);
}

async function relink(target: string, path: string): Promise<void> {
  await symlink(target, `${path}_tmp`);
  await rename(`${path}_tmp`, path);
}

const STARTS: Record<string, () => Promise<TestApp>> = {
  "in this process": () => startApp(),
  "the binary": () => startBinary(),
  "the binary, polling": () => startBinary({ env: { PLUGINS_WATCH: "poll" } }),
};
/** In the full run only. */
const long = test.if(Boolean(process.env.TEST_FULL));

for (const [what, start] of Object.entries(STARTS)) {
  (what === "the binary" ? test : long)(
    `a plugin is dropped in, changed, joined by another and removed (${what})`,
    async () => {
      await using app = await start();
      const plugins = `${app.folder}/plugins`;
      await untilGone(app, "a");
      await Bun.write(`${plugins}/a.ts`, answering("1"));
      await untilAnswers(app, { a: "1" });
      await Bun.write(`${plugins}/a.ts`, answering("2"));
      await untilAnswers(app, { a: "2" });
      await Bun.write(`${plugins}/b/index.ts`, pluginSource("b", "b", "new"));
      await untilAnswers(app, { a: "2", b: "new" });
      await rm(`${plugins}/a.ts`);
      await untilGone(app, "a");
      await untilAnswers(app, { b: "new" });
      await rm(`${plugins}/b`, { recursive: true });
      await untilGone(app, "b");
    },
  );
}

const SAVES = { "saved atomically": saveAtomically, "saved as vim does": saveLikeVim };
for (const [what, save] of Object.entries(SAVES)) {
  test(`a plugin may be ${what}, and serves all the time`, async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, { "plugins/a.ts": answering("0") });
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, { a: "0" });

    let isOver = false;
    const failures: unknown[] = [];
    const asking = (async () => {
      while (!isOver) {
        const answer = await graphql(app.urls.gateway, "{ a }");
        if (answer.errors) failures.push(answer);
      }
    })();
    for (const text of ["1", "2", "3", "4", "5"]) {
      await save(`${folder.path}/plugins/a.ts`, answering(text));
      await untilAnswers(app, { a: text });
    }
    isOver = true;
    await asking;
    expect(failures).toEqual([]);
  });
}

describe("the folder", () => {
  long("may be removed and made again", async () => {
    await using folder = await tempFolder();
    const plugins = `${folder.path}/plugins`;
    await writeFiles(plugins, { "a.ts": answering("1") });
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, { a: "1" });
    await rm(plugins, { recursive: true });
    await untilGone(app, "a");
    await writeFiles(plugins, { "a.ts": answering("2") });
    await untilAnswers(app, { a: "2" });
    await Bun.write(`${plugins}/a.ts`, answering("3"));
    await untilAnswers(app, { a: "3" });

    await rename(plugins, `${plugins}-old`);
    await writeFiles(plugins, { "a.ts": answering("4") });
    await untilAnswers(app, { a: "4" });
    await Bun.write(`${plugins}/a.ts`, answering("5"));
    await untilAnswers(app, { a: "5" });
  });

  long("may be a link that is led elsewhere", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "v1/a.ts": answering("1"),
      "v2/a.ts": answering("2"),
      "v2/b.ts": pluginSource("b", "b", "in 2"),
    });
    await symlink("v1", `${folder.path}/plugins`);
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, { a: "1" });
    await relink("v2", `${folder.path}/plugins`);
    await untilAnswers(app, { a: "2", b: "in 2" });
    await Bun.write(`${folder.path}/v2/a.ts`, answering("3"));
    await untilAnswers(app, { a: "3" });
    await relink("v1", `${folder.path}/plugins`);
    await untilAnswers(app, { a: "1" });
    await untilGone(app, "b");
  });

  test("may be a Kubernetes mount", async () => {
    await using folder = await tempFolder();
    const plugins = `${folder.path}/plugins`;
    await writeFiles(plugins, { "..2024_1/a.ts": answering("1") });
    await symlink("..2024_1", `${plugins}/..data`);
    await symlink("..data/a.ts", `${plugins}/a.ts`);
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, { a: "1" });
    for (const version of [2, 3]) {
      await writeFiles(plugins, { [`..2024_${version}/a.ts`]: answering(String(version)) });
      await relink(`..2024_${version}`, `${plugins}/..data`);
      await rm(`${plugins}/..2024_${version - 1}`, { recursive: true });
      await untilAnswers(app, { a: String(version) });
    }
    const { body } = await get(`${app.urls.gateway}/gateway/services`);
    expect(body.services.filter(({ source }: { source: string }) => source === "PLUGIN")).toHaveLength(1);
  });

  long("may have links to plugins elsewhere", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "else/a.ts": answering("1"),
      "else/shop/index.ts": plugin("shop", "price", `import { price } from "./price.ts";`),
      "else/shop/price.ts": "export const price = 1;",
      "else/store/index.ts": plugin("shop", "price", `import { price } from "./parts/price.ts";`),
      "else/parts/1/price.ts": "export const price = 3;",
      "else/parts/2/price.ts": "export const price = 4;",
    });
    await mkdir(`${folder.path}/plugins`);
    await using app = await startApp({ folder: folder.path });
    await symlink("../else/a.ts", `${folder.path}/plugins/a.ts`);
    await symlink("../else/shop", `${folder.path}/plugins/shop`);
    await untilAnswers(app, { a: "1", shop: "1" });
    await saveAtomically(`${folder.path}/else/a.ts`, answering("2"));
    await untilAnswers(app, { a: "2" });
    await saveAtomically(`${folder.path}/else/shop/price.ts`, "export const price = 2;");
    await untilAnswers(app, { shop: "2" });
    await symlink("../parts/1", `${folder.path}/else/store/parts`);
    await relink("../else/store", `${folder.path}/plugins/shop`);
    await untilAnswers(app, { shop: "3" });
    await relink("../parts/2", `${folder.path}/else/store/parts`);
    await untilAnswers(app, { shop: "4" });
    await rm(`${folder.path}/plugins/shop`);
    await untilGone(app, "shop");
  });

  long("may see 30 plugins changed ten times each at once: the last content of each wins", async () => {
    await using folder = await tempFolder();
    const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
    const all = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
    const files = (text: string) =>
      Object.fromEntries(names.map((name) => [`plugins/${name}.ts`, pluginSource(name, name, text)]));
    await writeFiles(folder.path, files("0"));
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, all("0"));
    for (let round = 1; round <= 10; round++) await writeFiles(folder.path, files(String(round)));
    await untilAnswers(app, all("10"), 50_000);
  });
});

/** A file that a plugin is made of → where it is, how the plugin takes it, and two contents of it. */
const PARTS: Record<
  string,
  { path: string; imports: string; expression: string; contents: [string, string] }
> = {
  "a file beside it": {
    path: "plugins/a/lib/part.ts",
    imports: `import { part } from "./lib/part.ts";`,
    expression: "part",
    contents: [`export const part = "1";`, `export const part = "2";`],
  },
  "a file outside the folder": {
    path: "lib/part.ts",
    imports: `import { part } from "../../lib/part.ts";`,
    expression: "part",
    contents: [`export const part = "1";`, `export const part = "2";`],
  },
  JSON: {
    path: "plugins/a/part.json",
    imports: `import part from "./part.json";`,
    expression: "part.value",
    contents: [`{ "value": "1" }`, `{ "value": "2" }`],
  },
  "a text of GraphQL": {
    path: "plugins/a/note.graphql",
    imports: `import note from "./note.graphql";`,
    expression: "note.trim()",
    contents: ["1", "2"],
  },
  "its configuration": {
    path: "plugins/a/config.json",
    imports: "",
    expression: "context.config.value",
    contents: [`{ "value": "1" }`, `{ "value": "2" }`],
  },
};
describe("a plugin is loaded again for a change in", () => {
  for (const [what, { path, imports, expression, contents }] of Object.entries(PARTS)) {
    (what === "a file beside it" ? test : long)(what, async () => {
      await using folder = await tempFolder();
      const [first, second] = contents;
      await writeFiles(folder.path, {
        "plugins/a/index.ts": plugin("a", expression, imports),
        [path]: first,
      });
      await using app = await startApp({ folder: folder.path });
      await untilAnswers(app, { a: "1" });
      await Bun.write(`${folder.path}/${path}`, second);
      await untilAnswers(app, { a: "2" });
      await saveAtomically(`${folder.path}/${path}`, first);
      await untilAnswers(app, { a: "1" });
    });
  }

  long("the schema that it reads from a file", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "plugins/a/index.ts": `
        import { definePlugin } from "bobbin";
        import typeDefs from "./schema.graphql";
        export default definePlugin({ name: "a", version: "1.0.0", typeDefs });`,
      "plugins/a/schema.graphql": "type Query { first: String }",
    });
    await using app = await startApp({ folder: folder.path });
    const answers = (query: string) =>
      until(
        () => graphql(app.urls.gateway, query),
        ({ errors }) => errors === undefined,
      );
    await answers("{ first }");
    await Bun.write(`${folder.path}/plugins/a/schema.graphql`, "type Query { first: String second: String }");
    await answers("{ first second }");
  });

  test("the configuration beside its file: made, changed and removed", async () => {
    await using folder = await tempFolder();
    const config = `${folder.path}/plugins/a.config.json`;
    await writeFiles(folder.path, { "plugins/a.ts": plugin("a", "context.config.value") });
    await using app = await startApp({ folder: folder.path });
    await untilAnswers(app, { a: "undefined" });
    await Bun.write(config, `{ "value": "1" }`);
    await untilAnswers(app, { a: "1" });
    await saveLikeVim(config, `{ "value": "2" }`);
    await untilAnswers(app, { a: "2" });
    await rm(config);
    await untilAnswers(app, { a: "undefined" });
  });

  long("a file that was missing", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "plugins/a.ts": plugin("a", "part", `import { part } from "../lib/part.ts";`),
      "lib/other.ts": "",
    });
    await using app = await startApp({ folder: folder.path });
    await until(
      () => get(`${app.urls.gateway}/gateway/services`),
      ({ body }) => JSON.stringify(body).includes("../lib/part.ts"),
    );
    await Bun.write(`${folder.path}/lib/part.ts`, `export const part = "1";`);
    // What was never there to be read cannot be followed outside the folder; touching the plugin is enough.
    await Bun.write(
      `${folder.path}/plugins/a.ts`,
      plugin("a", "part", `import { part } from "../lib/part.ts"; `),
    );
    await untilAnswers(app, { a: "1" });
  });
});

describe("PLUGINS_WATCH", () => {
  long("poll: changes are followed, also those beyond the folder", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "plugins/a.ts": plugin("a", "part", `import { part } from "../lib/part.ts";`),
      "lib/part.ts": `export const part = "1";`,
    });
    await using app = await startApp({ folder: folder.path, config: { pluginsWatch: "poll" } });
    await untilAnswers(app, { a: "1" });
    await Bun.write(`${folder.path}/lib/part.ts`, `export const part = "2";`);
    await untilAnswers(app, { a: "2" });
    await rm(`${folder.path}/plugins/a.ts`);
    await untilGone(app, "a");
  });

  test("off: a change is loaded when that is asked for, and not before", async () => {
    await using folder = await tempFolder();
    await using other = await tempFolder();
    const plugins = `${folder.path}/plugins`;
    await writeFiles(plugins, { "a.ts": answering("1") });
    await using binary = await startBinary({ folder: folder.path, env: { PLUGINS_WATCH: "off" } });
    // Another bobbin on the same folder tells when the change could have been seen.
    await using watching = await startApp({ folder: other.path, config: { plugins } });
    await untilAnswers(binary, { a: "1" });
    await untilAnswers(watching, { a: "1" });

    await Bun.write(`${plugins}/a.ts`, answering("2"));
    await Bun.write(`${plugins}/b.ts`, pluginSource("b", "b", "new"));
    await untilAnswers(watching, { a: "2", b: "new" });
    await untilAnswers(binary, { a: "1" });
    await untilGone(binary, "b");

    const reloaded = await post(`${binary.urls.gateway}/plugins/a/reload`, {});
    expect(reloaded.status).toBe(200);
    expect((await graphql(binary.urls.gateway, "{ a }")).data).toEqual({ a: "2" });

    await Bun.write(`${plugins}/a.ts`, "export default ];");
    const refused = await post(`${binary.urls.gateway}/plugins/a/reload`, {});
    expect(refused).toMatchObject({ status: 422, body: { code: "PLUGIN_LOAD_FAILED" } });
    expect((await graphql(binary.urls.gateway, "{ a }")).data).toEqual({ a: "2" });
  });
});
