/**
 * A plugin's code as one text, with everything it imports fresh from the disk; nothing of it is run.
 * Knows Bun's bundler; nothing of what a plugin is.
 */
import { realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { BobbinError, type Place } from "../../errors.ts";
import type { Isolation } from "../define-plugin.ts";
import { shown } from "../place.ts";

export interface Bundle {
  readonly entry: string;
  readonly code: string;
  /** What the entry says of where its code is to run; read without running it. */
  readonly isolation: Isolation;
  /** Every file that the code was made of. */
  readonly files: readonly string[];
}

/** Modules that are the host's own for every plugin, even where it has a copy of its own. */
const HOST_MODULE_NAMES = ["graphql", "bobbin"];

/** Throws PLUGIN_LOAD_FAILED with the place in the plugin's code. */
export async function bundlePlugin(entry: string): Promise<Bundle> {
  const source = await readEntry(entry);
  const real = await realpath(entry);
  const linked = new Set<string>();
  const { success, outputs, logs, metafile } = await Bun.build({
    entrypoints: [real],
    root: dirname(real),
    target: "bun",
    format: "esm",
    sourcemap: "inline",
    throw: false,
    metafile: true,
    external: HOST_MODULE_NAMES,
    loader: { ".graphql": "text", ".gql": "text" },
    plugins: [throughLinks(linked)],
    define: { "import.meta.dir": JSON.stringify(dirname(entry)), "import.meta.path": JSON.stringify(entry) },
  });
  const output = outputs.find(({ kind }) => kind === "entry-point");
  if (success && output) {
    const files = [...Object.keys(metafile?.inputs ?? {}).map((path) => resolve(path)), ...linked];
    return { entry, code: await output.text(), isolation: isolationIn(source), files };
  }
  const problem = logs.find(({ level }) => level === "error") ?? logs[0];
  const position = problem?.position;
  const place = position
    ? { file: shown(position.file), line: position.line, column: position.column }
    : { file: shown(entry) };
  throw failed(place, problem?.message ?? "it could not be bundled", problem);
}

/**
 * Bun keeps where a folder's link leads for as long as the process runs: it is asked for what the link leads to now.
 * Adds each file that was found so to `linked`, by its path through the link.
 */
function throughLinks(linked: Set<string>): Bun.BunPlugin {
  return {
    name: "links as they are now",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
        const at = resolve(dirname(importer), path);
        const folder = realFolder(dirname(at));
        if (folder === undefined || folder === dirname(at)) return undefined;
        const found = Bun.resolveSync(join(folder, basename(at)), folder);
        linked.add(join(dirname(at), basename(found)));
        return { path: found };
      });
    },
  };
}

/** Undefined where there is none: that the import leads nowhere is the bundler's to say. */
function realFolder(folder: string): string | undefined {
  try {
    return realpathSync(folder);
  } catch {
    return undefined;
  }
}

async function readEntry(entry: string): Promise<string> {
  try {
    const source = await Bun.file(entry).text();
    if (source.trim() === "") throw failed({ file: shown(entry) }, "the file is empty");
    return source;
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    const code = (error as { code?: unknown }).code;
    throw failed({ file: shown(entry) }, `the file cannot be read (${code})`, error);
  }
}

function failed(place: Place, problem: string, cause?: unknown): BobbinError {
  const { file, line, column } = place;
  const at = line ? `${file}:${line}:${column}` : file;
  return new BobbinError("PLUGIN_LOAD_FAILED", `${at}: ${problem}`, { place, step: "bundle", cause });
}

const STRIPPED = new Bun.Transpiler({ loader: "tsx", minifyWhitespace: false });
const ISOLATION = /\bisolation\s*:\s*["'`](worker|inline|process)["'`]/;

/**
 * Code has to be read for this, because by the time that its definition can be asked it has run. Once it has, what it
 * defines is compared with what was read.
 */
function isolationIn(source: string): Isolation {
  const [, isolation = "worker"] = ISOLATION.exec(withoutComments(source)) ?? [];
  return isolation as Isolation;
}

function withoutComments(source: string): string {
  try {
    return STRIPPED.transformSync(source);
  } catch {
    // What is wrong with it is the bundler's to say.
    return "";
  }
}
