/** `bobbin plugin enable`, `disable` and `reload`: what is done with a plugin of a running bobbin. Decides nothing. */
import { done, failed, type Outcome } from "./outcome.ts";
import { askGateway } from "./plugin-gateway.ts";
import { type PluginView, troubleLine } from "./plugin-report.ts";
import type { Environment } from "./settings.ts";

const DONE = { enable: "enabled", disable: "disabled", reload: "reloaded" } as const;

export type Switch = keyof typeof DONE;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function switchPlugin(
  action: Switch,
  name: string,
  { gateway }: { readonly gateway?: string },
  env: Environment,
): Promise<Outcome> {
  const answer = await askGateway({
    gateway,
    env,
    path: `/plugins/${encodeURIComponent(name)}/${action}`,
    writesTo: name,
    find: (body) => (isView(body) ? body : undefined),
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
