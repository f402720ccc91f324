/**
 * What a program may set, and what holds where it does not. Knows the names of variables; nothing of what is done
 * with them.
 */
import { environment } from "./runtime.ts";

export interface ClientOptions {
  /** Where the registry is. Default: SERVICE_REGISTRY_URL, else http://localhost:3999. */
  registryUrl?: string;
  /** Sent with every write. Default: SERVICE_REGISTRY_TOKEN, else none. */
  token?: string;
  /**
   * Where services are on the developer's own machine: their name and a port of localhost, or a URL. The last of the
   * fallbacks. Added to bobbin's own: `core` at its GraphQL endpoint on 3001, `gateway` on 3000.
   */
  localDefaults?: Readonly<Record<string, number | string>>;
}

export interface Settings {
  /** Without a slash at its end. */
  readonly registryUrl: string;
  readonly token: string | undefined;
  readonly localDefaults: Readonly<Record<string, number | string>>;
}

/** As the registry has them. */
const KNOWN = { core: "http://localhost:3001/graphql", gateway: 3000 };

export function settingsOf({ registryUrl, token, localDefaults }: ClientOptions): Settings {
  const url = registryUrl ?? environment("SERVICE_REGISTRY_URL") ?? "http://localhost:3999";
  return {
    registryUrl: url.replace(/\/+$/, ""),
    token: token ?? environment("SERVICE_REGISTRY_TOKEN"),
    localDefaults: { ...KNOWN, ...localDefaults },
  };
}
