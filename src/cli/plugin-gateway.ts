/**
 * The running bobbin that a command is about: where it is, what opens its writes, what it answers.
 * Knows HTTP and the form of refusals; nothing of what is asked for.
 */
import { BobbinError } from "../errors.ts";
import { connectionReason, readAtMost } from "../http.ts";
import { NAME_RULE } from "../registry/service.ts";
import { type Trouble, troubleLine } from "./plugin-report.ts";
import { type Environment, readSettings } from "./settings.ts";
import { tokenFor } from "./token.ts";

export interface Question<T> {
  /** What `--gateway` says. */
  readonly gateway: string | undefined;
  readonly env: Environment;
  readonly path: string;
  /** The plugin that is written to; undefined where nothing is. */
  readonly writesTo?: string;
  /** What is looked for in the answer's JSON; undefined where it is not in it. */
  readonly find: (body: unknown) => T | undefined;
}

/** What was looked for, or in words why there is nothing of it. */
export type Answer<T> = { readonly found: T } | { readonly refused: readonly string[] };

const DEADLINE_MS = 30_000;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function askGateway<T>(question: Question<T>): Promise<Answer<T>> {
  const { gateway, env, path, writesTo, find } = question;
  const base = gatewayUrl(gateway, env);
  const token = writesTo === undefined ? undefined : await writeToken(env, writesTo);
  const deadlineMs = DEADLINE_MS + (writesTo === undefined ? 0 : startTimeMs(env));
  try {
    const response = await fetch(`${base}${path}`, {
      method: writesTo === undefined ? "GET" : "POST",
      headers: { accept: "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
      // A token is for who was asked, not for whom that one points to.
      redirect: "manual",
      signal: AbortSignal.timeout(deadlineMs),
    });
    const body = parsed(await readAtMost(response, MAX_BODY_BYTES));
    const found = response.ok ? find(body) : undefined;
    return found === undefined ? { refused: refusalIn(base, response.status, body) } : { found };
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const reason = isLate ? `no answer within ${Math.round(deadlineMs / 1000)} s` : connectionReason(error);
    return {
      refused: [
        `bobbin cannot be reached at ${base}: ${reason}.`,
        "Start it with `bobbin serve`, or say with --gateway <url> where it is.",
      ],
    };
  }
}

/** Where the running bobbin is. Throws INVALID_INPUT where that cannot be said. */
function gatewayUrl(flag: string | undefined, env: Environment): string {
  if (flag !== undefined) {
    const url = URL.parse(flag);
    if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return flag.replace(/\/+$/, "");
    throw refuse(`--gateway ${flag}: give the URL of a running bobbin, such as http://localhost:3000`);
  }
  const { host, gatewayPort } = readSettings(["host", "gatewayPort"], {}, env);
  if (gatewayPort === 0) throw refuse("GATEWAY_PORT is 0: say with --gateway <url> which port was taken");
  const address = /^(0\.0\.0\.0|\[?::\]?)$/.test(host) ? "localhost" : host;
  return `http://${address.includes(":") ? `[${address}]` : address}:${gatewayPort}`;
}

async function writeToken(env: Environment, plugin: string): Promise<string | undefined> {
  const { BOBBIN_TOKEN: given = "" } = env;
  if (/[^\x21-\x7e]/.test(given)) throw refuse("BOBBIN_TOKEN has characters that no token has");
  if (given) return given;
  const { jwtSecret } = readSettings(["jwtSecret"], {}, env);
  return jwtSecret && tokenFor(jwtSecret, "1m", NAME_RULE.test(plugin) ? plugin : undefined);
}

/** A plugin may take its time to load and, as long again, to be set up. */
function startTimeMs(env: Environment): number {
  return 2 * readSettings(["pluginStartTimeoutMs"], {}, env).pluginStartTimeoutMs;
}

function refusalIn(base: string, status: number, body: unknown): string[] {
  const { code, detail, step, file, line, column } = (body ?? {}) as Partial<Trouble> & { detail?: unknown };
  // The other doors of bobbin have nothing of this either.
  if (typeof code !== "string" || typeof detail !== "string" || code === "NOT_FOUND") {
    return [
      `${base} does not answer as bobbin's gateway does (HTTP ${status}).`,
      "Say with --gateway <url> where it is; its port is 3000 unless it was given another.",
    ];
  }
  const hint = code === "UNAUTHENTICATED" ? [NO_TOKEN] : [];
  return [troubleLine({ code, message: detail, step, file, line, column }), ...hint];
}

const NO_TOKEN = "Set BOBBIN_TOKEN to a token of this bobbin, or JWT_SECRET to its secret.";

/** The JSON, or undefined where it is none. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // Whoever answered so is no bobbin, which is said with the status.
    return undefined;
  }
}

function refuse(message: string): BobbinError {
  return new BobbinError("INVALID_INPUT", message);
}
