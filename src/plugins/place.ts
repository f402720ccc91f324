/**
 * Where in a plugin's code something happened, as people are shown it. Knows paths and stacks; nothing of plugins.
 */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Place } from "../errors.ts";

/** A path as people are shown it. */
export const shown = (path: string): string => relative("", path) || path;

/** `at name (file:line:column)` or `at file:line:column`; a bundle's source map gives files of the working folder. */
const STACK_LINE = /^\s+at (?:.*\(|async )?(.+\.[cm]?[jt]sx?):(\d+):(\d+)\)?$/gm;

/** The first place in an error's stack that is in the plugin's own code. */
export function placeInStack(error: unknown): Place | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const [, file = "", line, column] of stack.matchAll(STACK_LINE)) {
    const path = resolve(file);
    if (isOwn(path)) continue;
    return { file: shown(path), line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** Of a package or of bobbin, whose own files are nowhere on the disk once it is compiled. */
function isOwn(path: string): boolean {
  return path.includes("/node_modules/") || path.startsWith(import.meta.dir) || !existsSync(path);
}
