/**
 * The registry's HTTP calls as the client makes them: addresses, headers, bodies, and words for what went wrong.
 * Knows the wire; neither when to call nor what follows from an answer.
 */
import type { Settings } from "./settings.ts";
import type { Answer, StreamCall, Transport } from "./transport.ts";

/** One running copy, as the registry shows it. */
export interface RegisteredInstance {
  readonly url: string;
  readonly graphqlUrl: string | null;
  readonly healthy: boolean;
  /** Why it is not healthy. */
  readonly reason: string | null;
}

/** A service, as the registry shows it; there is more in it than is named here. */
export interface RegisteredService {
  readonly id: string;
  readonly serviceName: string;
  readonly url: string;
  readonly graphqlUrl: string | null;
  readonly status: "ACTIVE" | "DEGRADED" | "ERROR" | "INACTIVE" | "MAINTENANCE";
  readonly statusReason: string | null;
  readonly version: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly instances: readonly RegisteredInstance[];
  readonly [field: string]: unknown;
}

type Write = "register" | "heartbeat" | "unregister";

interface Manner {
  readonly deadlineMs: number;
  /** Somebody waits for it. */
  readonly attended: boolean;
}

export class RegistryCalls {
  readonly #settings: Settings;
  readonly #transport: Transport;

  constructor(settings: Settings, transport: Transport) {
    this.#settings = settings;
    this.#transport = transport;
  }

  get url(): string {
    return this.#settings.registryUrl;
  }

  write(path: Write, body: object, manner: Manner): Promise<Answer> {
    return this.#transport.send({ method: "POST", ...this.#writing(path, body), ...manner });
  }

  /** A write of a process that ends in this moment: nobody will see what comes of it. */
  writeAtOnce(path: Write, body: object): boolean {
    return this.#transport.sendAtOnce(this.#writing(path, body));
  }

  read(path: string, manner: Manner): Promise<Answer> {
    const headers = { accept: "application/json" };
    return this.#transport.send({ method: "GET", url: `${this.url}${path}`, headers, ...manner });
  }

  /** `lastId`: the event that was seen last. */
  events(lastId: string | undefined, call: Omit<StreamCall, "url" | "headers">): Promise<void> {
    const headers = {
      accept: "text/event-stream",
      ...(lastId === undefined ? {} : { "last-event-id": lastId }),
    };
    return this.#transport.stream({ ...call, url: `${this.url}/events`, headers });
  }

  #writing(path: Write, body: object) {
    const { token } = this.#settings;
    return {
      url: `${this.url}/${path}`,
      body: JSON.stringify(body),
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
    };
  }
}

/** Why an answer is none that was hoped for: the registry says it in words. */
export function refusalOf({ status, text }: Answer): string {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    if (typeof detail === "string") return `it answered ${status} ${code}: ${detail}`;
  } catch {
    // Not the registry's own words: the status has to do.
  }
  return `it answered ${status}`;
}

/** Why there was no answer. */
export function failureOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: unknown };
  return String(message || code || error);
}
