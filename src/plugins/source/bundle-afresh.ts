/**
 * Bundles in a process of its own. Bun keeps what it found in folders for as long as a process runs: a package that was
 * installed since is found by another one. Knows how to ask for a bundle; nothing of what is in it.
 */
import { BobbinError, type ErrorCode, type Place } from "../../errors.ts";
import { ownCommand } from "../own-process.ts";
import { BUNDLE_COMMAND } from "../runner/protocol.ts";
import { type Bundle, bundlePlugin } from "./bundle.ts";

const DEADLINE_MS = 10_000;

type Outcome = { bundle: Bundle } | { refused: { code: ErrorCode; message: string; place?: Place } };

/** As `bundlePlugin`, and throws what that throws. */
export async function bundleAfresh(entry: string): Promise<Bundle> {
  const child = Bun.spawn(ownCommand(BUNDLE_COMMAND, entry), {
    stdio: ["ignore", "pipe", 2],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  const text = await new Response(child.stdout).text();
  const outcome = parse(text);
  if (outcome && "bundle" in outcome) return outcome.bundle;
  const { code, message, place } = outcome?.refused ?? noAnswer(entry);
  throw new BobbinError(code, message, { place, step: "bundle", cause: { name: UNRESOLVED } });
}

/** What the other process prints. */
export async function bundleForParent(entry: string): Promise<string> {
  try {
    return JSON.stringify({ bundle: await bundlePlugin(entry) } satisfies Outcome);
  } catch (error) {
    if (!(error instanceof BobbinError)) throw error;
    const { code, message, place } = error;
    return JSON.stringify({ refused: { code, message, ...(place ? { place } : {}) } } satisfies Outcome);
  }
}

const UNRESOLVED = "ResolveMessage";

/** Whether an import leads nowhere, as far as this process knows. */
export function isUnresolved(error: unknown): boolean {
  const cause = error instanceof BobbinError ? error.cause : undefined;
  return (cause as { name?: unknown } | undefined)?.name === UNRESOLVED;
}

function parse(text: string): Outcome | undefined {
  try {
    return JSON.parse(text) as Outcome;
  } catch {
    // It ended before it had an answer.
    return undefined;
  }
}

function noAnswer(entry: string) {
  const message = `${entry} was not bundled within ${DEADLINE_MS} ms`;
  return { code: "PLUGIN_LOAD_FAILED" as const, message, place: { file: entry } };
}
