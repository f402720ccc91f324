/**
 * The one place that decides whether a request may come in, and whether it may write.
 * Knows requests and tokens; nothing of what is written.
 */

import { BobbinError } from "../errors.ts";
import type { HeaderSource } from "../http.ts";
import { isLoopbackHost } from "../loopback.ts";
import { bearerToken, isSignedBy, tokensIn, verifyToken } from "./tokens.ts";

export interface GuardOptions {
  jwtSecret: string | undefined;
  /** Whether the listeners are on loopback only. */
  loopback: boolean;
  /** Origins whose pages may read; undefined: loopback ones on a loopback listener. */
  corsOrigins: readonly string[] | undefined;
}

/** What is looked at of a request. */
export interface RequestHead {
  readonly url: string;
  readonly headers: HeaderSource;
}

export class Guard {
  readonly #options: GuardOptions;
  /** The Host that was found to be right last: nearly every request has the same. */
  #lastHost: string | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * A Host that makes no URL is refused. So is, on a loopback listener, one that is no loopback name: it means that a
   * web page elsewhere made its own name point here (DNS rebinding). Throws FORBIDDEN_HOST.
   */
  checkHost(request: RequestHead): void {
    const host = hostOf(request);
    if (host === this.#lastHost) return;
    if (!URL.canParse(`http://${host}`)) throw forbiddenHost(host, "no host, with or without a port.");
    if (this.#options.loopback && !isLoopbackHost(host.replace(/:\d+$/, "")))
      throw forbiddenHost(host, "no loopback name: send Host: localhost, or listen elsewhere with --host.");
    this.#lastHost = host;
  }

  /**
   * Whether the request may write to `service`; undefined stands for a write that is not about one service.
   * Throws UNSUPPORTED_MEDIA_TYPE, FORBIDDEN_ORIGIN, UNAUTHENTICATED or FORBIDDEN.
   */
  async checkWrite(
    request: Request,
    service: string | undefined,
    body: "JSON" | "NONE" = "JSON",
  ): Promise<void> {
    this.checkOrigin(request);
    if (body === "JSON") checkJson(request);
    const { jwtSecret } = this.#options;
    if (!jwtSecret) return;
    const token = bearerToken(request.headers);
    if (!token) throw new BobbinError("UNAUTHENTICATED", "Send a token: Authorization: Bearer <token>.");
    const claims = await verifyToken(jwtSecret, token);
    if (claims.service !== undefined && claims.service !== service) {
      throw new BobbinError("FORBIDDEN", `The token is for the service ${claims.service} only.`);
    }
  }

  /** A page of another origin may not write, whatever it may read. */
  checkOrigin(request: Request): void {
    const origin = request.headers.get("origin");
    const host = hostOf(request);
    if (origin === null || origin === `http://${host}` || origin === `https://${host}`) return;
    throw new BobbinError("FORBIDDEN_ORIGIN", `Pages of ${origin.slice(0, 200)} may not write.`);
  }

  /** A browser opens a WebSocket for any page without asking first: only pages that may read may have one. */
  checkSocketOrigin(request: Request): void {
    const origin = request.headers.get("origin");
    if (origin === null || !this.mayRead(origin)) this.checkOrigin(request);
  }

  /** Whether pages of this origin may read the answer. */
  mayRead(origin: string): boolean {
    const { corsOrigins, loopback } = this.#options;
    if (corsOrigins) return corsOrigins.includes(origin);
    const url = URL.parse(origin);
    return loopback && url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname);
  }

  /**
   * The request's token that opens bobbin's own writes, if there is one: it never leaves to a subgraph. At once where
   * there is nothing to verify.
   */
  writeToken({ headers }: RequestHead): Promise<string | undefined> | undefined {
    const { jwtSecret } = this.#options;
    if (!jwtSecret || headers.get("authorization") === null) return undefined;
    return signedToken(jwtSecret, tokensIn(headers));
  }
}

async function signedToken(secret: string, tokens: readonly string[]): Promise<string | undefined> {
  for (const token of tokens) if (await isSignedBy(secret, token)) return token;
  return undefined;
}

function forbiddenHost(host: string, what: string): BobbinError {
  return new BobbinError("FORBIDDEN_HOST", `Host ${JSON.stringify(host.slice(0, 100))} is ${what}`);
}

function hostOf({ url, headers }: RequestHead): string {
  return headers.get("host") ?? new URL(url).host;
}

function checkJson(request: Request): void {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new BobbinError("UNSUPPORTED_MEDIA_TYPE", "Send the body as content-type: application/json.");
  }
}
