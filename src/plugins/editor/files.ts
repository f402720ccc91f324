/**
 * The files for an editor, wherever bobbin runs: in the compiled binary as it carries them, in the source tree as they
 * are made there. Knows how they are carried; neither what is in them nor where they go. Reads nothing before it is
 * asked, so that they cost a running server no memory.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EditorFiles } from "./assemble.ts";

/** The name of the binary's asset. */
const ASSET = "editor-types";

/** Identifies the files without reading them. */
export async function stampOfFiles(): Promise<string> {
  const carried = Bun.file(join(import.meta.dir, ASSET, "stamp"));
  if (await carried.exists()) return carried.text();
  const { stampOfSources } = await import("./assemble.ts");
  return stampOfSources();
}

export async function readFiles(): Promise<EditorFiles> {
  const carried = Bun.file(join(import.meta.dir, ASSET, "files.json.gz"));
  if (await carried.exists()) {
    const json = Bun.gunzipSync(await carried.bytes());
    return JSON.parse(new TextDecoder().decode(json)) as EditorFiles;
  }
  const { assembleFiles } = await import("./assemble.ts");
  return assembleFiles();
}

/** For the build: writes the asset below `folder` and returns its path. */
export async function writeAsset(folder: string): Promise<string> {
  const path = join(folder, ASSET);
  const { assembleFiles, stampOfSources } = await import("./assemble.ts");
  await mkdir(path, { recursive: true });
  await Bun.write(join(path, "stamp"), await stampOfSources());
  await Bun.write(join(path, "files.json.gz"), Bun.gzipSync(JSON.stringify(await assembleFiles())));
  return path;
}
