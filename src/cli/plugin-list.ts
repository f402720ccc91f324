/** `bobbin plugin list`: the plugins of a running bobbin, and what is wrong with them. Decides nothing. */
import { done, failed, type Outcome } from "./outcome.ts";
import { askGateway } from "./plugin-gateway.ts";
import { type PluginView, pluginTable } from "./plugin-report.ts";
import type { Environment } from "./settings.ts";

export interface ListOptions {
  readonly gateway?: string;
  readonly json?: boolean;
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function listPlugins({ gateway, json }: ListOptions, env: Environment): Promise<Outcome> {
  const answer = await askGateway({
    gateway,
    env,
    path: "/plugins",
    find: (body) => (hasPlugins(body) ? body : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { found } = answer;
  if (json) return done(JSON.stringify(found, null, 2));
  return found.plugins.length > 0 ? done(...pluginTable(found.plugins)) : done("there are no plugins");
}

function hasPlugins(body: unknown): body is { plugins: PluginView[] } {
  return Array.isArray((body as { plugins?: unknown } | null)?.plugins);
}
