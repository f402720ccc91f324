/** `bobbin plugin check` of the compiled binary: what it looks at, what it says, and that nothing of it is left. */
import { expect, test } from "bun:test";
import { BINARY } from "../support/app.ts";
import { until } from "../support/client.ts";
import { type Run, run, toItsEnd } from "../support/command.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { folderWith, query, source } from "./folder-with.ts";

const check = (
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Run> => run(["plugin", "check", ...args], { env, folder });

test("runs the code of each plugin up to its definition, sets none of them up, and leaves nothing running", async () => {
  await using folder = await folderWith(
    Object.fromEntries(
      ["worker", "inline", "process"].map((isolation) => [
        `${isolation}.ts`,
        source(
          isolation,
          `isolation: "${isolation}", ${query(isolation)}, setup: () => void appendFileSync("setup", "!")`,
          `import { appendFileSync } from "node:fs";
           appendFileSync("pids", process.pid + " ");
           setInterval(() => {}, 1_000);`,
        ),
      ]),
    ),
  );
  expect(await check(folder.path, [], { LOG_LEVEL: "loud" })).toEqual({
    status: 0,
    stdout: [
      "plugins/inline.ts: ok (inline 1.0.0, inline)",
      "plugins/process.ts: ok (process 1.0.0, process)",
      "plugins/worker.ts: ok (worker 1.0.0, worker)",
      "",
    ].join("\n"),
    stderr: "",
  });
  expect(await Bun.file(`${folder.path}/setup`).exists()).toBe(false);
  const pids = (await Bun.file(`${folder.path}/pids`).text()).trim().split(" ").map(Number);
  expect(pids).toHaveLength(3);
  await until(
    () => pids.filter(isRunning),
    (left) => left.length === 0,
  );
});

test("says of each plugin that is refused where and why, and goes on", async () => {
  await using folder = await folderWith({
    "config/index.ts": source("config", query("config")),
    "config/config.json": "{",
    "definition.ts": source("definition", `typeDefs: 3`),
    "exits.ts": source("exits", `isolation: "inline", ${query("exits")}`, "process.exit(0);"),
    "good.ts": pluginSource("good", "good", "yes"),
    "imports.ts": `import "./missing.ts";`,
    "name.ts": source("Name", query("name")),
    "schema.ts": source("schema", `typeDefs: "type Query { a: Missing }"`),
    "syntax.ts": "const a = 1;\nexport default ];",
    "throws.ts": `\nthrow new Error("at\\nonce");`,
  });
  const { status, stdout, stderr } = await check(folder.path);
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  const expected = [
    /^plugins\/config\/config\.json: config: .*JSON.* \(PLUGIN_INVALID\)$/,
    /^plugins\/definition\.ts: definition: typeDefs must be SDL as a text \(PLUGIN_INVALID\)$/,
    /^plugins\/exits\.ts: load: did not finish: its process ended \(status 0\) \(PLUGIN_LOAD_FAILED\)$/,
    /^plugins\/good\.ts: ok \(good 1\.0\.0, worker\)$/,
    /^plugins\/imports\.ts:1:8: bundle: .*missing\.ts.* \(PLUGIN_LOAD_FAILED\)$/,
    /^plugins\/name\.ts: definition: name "Name" does not match .* \(PLUGIN_INVALID\)$/,
    /^plugins\/schema\.ts: schema: .*Missing.* \(PLUGIN_INVALID\)$/,
    /^plugins\/syntax\.ts:2:16: bundle: .* \(PLUGIN_LOAD_FAILED\)$/,
    /^plugins\/throws\.ts:2:\d+: load: threw while loading: at once \(PLUGIN_LOAD_FAILED\)$/,
    /^$/,
  ];
  expect(stdout.split("\n")).toEqual(expected.map((line) => expect.stringMatching(line)));
});

test("says which plugins do not go together, and why", async () => {
  const type = (field: string) => `type Thing { ${field}: Int }`;
  await using folder = await folderWith({
    // The first has it, however late it comes.
    "a.ts": `await Bun.sleep(500); ${pluginSource("a", "shared", "1")}`,
    "b.ts": pluginSource("b", "shared", "2"),
    "c.ts": source("c", `typeDefs: "type Query { c: Thing } ${type("one")}"`),
    "d.ts": source("d", `typeDefs: "type Query { d: Thing } ${type("two")}"`),
    "e.ts": pluginSource("a", "another", "3"),
    "f.ts": pluginSource("core", "mine", "4"),
    "g.ts": source("g", `${query("g")}, description: "x".repeat(2_001)`),
    "h.ts": source(
      "h",
      `typeDefs: "type Query { shared: Thing } ${type("three")}", metadata: { gateway: { namespace: "H" } }`,
    ),
  });
  const { status, stdout } = await check(folder.path);
  expect(status).toBe(1);
  const expected = [
    /^plugins\/a\.ts: ok/,
    /^plugins\/b\.ts: compose: Query\.shared of b belongs to a,.* \(ROOT_FIELD_TAKEN\)$/,
    /^plugins\/c\.ts: ok/,
    /^plugins\/d\.ts: compose: The type Thing of d differs from the one of c.* \(TYPE_CONFLICT\)$/,
    /^plugins\/e\.ts: name: the plugin plugins\/a\.ts is named a too \(PLUGIN_INVALID\)$/,
    /^plugins\/f\.ts: name: The name core belongs to the core\. \(NAME_TAKEN\)$/,
    /^plugins\/g\.ts: register: description is longer.* \(PLUGIN_INVALID\)$/,
    /^plugins\/h\.ts: ok/,
    /^$/,
  ];
  expect(stdout.split("\n")).toEqual(expected.map((line) => expect.stringMatching(line)));
});

test("takes a plugin that adds to a type of a service that is not there", async () => {
  await using folder = await folderWith({
    "reviews.ts": source(
      "reviews",
      `typeDefs: \`
        type Query { productsByIds(ids: [ID!]!): [Product]! @merge(keyField: "id") }
        type Product @key(selectionSet: "{ id }") { id: ID! reviews: [String!]! }
      \``,
    ),
  });
  const { status, stdout } = await check(folder.path);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: "plugins/reviews.ts: ok (reviews 1.0.0, worker)\n",
  });
});

