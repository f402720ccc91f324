/**
 * fetch with a service's name in place of an origin: one retry on another instance, and a deadline for all of it.
 * Knows HTTP; not how a service is found.
 */
import { after } from "./runtime.ts";

export interface ServiceFetchInit extends RequestInit {
  /** For the whole exchange, the answer's body and the retry included; Infinity: none. Default: 10,000. */
  deadlineMs?: number;
}

const DEADLINE_MS = 10_000;
/** Methods that do the same when they are done twice. */
const IDEMPOTENT = /^(GET|HEAD|OPTIONS|PUT|DELETE)$/i;
/** Answers of an instance, or of a proxy before it, that is not there. */
const GONE = new Set([502, 503, 504]);
/** No connection came about: whatever the method, nothing was done. In the words of Node and of Bun. */
const NEVER_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|DNSException)$/;

/** `find`: whose turn it is. `other`: an instance that is not at `url`, where there is one. */
export async function serviceFetch(
  find: () => Promise<string>,
  other: (url: string) => string | undefined,
  path: string,
  { deadlineMs = DEADLINE_MS, signal: given, ...init }: ServiceFetchInit,
): Promise<Response> {
  const signal = deadlineSignal(deadlineMs, given ?? undefined);
  const send = (url: string) => fetch(joined(url, path), { ...init, signal });
  const first = await find();
  const outcome = await send(first).then(
    (response) => ({ response }),
    (error: unknown) => ({ error }),
  );
  const second = !signal.aborted && mayRepeat(init, outcome) ? other(first) : undefined;
  if ("response" in outcome) {
    if (second === undefined) return outcome.response;
    await outcome.response.body?.cancel();
  } else if (second === undefined) throw outcome.error;
  return send(second);
}

/** Whether nothing was done, or may be done twice. A body that is a stream can be read once. */
function mayRepeat(
  { method = "GET", body }: RequestInit,
  outcome: { response: Response } | { error: unknown },
): boolean {
  if (body instanceof ReadableStream) return false;
  const isIdempotent = IDEMPOTENT.test(method);
  if ("response" in outcome) return isIdempotent && GONE.has(outcome.response.status);
  return isIdempotent || wasNeverSent(outcome.error);
}

/** Whatever is in the path, it leads to no other host. Without one it is the URL itself, as of a GraphQL endpoint. */
function joined(base: string, path: string): string {
  if (path === "" || path.startsWith("?")) return `${base}${path}`;
  return `${base.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}

/** Aborts when the time is up or when the caller's own signal does; lets go of that one by then. */
function deadlineSignal(deadlineMs: number, given: AbortSignal | undefined): AbortSignal {
  const controller = new AbortController();
  const onAbort = () => controller.abort(given?.reason);
  if (given?.aborted) onAbort();
  given?.addEventListener("abort", onAbort);
  if (deadlineMs === Number.POSITIVE_INFINITY) return controller.signal;
  after(deadlineMs, () => {
    given?.removeEventListener("abort", onAbort);
    controller.abort(new DOMException(`no answer within ${deadlineMs} ms`, "TimeoutError"));
  });
  return controller.signal;
}

/** Node says why in the cause, Bun in the error itself. */
function wasNeverSent(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === "string" && NEVER_SENT.test(code)) return true;
  }
  return false;
}
