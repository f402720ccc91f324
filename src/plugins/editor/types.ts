/**
 * Puts what an editor, `tsc` and a plugin's tests need into `.bobbin` in the plugin folder, so that "bobbin" and
 * "graphql" are found there with nothing installed. Owns that folder; never changes a file outside it.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf } from "../../errors.ts";
import { readFiles, stampOfFiles } from "./files.ts";
import { tsconfigState } from "./tsconfig.ts";

const FOLDER = ".bobbin";
/** Written last: with it, all the others are there. */
const STAMP = "stamp";
const TSCONFIG = { extends: `./${FOLDER}/tsconfig.json` };

export type EditorTypes =
  | {
      /** Paths below the plugin folder; empty where all was there. */
      readonly written: readonly string[];
      /** Whether the tsconfig.json that counts in the folder leads to the types; one of the user's may not. */
      readonly mapped: boolean;
    }
  | {
      /** Why the folder could not be written, such as one that is read-only. */
      readonly refused: string;
    };

/**
 * Brings `.bobbin` up to date, and adds a tsconfig.json where none leads to it. Writes only what differs, each file
 * whole or not at all. The plugin folder has to exist.
 */
export async function writeEditorTypes(pluginsFolder: string): Promise<EditorTypes> {
  const folder = resolve(pluginsFolder);
  try {
    const written = await updateFiles(folder);
    const state = await tsconfigState(folder);
    if (state === "NONE" && (await addTsconfig(folder))) written.push("tsconfig.json");
    return { written, mapped: state !== "OTHER" };
  } catch (error) {
    if (isFileError(error)) return { refused: messageOf(error) };
    throw error;
  }
}

async function updateFiles(folder: string): Promise<string[]> {
  const target = join(folder, FOLDER);
  const stamp = await stampOfFiles();
  if ((await contentOf(join(target, STAMP))) === stamp) return [];
  // Not recursive: a plugin folder that was removed meanwhile must not come back.
  await mkdir(target).catch(unless("EEXIST"));
  const written: string[] = [];
  for (const [name, content] of Object.entries({ ...(await readFiles()), [STAMP]: stamp })) {
    const path = join(target, name);
    if ((await contentOf(path)) === content) continue;
    await replace(path, content);
    written.push(join(FOLDER, name));
  }
  return written;
}

/** False where one came about in the meantime. */
async function addTsconfig(folder: string): Promise<boolean> {
  try {
    await writeFile(join(folder, "tsconfig.json"), `${JSON.stringify(TSCONFIG, null, 2)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    unless("EEXIST")(error);
    return false;
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  const file = Bun.file(path);
  return (await file.exists()) ? file.text() : undefined;
}

async function replace(path: string, content: string): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(draft, content, { flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Throws every error but those of the file system with this code. */
const unless = (code: string) => (error: unknown) => {
  if (!isFileError(error) || error.code !== code) throw error;
};

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
