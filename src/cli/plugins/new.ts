/**
 * `bobbin plugin new`: a plugin to start from, its test, and the types for the editor. Knows where they go; nothing of
 * how a plugin is loaded.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { BobbinError, messageOf } from "../../errors.ts";
import { writeEditorTypes } from "../../plugins/editor/types.ts";
import { fileNameOf, findEntries } from "../../plugins/source/entries.ts";
import { checkName } from "../../registry/fields.ts";
import { pluginTemplate, testTemplate } from "./templates.ts";

/**
 * Makes the files in `folder` and returns what to tell. Throws INVALID_INPUT where the name or the folder is not
 * usable, and CONFLICT where a file of the plugin exists already.
 */
export async function newPlugin(name: string, folder: string): Promise<string> {
  checkName(name);
  if (/\.(?:test|spec)(?:\.|$)|\.d$/.test(name))
    throw new BobbinError(
      "INVALID_INPUT",
      `name: a file ${name}.ts would be a test or a declaration, no plugin`,
    );
  const plugin = join(folder, `${name}.ts`);
  const test = join(folder, `${name}.test.ts`);
  const taken = (await findEntries(folder)).find((entry) => fileNameOf(entry) === name) ?? test;
  if (existsSync(taken)) throw new BobbinError("CONFLICT", `${taken} exists already; nothing was written`);
  const field = fieldNamed(name);

  await orRefuse(folder, () => mkdir(folder, { recursive: true }));
  const types = await writeEditorTypes(folder);
  if ("refused" in types) throw unwritable(folder, types.refused);
  await orRefuse(folder, async () => {
    // A server takes up the plugin at once, so it comes last.
    await writeFile(test, testTemplate(name, field), { flag: "wx" });
    await writeFile(plugin, pluginTemplate(name, field), { flag: "wx" });
  });
  const hint = types.mapped ? [] : ["", ...hintFor(folder)];
  return [...report(plugin, test, field), ...hint].join("\n");
}

const report = (plugin: string, test: string, field: string): string[] => [
  `made ${plugin}`,
  `made ${test}`,
  "",
  "bobbin serves it, and what you change in it as soon as you save. Try this on http://localhost:3000/graphql:",
  `  { ${field}(name: "Ada") }`,
  "Its test runs without anything installed:",
  `  BUN_BE_BUN=1 bobbin test ${isAbsolute(test) ? test : `./${test}`}`,
];

const hintFor = (folder: string): string[] => [
  `${join(folder, "tsconfig.json")} was left as it is. "bobbin" is found, by the editor and by the test, once it has`,
  '  "extends": "./.bobbin/tsconfig.json"',
];

/** `my-plugin` → `myPlugin`: a root field that belongs to this plugin in the whole graph, as its name does. */
function fieldNamed(name: string): string {
  const field = name
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/[^A-Za-z0-9]/g, "_");
  return /^\d/.test(field) ? `_${field}` : field;
}

async function orRefuse(folder: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw unwritable(folder, messageOf(error), error);
  }
}

function unwritable(folder: string, reason: string, cause?: unknown): BobbinError {
  return new BobbinError("INVALID_INPUT", `nothing can be written in ${folder}: ${reason}`, { cause });
}
