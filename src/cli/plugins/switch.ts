/** `bobbin plugin enable`, `disable` and `reload`: what is done with a plugin of a running bobbin. Decides nothing. */
import { ask, type Place } from "../api-client.ts";
import { readSettings } from "../settings.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { troubleLine } from "../terminal/trouble.ts";
import type { PluginView } from "./report.ts";

const DONE = { enable: "enabled", disable: "disabled", reload: "reloaded" } as const;

export type Switch = keyof typeof DONE;

const DEADLINE_MS = 30_000;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function switchPlugin(
  action: Switch,
  name: string,
  place: Place,
  { env }: Terminal,
): Promise<Outcome> {
  // A plugin may take its time to load and, as long again, to be set up.
  const { pluginStartTimeoutMs } = readSettings(["pluginStartTimeoutMs"], {}, env);
  const answer = await ask({
    door: "gateway",
    place,
    env,
    path: `/plugins/${encodeURIComponent(name)}/${action}`,
    writesTo: name,
    deadlineMs: DEADLINE_MS + 2 * pluginStartTimeoutMs,
    find: ({ body }) => (isView(body) ? body : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { found: plugin } = answer;
  // What is wrong with a plugin that is to rest does not matter now.
  if (plugin.reason && action !== "disable") return failed(troubleLine(plugin.reason));
  const { status, version, isolation, file } = plugin;
  const what = [status, version && `version ${version}`, isolation, file].filter(Boolean).join(", ");
  return done(`${DONE[action]} ${plugin.name}: ${what}`);
}

function isView(body: unknown): body is PluginView {
  return typeof (body as { name?: unknown } | null)?.name === "string";
}
