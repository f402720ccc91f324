/**
 * What every outgoing HTTP call shares: the headers by which bobbin's processes know each other, a bound on what is
 * read, and words for a failed connection. Knows nothing of what is asked.
 */

/** How many gateways a call came through. */
export const HOPS_HEADER = "x-bobbin-hops";
/** On every answer: which process and which door gave it. */
export const DOOR_HEADER = "x-bobbin-door";
export const MAX_HOPS = 8;

export type DoorName = "gateway" | "core" | "registry";

/** Headers, however they are kept. */
export type HeaderSource = Pick<Headers, "get">;

export function hopsOf(headers: HeaderSource): number {
  const hops = Number(headers.get(HOPS_HEADER) ?? 0);
  return Number.isInteger(hops) && hops >= 0 ? hops : MAX_HOPS + 1;
}

/** The body as text, or undefined when it is longer than `limit` bytes. */
export async function readAtMost(body: Request | Response, limit: number): Promise<string | undefined> {
  return (await readBytesAtMost(body, limit))?.toString("utf8");
}

/** The body as it came, or undefined when it is longer than `limit` bytes. */
export async function readBytesAtMost(
  body: Request | Response,
  limit: number,
): Promise<Buffer<ArrayBuffer> | undefined> {
  if (Number(body.headers.get("content-length") ?? 0) > limit) {
    await body.body?.cancel();
    return undefined;
  }
  if (!body.body) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Bun's codes of failed connections, in words. */
const CONNECTION_REASONS: Readonly<Record<string, string>> = {
  ConnectionRefused: "connection refused",
  ECONNREFUSED: "connection refused",
  ENOENT: "its unix socket is not there",
  ECONNRESET: "connection closed before the answer was complete",
  ConnectionClosed: "connection closed before the answer was complete",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name could not be looked up",
  FailedToOpenSocket: "its address could not be reached",
  EHOSTUNREACH: "its address could not be reached",
  ENETUNREACH: "its address could not be reached",
  ZlibError: "its answer cannot be unpacked",
  ETIMEDOUT: "no answer in time",
  ConnectionTimeout: "no answer in time",
};

/** What a person makes of a failed connection; never the runtime's own text, because clients read it too. */
export function connectionReason(error: unknown): string {
  const code = String((error as { code?: unknown })?.code);
  if (/CERT|TLS|SSL|SIGNATURE/.test(code)) return "its certificate is not accepted";
  if (/HTTP|HPE_/i.test(code)) return "its answer is not HTTP";
  return CONNECTION_REASONS[code] ?? "the connection failed";
}

/** The variables that Bun's fetch looks at. */
const VARIABLES = ["http_proxy", "https_proxy", "all_proxy"];

/** Whether any proxy is named; which calls go through it is fetch's matter. */
export function usesProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return VARIABLES.some((name) => environment[name] || environment[name.toUpperCase()]);
}
