/**
 * Where plugins are in a folder: the file that each begins with, and what belongs to it by its name.
 * Knows names of files; nothing of what is in them.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BobbinError, messageOf } from "../../errors.ts";

/** As many plugins as one folder may have; what comes after them by name is left out. */
export const MAX_PLUGINS = 1_000;

const ENTRY = /\.m?[jt]s$/;
const INDEX = /^index\.m?[jt]s$/;
const INDEX_NAMES = ["index.ts", "index.js", "index.mts", "index.mjs"];
/** Hidden and private ones, tests, declarations and packages. */
const NO_ENTRY = /^[._]|\.(?:test|spec)\.|\.d\.m?ts$|^node_modules$/;

/**
 * The entries in the folder, sorted: `name.ts` and `name/index.ts`, or the same in JavaScript, links to such among
 * them. None where the folder is missing. Throws PLUGIN_LOAD_FAILED where it cannot be read.
 */
export async function findEntries(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    const message = `the plugin folder ${folder} cannot be read: ${messageOf(error)}`;
    throw new BobbinError("PLUGIN_LOAD_FAILED", message, { cause: error });
  });
  const candidates = found.filter(({ name }) => !NO_ENTRY.test(name));
  const entries = await Promise.all(candidates.map((each) => entryOf(folder, each)));
  return entries
    .filter((entry) => entry !== undefined)
    .sort()
    .slice(0, MAX_PLUGINS);
}

/** The name that an entry gives to its plugin: `time` of `time.ts`, `shop` of `shop/index.ts`. */
export function fileNameOf(entry: string): string {
  return isIndex(entry) ? basename(dirname(entry)) : basename(entry).replace(ENTRY, "");
}

/** Where a plugin's configuration would be: `time.config.json` beside `time.ts`, `shop/config.json` of a folder. */
export function configFileOf(entry: string): string {
  const name = isIndex(entry) ? "config.json" : `${fileNameOf(entry)}.config.json`;
  return join(dirname(entry), name);
}

function isIndex(entry: string): boolean {
  return INDEX.test(basename(entry));
}

async function entryOf(folder: string, found: Dirent): Promise<string | undefined> {
  const path = join(folder, found.name);
  const isCode = ENTRY.test(found.name);
  if (found.isFile()) return isCode ? path : undefined;
  // A link, a folder, or something on a file system that does not tell in its listing.
  const kind = await kindOf(path);
  if (kind === "file") return isCode ? path : undefined;
  if (kind !== "folder") return undefined;
  for (const name of INDEX_NAMES) {
    const index = join(path, name);
    if ((await kindOf(index)) === "file") return index;
  }
  return undefined;
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : undefined;
  } catch {
    // Gone again, a link to nowhere or in a circle, or in a folder that is closed to us: nothing to load either way.
    return undefined;
  }
}
