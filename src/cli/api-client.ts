/**
 * The running bobbin that a command is about: where its doors are, what opens its writes, what it answers.
 * Knows HTTP and the form of refusals; nothing of what is asked for.
 */
import { BobbinError } from "../errors.ts";
import { connectionReason, type DoorName, readAtMost } from "../http.ts";
import { doorUrl } from "./door-url.ts";
import type { Environment } from "./settings.ts";
import { type Trouble, troubleLine } from "./terminal/trouble.ts";
import { NO_TOKEN, writeToken } from "./write-token.ts";

/** Where a command's bobbin is, as its flags say. */
export interface Place {
  readonly gateway?: string;
  readonly core?: string;
  readonly registry?: string;
  readonly token?: string;
}

export interface Request {
  readonly door: DoorName;
  readonly place: Place;
  readonly env: Environment;
  readonly path: string;
  /** Sent as JSON where it is no text; without one, and where nothing is written to, it is a GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The service that is written to; null: all of them. Undefined where nothing is. */
  readonly writesTo?: string | null;
  readonly deadlineMs?: number;
  /** Ends the call before its deadline. */
  readonly signal?: AbortSignal;
}

export interface Question<T> extends Request {
  /** What is looked for in an answer; undefined where it is not in it. */
  readonly find: (answer: Reply) => T | undefined;
  /** Whether it may be in an answer that is no success. */
  readonly inAnyAnswer?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Its JSON; undefined where it is none. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** In words, why there is nothing of what was looked for. */
export interface Refused {
  readonly refused: readonly string[];
  /** Of the refusal, where bobbin itself gave it. */
  readonly code?: string;
  /** Whether nothing answered at all. */
  readonly isUnreachable?: true;
}

const DEADLINE_MS = 30_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function ask<T>(question: Question<T>): Promise<{ readonly found: T } | Refused> {
  return send(question, async (response, base) => {
    const text = (await readAtMost(response, MAX_BODY_BYTES)) ?? "";
    const { status, headers } = response;
    const body = parsed(text);
    const found =
      response.ok || question.inAnyAnswer ? question.find({ status, text, body, headers }) : undefined;
    return found === undefined ? refusalIn(base, question.door, status, body) : { found };
  });
}

/** The same with an answer that `take` reads itself: it is given those that are a success. */
export async function open<T>(
  request: Request,
  take: (response: Response) => Promise<T>,
): Promise<{ readonly found: T } | Refused> {
  return send(request, async (response, base) => {
    if (response.ok) return { found: await take(response) };
    const text = await readAtMost(response, MAX_BODY_BYTES);
    return refusalIn(base, request.door, response.status, parsed(text));
  });
}

async function send<T>(
  request: Request,
  read: (response: Response, base: string) => Promise<{ readonly found: T } | Refused>,
): Promise<{ readonly found: T } | Refused> {
  const { door, place, env, path, body, writesTo, deadlineMs = DEADLINE_MS, signal } = request;
  const base = doorUrl(door, place[door], env);
  const token = writesTo === undefined ? undefined : await writeToken(place.token, env, writesTo);
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const response = await fetch(`${base}${path}`, {
      method: body === undefined && writesTo === undefined ? "GET" : "POST",
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      // A token is for who was asked, not for whom that one points to.
      redirect: "manual",
      signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
    });
    return await read(response, base);
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const reason = isLate ? `no answer within ${Math.round(deadlineMs / 1000)} s` : connectionReason(error);
    return {
      refused: [
        `bobbin cannot be reached at ${base}: ${reason}.`,
        `Start it with \`bobbin serve\`, or say with --${door} <url> where it is.`,
      ],
      isUnreachable: true,
    };
  }
}

const STANDARD_PORTS: Record<DoorName, number> = { gateway: 3000, core: 3001, registry: 3999 };

function refusalIn(base: string, door: DoorName, status: number, body: unknown): Refused {
  const { code, detail, step, file, line, column } = (body ?? {}) as Partial<Trouble> & { detail?: unknown };
  // The other doors of bobbin have nothing of this either.
  if (typeof code !== "string" || typeof detail !== "string" || code === "NOT_FOUND") {
    return {
      refused: [
        `${base} does not answer as bobbin's ${door} does (HTTP ${status}).`,
        `Say with --${door} <url> where it is; its port is ${STANDARD_PORTS[door]} unless it was given another.`,
      ],
    };
  }
  const hint = code === "UNAUTHENTICATED" ? [NO_TOKEN] : [];
  return { refused: [troubleLine({ code, message: detail, step, file, line, column }), ...hint], code };
}

/** The JSON, or undefined where it is none. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // Whoever answered so is no bobbin, which is said with the status.
    return undefined;
  }
}
