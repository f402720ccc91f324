/**
 * Where a service is when the registry does not say so: the environment, then what is known of the developer's own
 * machine. Knows names; nothing of the registry.
 */
import { environment } from "./runtime.ts";

export interface Fallback {
  readonly url: string;
  readonly source: "ENVIRONMENT" | "DEFAULT";
}

/** `payment-service` is PAYMENT_SERVICE_URL. */
export function variableOf(name: string): string {
  return `${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_URL`;
}

export function fallbackOf(
  name: string,
  localDefaults: Readonly<Record<string, number | string>>,
): Fallback | undefined {
  const url = environment(variableOf(name));
  if (url) return { url, source: "ENVIRONMENT" };
  const known = Object.hasOwn(localDefaults, name) ? localDefaults[name] : undefined;
  if (known === undefined) return undefined;
  return { url: typeof known === "number" ? `http://localhost:${known}` : known, source: "DEFAULT" };
}
