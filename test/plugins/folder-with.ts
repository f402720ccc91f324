/** Plugins that a test writes, in a folder of its own. */
import { tempFolder } from "../support/app.ts";
import { writeFiles } from "../support/files.ts";

/** A folder in whose `plugins` these files are; removed at the end. */
export async function folderWith(plugins: Readonly<Record<string, string>>) {
  const folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, plugins);
  return folder;
}

/** The source of a plugin whose definition has this text besides a name and a version. */
export const source = (name: string, rest: string, before = "") => `
import { definePlugin } from "bobbin";
${before}
export default definePlugin({ name: "${name}", version: "1.0.0", ${rest} });`;

/** A schema with one field. */
export const query = (field: string) => `typeDefs: "type Query { ${field}: String }"`;
