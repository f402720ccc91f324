/**
 * One plugin's code, run up to its configuration and ended again: its setup is not run.
 * Knows bundles and runners; nothing of other plugins or of a server.
 */
import { BobbinError } from "../../errors.ts";
import { shown } from "../../plugins/place.ts";
import type { HostAbilities } from "../../plugins/runner/context.ts";
import type { Manifest } from "../../plugins/runner/definition.ts";
import { startRunner } from "../../plugins/runner/isolation.ts";
import { Sources } from "../../plugins/source/sources.ts";

/**
 * What the plugin is. Throws PLUGIN_LOAD_FAILED or PLUGIN_INVALID where it is none, where it takes longer than
 * `deadlineMs` to load, or where it does not take its configuration. `say` is called with what it writes to its log.
 */
export async function tryPlugin(
  entry: string,
  deadlineMs: number,
  say: (line: string) => void,
): Promise<Manifest> {
  const sources = new Sources(entry);
  const { code, isolation } = await sources.read();
  const file = shown(entry);
  const fail = (problem: string) =>
    new BobbinError("PLUGIN_LOAD_FAILED", `${file}: load ${problem}`, { place: { file }, step: "load" });
  const stopped = Promise.withResolvers<never>();
  // Code that would share this thread may keep it or end it, and this command is to say so of it.
  const running = startRunner(isolation === "inline" ? "process" : isolation, hostOf(say));
  void running.crashed.then(({ reason }) => stopped.reject(fail(`did not finish: ${reason}`)));
  // Not the system's clock, whose timers let the process end.
  const timer = setTimeout(() => stopped.reject(fail(`did not finish within ${deadlineMs} ms`)), deadlineMs);
  try {
    const trying = async () => {
      const manifest = await running.runner.load({ code, file, isolation });
      await running.runner.configure(await sources.configuration());
      return manifest;
    };
    return await Promise.race([trying(), stopped.promise]);
  } finally {
    clearTimeout(timer);
    running.end();
  }
}

/** There is no graph to ask, and before its setup a plugin has nothing to ask it with. */
function hostOf(say: (line: string) => void): HostAbilities {
  const nothing = (): never => {
    throw new BobbinError("SERVICE_UNAVAILABLE", "No bobbin is running.");
  };
  return { query: nothing, subscribe: nothing, services: nothing, log: (_level, message) => say(message) };
}
