/** `bobbin plugin list`: the plugins of a running bobbin, and what is wrong with them. Decides nothing. */
import { ask, type Place } from "../api-client.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type PluginView, pluginTable } from "./report.ts";

export interface ListOptions extends Place {
  readonly json?: boolean;
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function listPlugins({ json, ...place }: ListOptions, terminal: Terminal): Promise<Outcome> {
  const answer = await ask({
    door: "gateway",
    place,
    env: terminal.env,
    path: "/plugins",
    find: ({ body }) => (hasPlugins(body) ? body : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { found } = answer;
  if (json) return done(JSON.stringify(found, null, 2));
  return found.plugins.length > 0
    ? done(...pluginTable(found.plugins, terminal))
    : done("there are no plugins");
}

function hasPlugins(body: unknown): body is { plugins: PluginView[] } {
  return Array.isArray((body as { plugins?: unknown } | null)?.plugins);
}
