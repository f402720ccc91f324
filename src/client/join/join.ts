/**
 * What every server's helper does: registers when the server is there, and removes the instance when it stops. Knows
 * the client; no server.
 */
import type { Client } from "../client.ts";
import { defaultClient } from "../default-client.ts";
import type { Metadata, RegistrationOptions } from "../registration.ts";
import { environment } from "../runtime.ts";

export interface Joining extends RegistrationOptions {
  /** The service's name. */
  name: string;
  /** Where others reach this instance. Default: SERVICE_URL, else localhost with the port that the server listens on. */
  url?: string;
  metadata?: Metadata;
  /** Default: the one that the whole program shares. */
  client?: Client;
}

/** What a server says of itself. */
export interface Found {
  readonly hostname?: string | undefined;
  readonly port?: number | undefined;
  /** The path of its GraphQL endpoint. */
  readonly graphql?: string | undefined;
}

/** Registers; returns the way to remove the instance. Throws where nothing says which URL it has. */
export function join(joining: Joining, found: Found): () => Promise<boolean> {
  const { name, url = environment("SERVICE_URL") ?? urlOf(found), client, ...rest } = joining;
  if (url === undefined) {
    throw new Error(`${name} cannot join: set url, or SERVICE_URL, to where others reach this instance`);
  }
  const using = client ?? defaultClient();
  void using.registerService(name, url, withGraphQL(rest.metadata, found.graphql), rest);
  return () => using.unregisterService(name);
}

function urlOf({ hostname, port }: Found): string | undefined {
  if (port === undefined) return undefined;
  const isEverywhere = !hostname || /^(0\.0\.0\.0|::|127\.0\.0\.1|::1)$/.test(hostname);
  const host = isEverywhere ? "localhost" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What the program says of its endpoints itself comes first. */
function withGraphQL(metadata: Metadata = {}, graphql: string | undefined): Metadata {
  if (graphql === undefined) return metadata;
  return { ...metadata, endpoints: { graphql, ...(metadata.endpoints as object | undefined) } };
}
