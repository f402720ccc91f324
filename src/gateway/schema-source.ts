/**
 * What a service's part of the graph is built of: its SDL, with what its registration says of it. Knows registrations;
 * nothing of how a schema is got, or of what is built.
 */
import { gatewaySettings, type SchemaKind } from "../registry/metadata.ts";
import type { Service } from "../registry/service.ts";
import { kindOfText } from "./subgraph/kind-of-text.ts";
import type { SubgraphSource } from "./subgraph/subgraph.ts";

/** `kind`: how a remote service offered it. */
export function sourceOf({ name, metadata }: Service, sdl: string, kind?: SchemaKind): SubgraphSource {
  const { namespace, hide, rename, merge } = gatewaySettings(metadata);
  const isFederated = kind === "federation";
  return { name, sdl, isFederated, ...(kind ? { kind } : {}), namespace, hide, rename, merge };
}

/** A schema that nobody asked a service for, with the settings of the service where there is one. */
export function triedSource(service: Service | undefined, name: string, sdl: string): SubgraphSource {
  if (!service) return { name, sdl, namespace: null, ...kindIn(sdl) };
  if (service.source !== "REMOTE") return sourceOf(service, sdl);
  return sourceOf(service, sdl, gatewaySettings(service.metadata).kind ?? kindOfText(sdl));
}

function kindIn(sdl: string): Pick<SubgraphSource, "kind" | "isFederated"> {
  const kind = kindOfText(sdl);
  return { kind, isFederated: kind === "federation" };
}
