/**
 * A plugin's code from its file: bundled in memory, so that everything it imports is fresh, and imported.
 * Knows Bun's bundler; nothing of what a plugin is.
 */
import { dirname, relative, resolve } from "node:path";
import * as graphql from "graphql";
import { BobbinError, messageOf, type Place } from "../errors.ts";
import * as sdk from "./define-plugin.ts";

const LOAD_DEADLINE_MS = 5_000;

/** Modules that every plugin shares with the host, even where it has a copy of its own. */
const HOST_MODULES = { graphql, bobbin: sdk };

Bun.plugin({
  name: "bobbin host modules",
  setup(build) {
    for (const [name, exports] of Object.entries(HOST_MODULES)) {
      build.module(name, () => ({ exports: { ...exports, default: exports }, loader: "object" }));
    }
  },
});

/** What the plugin's entry exports by default. Throws PLUGIN_LOAD_FAILED with the place in the plugin's code. */
export async function loadDefaultExport(entry: string): Promise<unknown> {
  const code = await bundle(entry);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const module = (await withDeadline(import(url), entry)) as { default?: unknown };
    return module.default;
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    throw new BobbinError("PLUGIN_LOAD_FAILED", `${shown(entry)} threw while loading: ${messageOf(error)}`, {
      cause: error,
      place: placeInStack(error) ?? { file: shown(entry) },
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function bundle(entry: string): Promise<string> {
  const { success, outputs, logs } = await Bun.build({
    entrypoints: [entry],
    root: dirname(entry),
    target: "bun",
    format: "esm",
    sourcemap: "inline",
    throw: false,
    external: Object.keys(HOST_MODULES),
    define: { "import.meta.dir": JSON.stringify(dirname(entry)), "import.meta.path": JSON.stringify(entry) },
  });
  const [output] = outputs;
  if (success && output) return output.text();
  const problem = logs.find(({ level }) => level === "error") ?? logs[0];
  const position = problem?.position;
  const place: Place = position
    ? { file: shown(position.file), line: position.line, column: position.column }
    : { file: shown(entry) };
  throw new BobbinError(
    "PLUGIN_LOAD_FAILED",
    `${describe(place)}: ${problem?.message ?? "could not be bundled"}`,
    { place },
  );
}

/** A module that waits for ever at its top level has to be given up; it cannot be ended where it runs in this thread. */
function withDeadline<T>(loading: Promise<T>, entry: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `${shown(entry)} did not finish loading within ${LOAD_DEADLINE_MS} ms`;
      reject(new BobbinError("PLUGIN_LOAD_FAILED", message, { place: { file: shown(entry) } }));
    }, LOAD_DEADLINE_MS);
    loading.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** `at name (file:line:column)` or `at file:line:column`; the bundle's source map gives files of the working folder. */
const STACK_LINE = /^\s+at (?:.*\(|async )?(.+\.[cm]?[jt]sx?):(\d+):(\d+)\)?$/gm;

/** The first place in an error's stack that is in the plugin's own code. */
function placeInStack(error: unknown): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const [, file = "", line, column] of stack.matchAll(STACK_LINE)) {
    if (/node_modules|\$bunfs/.test(file)) continue;
    return { file: shown(resolve(file)), line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** A path as people are shown it. */
export const shown = (path: string): string => relative("", path) || path;

const describe = ({ file, line, column }: Place): string => (line ? `${file}:${line}:${column}` : file);
