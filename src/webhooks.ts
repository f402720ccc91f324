/**
 * Tells further gateways of changes: one call in flight for each receiver, what comes meanwhile is told together in
 * the next, and a receiver that does not answer is tried again with growing pauses. Knows events and HTTP only.
 */
import type { Clock } from "./clock.ts";
import { messageOf } from "./errors.ts";
import type { RegistryEvent } from "./events.ts";
import { DOOR_HEADER } from "./http.ts";
import type { Log } from "./log.ts";

export interface WebhookOptions {
  /** Base URLs of the receivers. */
  receivers: readonly string[];
  /** Whether an answer's door header is this process's own. */
  isOwn: (doorHeader: string | null) => boolean;
  /** A token for one call, or undefined where none is needed. */
  token: () => Promise<string | undefined>;
  clock: Clock;
  log: Log;
}

/** A receiver answers when it has asked all its services, and waits some seconds for one that hangs. */
const DEADLINE_MS = 15_000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;
/** More names than this are not listed: the receiver reads the whole registry anyway. */
const MAX_NAMES = 1_000;

export class Webhooks implements AsyncDisposable {
  readonly #receivers: readonly Receiver[];

  constructor(options: WebhookOptions) {
    this.#receivers = options.receivers.map((url) => new Receiver(url, options));
  }

  /** Registrations, updates and removals are told; status and schemas are each gateway's own observation. */
  onEvents(events: readonly RegistryEvent[]): void {
    const told = events.filter(
      ({ type }) => type === "REGISTERED" || type === "UPDATED" || type === "REMOVED",
    );
    const last = told.at(-1);
    if (!last) return;
    const names = told.map(({ service }) => service);
    for (const receiver of this.#receivers) receiver.tell(last.index, names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => receiver[Symbol.asyncDispose]()));
  }
}

class Receiver implements AsyncDisposable {
  readonly #url: string;
  readonly #options: WebhookOptions;
  readonly #stopping = new AbortController();
  readonly #changed = new Set<string>();
  #revision = 0;
  /** An answer showed that the URL leads back here: the composer follows the registry without being told. */
  #isOwn = false;
  #calling: Promise<void> | undefined;

  constructor(base: string, options: WebhookOptions) {
    this.#url = `${base}/gateway/reload`;
    this.#options = options;
  }

  tell(revision: number, names: readonly string[]): void {
    if (this.#isOwn) return;
    this.#revision = revision;
    this.#note(names);
    this.#calling ??= this.#callUntilTold();
  }

  #note(names: readonly string[]): void {
    for (const name of names) if (this.#changed.size < MAX_NAMES) this.#changed.add(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#calling;
  }

  async #callUntilTold(): Promise<void> {
    let pause = RETRY_FIRST_MS;
    while (this.#changed.size > 0 && !this.#stopping.signal.aborted) {
      const changed = [...this.#changed];
      // What changes once more during the call is told once more.
      this.#changed.clear();
      const failure = await this.#call(changed);
      if (failure === undefined) {
        pause = RETRY_FIRST_MS;
        continue;
      }
      if (this.#stopping.signal.aborted) return;
      this.#note(changed);
      this.#options.log.warn(
        { receiver: this.#url, reason: failure, retryInMs: pause },
        "webhook not delivered",
      );
      await this.#sleep(pause);
      pause = Math.min(pause * 2, RETRY_MOST_MS);
    }
    this.#calling = undefined;
  }

  /** The reason why the call failed, or undefined. */
  async #call(changed: readonly string[]): Promise<string | undefined> {
    try {
      const token = await this.#options.token();
      const response = await fetch(this.#url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify({ revision: this.#revision, changed }),
        signal: AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), this.#stopping.signal]),
        redirect: "manual",
      });
      await response.body?.cancel();
      if (this.#options.isOwn(response.headers.get(DOOR_HEADER))) {
        this.#options.log.info(
          { receiver: this.#url },
          "this webhook leads to this gateway itself: not told again",
        );
        this.#isOwn = true;
        this.#changed.clear();
        return undefined;
      }
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = () => {
        cancel();
        this.#stopping.signal.removeEventListener("abort", stop);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, stop);
      this.#stopping.signal.addEventListener("abort", stop);
    });
  }
}
