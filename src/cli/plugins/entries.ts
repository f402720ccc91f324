/** Which plugins a command line means by files and folders. Knows where plugins are; nothing of what is in them. */
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BobbinError } from "../../errors.ts";
import { shown } from "../../plugins/place.ts";
import { findEntries } from "../../plugins/source/entries.ts";

/**
 * The entries of all `paths`, each once: of a plugin's file, of the folder of one plugin, or of a folder of plugins, as
 * which `pluginsFolder` counts in any case. Throws INVALID_INPUT for what is not there, or is no plugin by its name.
 */
export async function entriesOf(paths: readonly string[], pluginsFolder: string): Promise<string[]> {
  const wholeFolder = resolve(pluginsFolder);
  const found = await Promise.all(
    (paths.length > 0 ? paths : [pluginsFolder]).map((path) => entriesAt(resolve(path), wholeFolder)),
  );
  return [...new Set(found.flat())];
}

async function entriesAt(path: string, wholeFolder: string): Promise<string[]> {
  const kind = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const problem = /^E(NOENT|NOTDIR)$/.test(error.code ?? "")
      ? "does not exist"
      : `cannot be read (${error.code})`;
    throw new BobbinError("INVALID_INPUT", `${shown(path)} ${problem}`);
  });
  if (path === wholeFolder && kind.isDirectory()) return findEntries(path);
  const beside = await findEntries(dirname(path));
  if (!kind.isDirectory()) {
    if (beside.includes(path)) return [path];
    const rule = "a plugin's file ends in .ts, .js, .mts or .mjs, and is no test, declaration or hidden file";
    throw new BobbinError("INVALID_INPUT", `${shown(path)} is no plugin: ${rule}`);
  }
  const own = beside.find((entry) => dirname(entry) === path);
  return own ? [own] : findEntries(path);
}