test.each(["worker", "inline", "process"])(
  "gives up a plugin that loops while it loads, wherever it wants to run (%s)",
  async (isolation) => {
    await using folder = await folderWith({
      "loops.ts": source(
        "loops",
        `isolation: "${isolation}", ${query("loops")}`,
        `import { writeFileSync } from "node:fs"; writeFileSync("pid", String(process.pid)); for (;;);`,
      ),
    });
    const { status, stdout } = await check(folder.path, [], { PLUGIN_START_TIMEOUT: "2" });
    expect(stdout).toBe("plugins/loops.ts: load: did not finish within 2000 ms (PLUGIN_LOAD_FAILED)\n");
    expect(status).toBe(1);
    const file = Bun.file(`${folder.path}/pid`);
    // On a machine that is too slow it did not even begin.
    const pid = (await file.exists()) ? Number(await file.text()) : undefined;
    await until(
      () => pid !== undefined && isRunning(pid),
      (running) => !running,
    );
  },
);

test("shows what a plugin writes beside its own lines, within bounds", async () => {
  await using folder = await folderWith({
    "a.ts": source(
      "a",
      query("a"),
      `console.log("counting"); for (let i = 0; i < 10_000; i++) console.error(i);`,
    ),
    "b.ts": source("b", `isolation: "inline", ${query("b")}`, `console.log("from within");`),
  });
  const { status, stdout, stderr } = await check(folder.path, ["--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).plugins).toHaveLength(2);
  const lines = stderr.trim().split("\n");
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe("plugins/a.ts says: counting");
  expect(lines).toContain("plugins/b.ts says: from within");
});

test("looks at the files and folders that it is given, each once", async () => {
  await using folder = await folderWith({
    "a.ts": pluginSource("a", "a", "1"),
    "shop/index.ts": `import "./part.ts"; ${pluginSource("shop", "shop", "1")}`,
    "shop/part.ts": "export {};",
  });
  await writeFiles(folder.path, {
    "code/b.ts": pluginSource("b", "b", "1"),
    "code/index.ts": pluginSource("index", "index", "1"),
    "empty/README.md": "",
  });
  const filesOf = async (args: string[], env: Record<string, string> = {}) => {
    const { stdout, stderr } = await check(folder.path, ["--json", ...args], env);
    expect(stderr).toBe("");
    return JSON.parse(stdout).plugins.map(({ file, reason }: { file: string; reason: unknown }) => {
      expect(reason).toBe(null);
      return file;
    });
  };
  const [a, shop] = ["plugins/a.ts", "plugins/shop/index.ts"];
  expect(await filesOf([])).toEqual([a, shop]);
  expect(await filesOf(["plugins"])).toEqual([a, shop]);
  expect(await filesOf([a])).toEqual([a]);
  expect(await filesOf(["./plugins/shop/"])).toEqual([shop]);
  expect(await filesOf([shop, "plugins", `${folder.path}/plugins/a.ts`])).toEqual([shop, a]);
  expect(await filesOf(["code/b.ts", a])).toEqual(["code/b.ts", a]);
  expect(await filesOf(["code"])).toEqual(["code/index.ts"]);
  expect(await filesOf([], { PLUGINS_DIR: "code" })).toEqual(["code/b.ts", "code/index.ts"]);
  expect(await filesOf(["--plugins", "code"])).toEqual(["code/b.ts", "code/index.ts"]);
  expect(await filesOf(["empty"])).toEqual([]);
  expect((await check(folder.path, ["empty"])).stdout).toBe("there are no plugins\n");
});

test("refuses what is not there, and what is no plugin by its name, with status 2", async () => {
  await using folder = await folderWith({
    "a.ts": pluginSource("a", "a", "1"),
    "a.test.ts": "",
    "notes.md": "",
  });
  for (const [args, reason] of [
    [["missing"], /^missing does not exist$/],
    [["plugins/a.ts", "plugins/b.ts"], /^plugins\/b\.ts does not exist$/],
    [["plugins/a.ts/deeper"], /deeper does not exist$/],
    [["--plugins", "code"], /^code does not exist$/],
    [["plugins/a.test.ts"], /^plugins\/a\.test\.ts is no plugin/],
    [["plugins/notes.md"], /^plugins\/notes\.md is no plugin/],
  ] as const) {
    const { status, stdout, stderr } = await check(folder.path, [...args]);
    expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
    expect(stderr.trim()).toMatch(reason);
  }
});

test("writes all that it has to say, however slowly that is read", async () => {
  const count = 500;
  await using folder = await folderWith(
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`plugin-${n}.ts`, "export default ];"])),
  );
  const slowly = '{ "$0" plugin check --json; echo $? > status; } | { sleep 2; cat; }';
  const { stdout } = await toItsEnd(["sh", "-c", slowly, BINARY], { folder: folder.path });
  expect(await Bun.file(`${folder.path}/status`).text()).toBe("1\n");
  // More than a pipe takes.
  expect(stdout.length).toBeGreaterThan(100_000);
  const { plugins } = JSON.parse(stdout);
  expect(plugins).toHaveLength(count);
  expect(plugins[0]).toEqual({
    file: "plugins/plugin-0.ts",
    name: null,
    version: null,
    isolation: null,
    reason: {
      code: "PLUGIN_LOAD_FAILED",
      message: expect.stringContaining("plugins/plugin-0.ts:1:16"),
      step: "bundle",
      file: "plugins/plugin-0.ts",
      line: 1,
      column: 16,
    },
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
