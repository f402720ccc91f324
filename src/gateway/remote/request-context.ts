/**
 * What a request to the gateway carries along to the subgraphs. Knows headers only.
 */
import { type HeaderSource, HOPS_HEADER } from "../../http.ts";

export interface GatewayContext {
  /** The client's request; absent where bobbin itself asks. */
  readonly request?: Request;
  /** Its headers, where they are had without making a Request, and where what goes along of them is remembered. */
  readonly headers?: ClientHeaders;
  /** How many gateways it came through before this one. */
  readonly hops: number;
  /** A bearer token of bobbin's own in the request: it opens the registry, so it never leaves. */
  readonly writeToken: string | undefined;
}

/** What traces are made of: it says nothing of what is asked or of who asks. */
export const TRACE_HEADERS: ReadonlySet<string> = new Set([
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "x-request-id",
]);
/** Forwarded to every subgraph: the client's languages, and the trace. */
const ALWAYS_FORWARDED = ["accept-language", ...TRACE_HEADERS];
/** Headers that describe the connection or the body, which is not the one that goes out. */
const NEVER_FORWARDED = new Set([
  "host",
  "connection",
  "content-length",
  "content-type",
  "content-encoding",
  "transfer-encoding",
  "accept-encoding",
  "accept",
  "upgrade",
  "te",
  "trailer",
  "keep-alive",
  "proxy-authorization",
  HOPS_HEADER,
]);

/** The headers of a client, the same for all of its requests that have this object. */
export interface ClientHeaders extends HeaderSource {
  /** What goes along to services, by the list of names that they ask for. */
  readonly forwarded: WeakMap<readonly string[], SubgraphHeaders>;
}

export type SubgraphHeaders = Readonly<Record<string, string>>;

/** The headers of a call to a subgraph; `named` are those that its `metadata.gateway.headers` asks for. */
export function subgraphHeaders(context: GatewayContext, named: readonly string[]): SubgraphHeaders {
  const known = context.headers?.forwarded.get(named);
  if (known) return known;
  const headers: Record<string, string> = { [HOPS_HEADER]: String(context.hops + 1) };
  const from = context.headers ?? context.request?.headers;
  if (!from) return headers;
  forward(ALWAYS_FORWARDED, from, context.writeToken, headers);
  if (named.length > 0) forward(named, from, context.writeToken, headers);
  context.headers?.forwarded.set(named, headers);
  return headers;
}

function forward(
  names: readonly string[],
  from: HeaderSource,
  writeToken: string | undefined,
  to: Record<string, string>,
): void {
  for (const name of names) {
    const value = from.get(name);
    if (value === null || NEVER_FORWARDED.has(name)) continue;
    if (writeToken && value.includes(writeToken)) continue;
    to[name] = value;
  }
}
