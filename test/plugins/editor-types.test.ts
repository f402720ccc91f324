/** The types for editors in a plugin folder: what is the user's stays, and what is as it should be is not written. */
import { expect, test } from "bun:test";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeEditorTypes } from "../../src/plugins/editor/types.ts";
import { tempFolder } from "../support/app.ts";
import { run } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";

const GENERATED = [
  ".gitignore",
  "bobbin.ts",
  "bun-test.d.ts",
  "graphql.d.ts",
  "graphql.js",
  "stamp",
  "texts.d.ts",
  "tsconfig.json",
];

test("a tsconfig.json of the user's stays, and it is said what it lacks", async () => {
  await using folder = await tempFolder();
  const tsconfig = `{ "compilerOptions": { "strict": false } }`;
  await writeFiles(folder.path, { "plugins/tsconfig.json": tsconfig });
  const { status, stdout } = await run(["plugin", "new", "one"], { folder: folder.path });
  expect(status).toBe(0);
  expect(stdout).toContain(`"extends": "./.bobbin/tsconfig.json"`);
  expect(await Bun.file(join(folder.path, "plugins/tsconfig.json")).text()).toBe(tsconfig);
});

test.each([
  [`{ /* mine */ "compilerOptions": { "paths": { "bobbin": ["./sdk.ts"], }, }, }`, false],
  [`{ "extends": "./plugins/.bobbin/tsconfig.json" }`, false],
  [`{ "compilerOptions": { "strict": true } }`, true],
  ["{ not JSON", true],
])("beside %s above, a tsconfig.json is written: %p", async (above, written) => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { "tsconfig.json": above });
  const { stdout } = await run(["plugin", "new", "one"], { folder: folder.path });
  expect(stdout).not.toContain("extends");
  expect(await Bun.file(join(folder.path, "plugins/tsconfig.json")).exists()).toBe(written);
});

test("nothing is written again that is as it should be", async () => {
  await using folder = await tempFolder();
  const plugins = join(folder.path, "plugins");
  await mkdir(plugins);
  const times = () =>
    Promise.all(
      GENERATED.map(async (name) => (await stat(join(plugins, ".bobbin", name), { bigint: true })).ctimeNs),
    );
  expect(await writeEditorTypes(plugins)).toMatchObject({ mapped: true, written: { length: 9 } });
  const before = await times();
  expect(await writeEditorTypes(plugins)).toEqual({ mapped: true, written: [] });
  expect(await times()).toEqual(before);

  await writeFiles(plugins, { ".bobbin/stamp": "of another version", ".bobbin/bobbin.ts": "older" });
  expect(await writeEditorTypes(plugins)).toEqual({
    mapped: true,
    written: [".bobbin/bobbin.ts", ".bobbin/stamp"],
  });
  expect((await readdir(join(plugins, ".bobbin"))).sort()).toEqual(GENERATED);
});

test("a plugin folder that is gone is not made again", async () => {
  await using folder = await tempFolder();
  expect(await writeEditorTypes(join(folder.path, "plugins"))).toEqual({
    refused: expect.stringContaining("ENOENT"),
  });
  expect(await readdir(folder.path)).toEqual([]);
});
