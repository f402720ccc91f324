/**
 * `bobbin plugin check`: whether plugins load and go together, without a server. Knows the order of the steps.
 */
import pLimit from "p-limit";
import { BobbinError, messageOf } from "../../errors.ts";
import { shown } from "../../plugins/place.ts";
import type { Manifest } from "../../plugins/runner/definition.ts";
import { readSettings } from "../settings.ts";
import { done, type Outcome } from "../terminal/outcome.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type Trouble, troubleLine } from "../terminal/trouble.ts";
import { entriesOf } from "./entries.ts";
import { troublesTogether } from "./together.ts";
import { tryPlugin } from "./trial.ts";

export interface CheckOptions {
  readonly plugins?: string;
  readonly json?: boolean;
}

const LOADS_AT_ONCE = 8;
/** Of what one plugin writes while it loads. */
const MAX_LINES = 20;

/** Throws INVALID_INPUT where a path or the environment is wrong. */
export async function checkPlugins(
  paths: readonly string[],
  { plugins: folder, json }: CheckOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const settings = readSettings(["plugins", "pluginStartTimeoutMs"], { plugins: folder }, terminal.env);
  const entries = await entriesOf(paths, settings.plugins);
  const manifests = new Map<string, Manifest>();
  const troubles = new Map<string, Trouble>();
  const said = new Map<string, string[]>();
  const load = async (entry: string) => {
    const lines: string[] = [];
    said.set(entry, lines);
    const say = (line: string) => void (lines.length < MAX_LINES && lines.push(line));
    try {
      manifests.set(entry, await tryPlugin(entry, settings.pluginStartTimeoutMs, say));
    } catch (error) {
      troubles.set(entry, troubleOf(entry, error));
    }
  };
  await withProgress("loading plugins", terminal, () => pLimit(LOADS_AT_ONCE).map(entries, load));
  // In the order in which a server takes them, whatever was loaded first.
  const loaded = entries.flatMap((entry) => {
    const manifest = manifests.get(entry);
    return manifest ? [[entry, manifest] as const] : [];
  });
  for (const [entry, trouble] of troublesTogether(new Map(loaded))) troubles.set(entry, trouble);

  const results = entries.map((entry) => resultOf(entry, manifests.get(entry), troubles.get(entry)));
  const out = json ? [JSON.stringify({ plugins: results }, null, 2)] : results.map(textOf);
  return {
    ...done(...(entries.length > 0 || json ? out : ["there are no plugins"])),
    status: troubles.size > 0 ? 1 : 0,
    err: entries.flatMap((entry) => (said.get(entry) ?? []).map((line) => `${shown(entry)} says: ${line}`)),
  };
}

function troubleOf(entry: string, error: unknown): Trouble {
  const file = shown(entry);
  if (!(error instanceof BobbinError))
    return { code: "PLUGIN_LOAD_FAILED", message: messageOf(error), step: "load", file };
  const { code, message, place, step } = error;
  return { code, message, step, file, ...place };
}

function resultOf(entry: string, manifest: Manifest | undefined, reason: Trouble | undefined) {
  const { name = null, version = null, isolation = null } = manifest ?? {};
  return { file: shown(entry), name, version, isolation, reason: reason ?? null };
}

function textOf({ file, name, version, isolation, reason }: ReturnType<typeof resultOf>): string {
  return reason ? troubleLine(reason) : `${file}: ok (${name} ${version}, ${isolation})`;
}
