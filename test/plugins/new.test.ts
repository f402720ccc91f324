/** `bobbin plugin new` of the compiled binary: what it makes is typed, tested and served with nothing installed. */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as hostGraphql from "graphql";
import { startBinary, tempFolder } from "../support/app.ts";
import { get, graphql } from "../support/client.ts";
import { run, toItsEnd } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";

const ROOT = resolve(import.meta.dir, "../..");
const tsc = (project: string, ...args: string[]) =>
  toItsEnd([join(ROOT, "node_modules/.bin/tsc"), "-p", project, "--pretty", "false", ...args]);

/** An empty folder in which the plugins were made, each by a command of its own. */
async function scaffolded(...names: string[]) {
  const folder = await tempFolder();
  for (const name of names) {
    const { status, stderr } = await run(["plugin", "new", name], { folder: folder.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }
  return folder;
}

/** Every file below the folder with its content. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true }))
    found[path] = await Bun.file(join(folder, path)).text();
  return found;
}

describe("a new plugin", () => {
  test("comes with a test and with types, and it is said what to do with them", async () => {
    await using folder = await tempFolder();
    const { stdout } = await run(["plugin", "new", "my-first"], { folder: folder.path });
    for (const said of [
      "plugins/my-first.ts",
      `{ myFirst(name: "Ada") }`,
      "BUN_BE_BUN=1 bobbin test ./plugins/my-first.test.ts",
    ])
      expect(stdout).toContain(said);
    expect(await readdir(folder.path)).toEqual(["plugins"]);
    expect((await readdir(join(folder.path, "plugins"))).sort()).toEqual([
      ".bobbin",
      "my-first.test.ts",
      "my-first.ts",
      "tsconfig.json",
    ]);
  });

  test("passes the type check as it is", async () => {
    await using folder = await scaffolded("my-first", "3d.print_2");
    expect(await tsc(join(folder.path, "plugins"))).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("is tested by the binary alone", async () => {
    await using folder = await scaffolded("my-first");
    const test = ["test", "./plugins/my-first.test.ts"];
    const bun = { folder: folder.path, env: { BUN_BE_BUN: "1", PATH: "" } };
    const passed = await run(test, bun);
    expect(passed.stderr).toContain("2 pass");
    expect(passed.status).toBe(0);

    const path = join(folder.path, "plugins/my-first.ts");
    await Bun.write(path, (await Bun.file(path).text()).replace("Hello", "Goodbye"));
    const failed = await run(test, bun);
    expect(failed.stderr).toContain("1 fail");
    expect(failed.status).toBe(1);
  });

  test("is served beside others, and nothing that was written with it is taken for a plugin", async () => {
    await using folder = await scaffolded("my-first", "my-second", "3d.print_2");
    await using bobbin = await startBinary({ folder: folder.path });
    const { data } = await graphql(
      bobbin.urls.gateway,
      `{ myFirst(name: "Ada") mySecond(name: "Bob") _3d_print_2(name: "Cy") }`,
    );
    expect(data).toEqual({ myFirst: "Hello, Ada!", mySecond: "Hello, Bob!", _3d_print_2: "Hello, Cy!" });
    const { body } = await get(`${bobbin.urls.gateway}/gateway/services`);
    const plugins = body.services.filter(({ source }: { source: string }) => source === "PLUGIN");
    expect(plugins.map(({ name }: { name: string }) => name).sort()).toEqual([
      "3d.print_2",
      "my-first",
      "my-second",
    ]);
  });

  test.each(["worker", "inline", "process"])(
    "with isolation %s has the gateway's own graphql, not the copy for its test",
    async (isolation) => {
      await using folder = await scaffolded("my-first");
      await writeFiles(join(folder.path, "plugins"), {
        "thrower.ts": `
        import { definePlugin } from "bobbin";
        import { GraphQLError } from "graphql";
        export default definePlugin({
          name: "thrower", version: "1.0.0", isolation: "${isolation}", typeDefs: "type Query { thrown: String }",
          resolvers: { Query: { thrown() { throw new GraphQLError("as it is", { extensions: { code: "TEAPOT" } }); } } },
        });`,
      });
      await using bobbin = await startBinary({ folder: folder.path });
      const { errors } = await graphql(bobbin.urls.gateway, "{ thrown }");
      expect(errors).toMatchObject([{ message: "as it is", extensions: { code: "TEAPOT" } }]);
    },
  );

  test("is made where the command line or the environment says", async () => {
    await using folder = await tempFolder();
    const env = { PLUGINS_DIR: "code", HOST: "an option of serve, and wrong" };
    const [byEnv, byFlag] = [
      await run(["plugin", "new", "one"], { folder: folder.path, env }),
      await run(["plugin", "new", "two", "--plugins", "deep/er"], { folder: folder.path, env }),
    ];
    expect([byEnv.status, byFlag.status]).toEqual([0, 0]);
    expect(await Bun.file(join(folder.path, "code/one.ts")).exists()).toBe(true);
    expect(await Bun.file(join(folder.path, "deep/er/two.ts")).exists()).toBe(true);
  });
});

describe("the types", () => {
  test.each([
    ["a name that is no text", `name: "my-first"`, "name: 3", /my-first\.ts\(5,3\): error TS2322/],
    ["a key that a definition has not", `version:`, "versoin:", /my-first\.ts\(6,3\): error TS2561/],
    [
      "something that the context has not",
      "{ name }: { name: string }) {",
      "{ name }, context) { context.nope;",
      /my-first\.ts\(\d+,\d+\): error TS2339: Property 'nope'/,
    ],
  ])("refuse %s", async (_, before, after, message) => {
    await using folder = await scaffolded("my-first");
    const path = join(folder.path, "plugins/my-first.ts");
    const text = await Bun.file(path).text();
    expect(text).toContain(before);
    await Bun.write(path, text.replace(before, after));
    const { status, stdout } = await tsc(join(folder.path, "plugins"));
    expect(stdout).toMatch(message);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(status).not.toBe(0);
  });

  test("know texts, JSON, plugins in JavaScript, and Bun's test runner", async () => {
    await using folder = await scaffolded("my-first");
    await writeFiles(join(folder.path, "plugins"), {
      "shop/index.ts": `
        import { definePlugin, type RequestContext } from "bobbin";
        import sdl from "./shop.graphql";
        import licence from "./licence.txt" with { type: "text" };
        import { taxes } from "./taxes.json";
        import other from "../other.js";
        const tax: number = taxes.food;
        export default definePlugin({
          name: "shop", version: licence.trim(), typeDefs: sdl + other.typeDefs,
          resolvers: { Query: { tax: (_parent, _args, { headers }: RequestContext) => headers.accept ?? tax } },
        });`,
      "shop/shop.graphql": "type Query { tax: Float }",
      "shop/licence.txt": "none",
      "shop/taxes.json": `{ "taxes": { "food": 0.1 } }`,
      "other.js": `
        import { definePlugin } from "bobbin";
        export default definePlugin({ name: "other", version: "1", typeDefs: "type Query { other: Int }" });`,
      "shop/shop.test.ts": `
        import { beforeAll, describe, expect, mock, spyOn, test } from "bun:test";
        beforeAll(() => {});
        describe("shop", () => {
          test.each([[1, 2]])("%d", async (a, b) => {
            await expect(Promise.resolve(a)).resolves.toBeLessThan(b);
            expect(mock(() => a)).not.toHaveBeenCalled();
            expect(spyOn(console, "log").mock.calls).toEqual([]);
          });
        });`,
    });
    expect(await tsc(join(folder.path, "plugins"))).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("of graphql are whole: every export has one, and none lacks what it needs", async () => {
    await using folder = await scaffolded("my-first");
    const values = Object.keys(hostGraphql).filter((name) => name !== "default");
    await writeFiles(join(folder.path, "plugins"), {
      "all.ts": `
        import { ${values.join(", ")} } from "graphql";
        import type { ASTNode, ExecutionResult, GraphQLResolveInfo, ResponsePath, TypedQueryDocumentNode } from "graphql";
        export const fails = (node: ASTNode, path: ResponsePath): number => [node, path];`,
    });
    const { stdout } = await tsc(join(folder.path, "plugins"), "--skipLibCheck", "false");
    expect(stdout.trim().split("\n")).toEqual([expect.stringMatching(/all\.ts\(4,\d+\): error TS2322/)]);
  });

  test("are the same from source", async () => {
    await using built = await scaffolded("my-first");
    await using folder = await tempFolder();
    const bobbin = [process.execPath, join(ROOT, "src/main.ts"), "plugin", "new", "my-first"];
    const { status } = await toItsEnd(bobbin, { folder: folder.path });
    expect(status).toBe(0);
    expect(await contents(folder.path)).toEqual(await contents(built.path));
  });
});

describe("refused", () => {
  test("is a name that exists, in any form, and it stays as it is", async () => {
    await using folder = await scaffolded("my-first");
    await writeFiles(join(folder.path, "plugins"), {
      "shop/index.js": "// a shop",
      "tested.test.ts": "// a test",
    });
    const before = await contents(folder.path);
    for (const [name, path] of [
      ["my-first", "plugins/my-first.ts"],
      ["shop", "plugins/shop/index.js"],
      ["tested", "plugins/tested.test.ts"],
    ] as const) {
      const { status, stdout, stderr } = await run(["plugin", "new", name], { folder: folder.path });
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain(`${path} exists already`);
    }
    expect(await contents(folder.path)).toEqual(before);
  });

  test.each([
    ["My-First", /does not match \^\[a-z0-9\]/],
    ["../out", /does not match/],
    ["first.test", /test/],
    ["first.spec.two", /test/],
    ["first.d", /declaration/],
  ])("is the name %s, and nothing is written", async (name, reason) => {
    await using folder = await tempFolder();
    const { status, stdout, stderr } = await run(["plugin", "new", name], { folder: folder.path });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(reason);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("is a folder that cannot be written", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, { "plugins/.bobbin": "a file" });
    const { status, stderr } = await run(["plugin", "new", "one"], { folder: folder.path });
    expect(status).toBe(2);
    expect(stderr).toMatch(/nothing can be written in \.\/plugins: \w+/);
    expect(await readdir(join(folder.path, "plugins"))).toEqual([".bobbin"]);
  });
});
