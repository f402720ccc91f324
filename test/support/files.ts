/** Files that a test writes: their paths, relative to a folder, with their content. */
import { join } from "node:path";

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) await Bun.write(join(folder, path), content);
}

/** A whole plugin with one field, `field`, that answers `answer`. */
export function pluginSource(name: string, field: string, answer: string): string {
  return `
    import { definePlugin } from "bobbin";
    export default definePlugin({
      name: "${name}", version: "1.0.0",
      typeDefs: "type Query { ${field}: String }",
      resolvers: { Query: { ${field}: () => "${answer}" } },
    });`;
}
