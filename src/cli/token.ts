/** `bobbin token create`. Knows durations and names; the token itself is made in api/tokens. */
import { createToken } from "../api/tokens.ts";
import { BobbinError } from "../errors.ts";
import { checkName } from "../registry/fields.ts";

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MOST_SECONDS = 10 * 365 * 86_400;

/** A signed token. Throws INVALID_INPUT where the duration, the name or the secret is not usable. */
export function tokenFor(
  secret: string | undefined,
  ttl: string,
  service: string | undefined,
): Promise<string> {
  if (!secret)
    throw new BobbinError("INVALID_INPUT", "JWT_SECRET is not set: set it to the server's secret.");
  if (service !== undefined) checkName(service);
  return createToken(secret, parseDuration(ttl), service);
}

function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * (SECONDS[unit] ?? 0);
  if (seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new BobbinError(
    "INVALID_INPUT",
    `--ttl ${text}: give a number with s, m, h or d, of ten years at most.`,
  );
}
