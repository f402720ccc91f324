/** What opens the writes of a running bobbin: a token that is given, or one made of its secret. Knows where both are. */
import { BobbinError } from "../errors.ts";
import { NAME_RULE } from "../registry/service.ts";
import type { Environment } from "./settings.ts";

export const NO_TOKEN = "Set BOBBIN_TOKEN to a token of this bobbin, or JWT_SECRET to its secret.";

/** `service`: the one that is written to; null: all. Throws INVALID_INPUT where it has characters that no token has. */
export async function writeToken(
  flag: string | undefined,
  env: Environment,
  service: string | null,
): Promise<string | undefined> {
  const sources = { "--token": flag, ...pick(env, "BOBBIN_TOKEN", "SERVICE_REGISTRY_TOKEN") };
  for (const [source, token] of Object.entries(sources)) {
    if (!token) continue;
    if (/[^\x21-\x7e]/.test(token))
      throw new BobbinError("INVALID_INPUT", `${source} has characters that no token has`);
    return token;
  }
  const secret = env.BOBBIN_JWT_SECRET || env.JWT_SECRET;
  if (!secret) return undefined;
  const { tokenFor } = await import("./token.ts");
  return tokenFor(secret, "1m", service !== null && NAME_RULE.test(service) ? service : undefined);
}

function pick(env: Environment, ...names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}
