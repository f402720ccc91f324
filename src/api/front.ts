/**
 * What every request passes before its door's own routes: Host, size, origin; and what every answer gets on its way
 * out. Knows requests and answers; nothing of routes.
 */
import { BobbinError, toBobbinError } from "../errors.ts";
import { DOOR_HEADER, readBytesAtMost } from "../http.ts";
import type { Log } from "../log.ts";
import { refusal } from "./answers.ts";
import type { Guard, RequestHead } from "./guard.ts";

/** Which process answered: for developers. */
const WORKER_HEADER = "x-bobbin-worker";

export type Fetch = (request: Request) => Response | Promise<Response>;
/** `path` is that of the request's URL. */
export type Routes = (request: Request, path: string) => Response | Promise<Response>;

export interface FrontOptions {
  guard: Guard;
  bodyLimitBytes: number;
  /** Value of the door header. */
  doorHeader: string;
  /** Methods that pages of the allowed origins may use on this path; undefined: the path says so itself. */
  corsMethods: (path: string) => readonly string[] | undefined;
  /** Which of the processes this is, for answers to say; absent where they do not. */
  worker?: number;
  log: Log;
}

export function withFront(routes: Routes, options: FrontOptions): Fetch {
  return async (incoming) => {
    const request = withRoutableUrl(incoming);
    const path = pathOf(request.url);
    let response: Response;
    try {
      options.guard.checkHost(request);
      const whole = bounded(request, options.bodyLimitBytes);
      response =
        preflight(request, path, options) ??
        (await routes(whole instanceof Request ? whole : await whole, path));
      // Yoga says this with a status alone.
      if (response.status === 406 && !response.body) throw notAcceptable();
    } catch (thrown) {
      const error = toBobbinError(thrown);
      // What breaks off because the client has left is no fault.
      if (error.code === "INTERNAL" && !request.signal.aborted)
        options.log.error({ err: error.cause, path }, "a request failed");
      response = refusal(error, path);
    }
    for (const [name, value] of headersOnTheWayOut(request, path, options)) {
      if (name === "vary") response.headers.append(name, value);
      else response.headers.set(name, value);
    }
    return response;
  };
}

/** What every answer to such a request gets, whoever made it. */
export function headersOnTheWayOut(
  { headers }: RequestHead,
  path: string,
  { guard, corsMethods, doorHeader, worker }: FrontOptions,
): [name: string, value: string][] {
  const out: [string, string][] = [[DOOR_HEADER, doorHeader]];
  if (worker) out.push([WORKER_HEADER, String(worker)]);
  if (!corsMethods(path)?.length) return out;
  out.push(["vary", "origin"]);
  const origin = headers.get("origin");
  if (origin === null || !guard.mayRead(origin)) return out;
  out.push(["access-control-allow-origin", origin], ["access-control-allow-credentials", "true"]);
  return out;
}

function notAcceptable(): BobbinError {
  const types =
    "application/graphql-response+json, application/json, or text/event-stream for a subscription";
  return new BobbinError("NOT_ACCEPTABLE", `Accept ${types}.`);
}

/**
 * Of a request without a Host header, as HTTP/1.0 allows, only the path is known; and Elysia looks for the path from
 * the twelfth character on, which is too late behind a host like `api`.
 */
function withRoutableUrl(request: Request): Request {
  const { url } = request;
  const path = url.startsWith("/") ? 0 : url.indexOf("/", "http://".length);
  return path < 11 ? new Request(`http://localhost${url.slice(path)}`, request) : request;
}

/** A body of declared length is checked by that; any other is read first, up to the limit. */
function bounded(request: Request, limit: number): Request | Promise<Request> {
  const declared = request.headers.get("content-length");
  if (declared === null) return request.body ? readWhole(request, limit) : request;
  if (Number(declared) > limit) throw tooLarge(limit);
  return request;
}

async function readWhole(request: Request, limit: number): Promise<Request> {
  const body = await readBytesAtMost(request, limit).catch((cause) => {
    throw new BobbinError("INVALID_INPUT", "The body broke off.", { cause });
  });
  if (body === undefined) throw tooLarge(limit);
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    body,
    signal: request.signal,
  });
}

function tooLarge(limit: number): BobbinError {
  return new BobbinError("BODY_TOO_LARGE", `The body is larger than ${limit} bytes, the option BODY_LIMIT.`);
}

/** The answer to a browser that asks whether it may: written by hand because only some paths and methods allow it. */
function preflight(
  request: Request,
  path: string,
  { guard, corsMethods }: FrontOptions,
): Response | undefined {
  if (request.method !== "OPTIONS") return undefined;
  const origin = request.headers.get("origin");
  const method = request.headers.get("access-control-request-method");
  const methods = corsMethods(path);
  if (origin === null || method === null || !methods) return undefined;
  if (!guard.mayRead(origin) || !methods.includes(method)) return new Response(null, { status: 403 });
  const headers = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods.join(", "),
      ...(headers ? { "access-control-allow-headers": headers } : {}),
      "access-control-max-age": "600",
    },
  });
}

/** The path of an absolute URL, without parsing the rest of it. */
function pathOf(url: string): string {
  const start = url.indexOf("/", 8);
  const end = url.indexOf("?", start);
  return start < 0 ? "/" : url.slice(start, end < 0 ? undefined : end);
}
