/**
 * A request as a plugin sees it: plain data. Knows headers; not where the request came in.
 */
import type { PluginContext } from "./define-plugin.ts";

/** The client's headers, without a token that opens the registry in any of them. */
export function pluginContext(headers: Headers | undefined, writeToken: string | undefined): PluginContext {
  const shown = [...(headers ?? [])].filter(([, value]) => !writeToken || !value.includes(writeToken));
  return { headers: Object.fromEntries(shown) };
}
