/**
 * Follows the registry's stream of events, and comes back to it whenever it ends: with the index it has where the same
 * process of the registry answers, else for a new snapshot. Knows the stream; nothing of what is done with the news.
 */
import { EventReader, type Message } from "./event-reader.ts";
import { pauseAfter } from "./pauses.ts";
import { failureOf, type RegisteredService, type RegistryCalls } from "./registry-calls.ts";
import { after } from "./runtime.ts";
import { MOST_CHARACTERS } from "./transport.ts";

export interface Following {
  /** What the registry has; what was told before it no longer counts. */
  onSnapshot(services: readonly RegisteredService[]): void;
  /** The stream goes on where it was left. */
  onResumed(): void;
  onChange(service: string, type: string): void;
  /** There is no stream for now. `why`: in words. `isThere`: the registry answered, but not with one. */
  onAway(why: string, isThere: boolean): void;
}

const RETRY_MOST_MS = 5_000;
/** New for each start of the registry: an index is worth nothing to another one. */
const PROCESS_HEADER = "x-bobbin-door";

export class Follower {
  readonly #calls: RegistryCalls;
  readonly #following: Following;
  #connection = new AbortController();
  #lastId: string | undefined;
  /** The process of the registry that `#lastId` is from. */
  #process: string | null = null;
  #failures = 0;
  #isClosed = false;
  #cancelRetry = () => {};

  constructor(calls: RegistryCalls, following: Following) {
    this.#calls = calls;
    this.#following = following;
  }

  async start(): Promise<void> {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const reader = new EventReader(MOST_CHARACTERS);
    let refusal: string | undefined;
    let isOtherProcess = false;
    let isThere = false;
    try {
      await this.#calls.events(this.#lastId, {
        signal,
        onOpen: (status, header) => {
          isThere = status !== 200;
          if (isThere) refusal = `it answered ${status} to GET /events`;
          isOtherProcess = this.#lastId !== undefined && header(PROCESS_HEADER) !== this.#process;
          if (refusal !== undefined || isOtherProcess) return this.#connection.abort();
          const resumes = this.#lastId !== undefined;
          this.#process = header(PROCESS_HEADER);
          if (resumes) this.#following.onResumed();
        },
        onText: (text) => {
          try {
            if (!signal.aborted) for (const message of reader.read(text)) this.#take(message);
          } catch (error) {
            refusal = failureOf(error);
            this.#connection.abort();
          }
        },
      });
      refusal ??= "the stream ended";
    } catch (error) {
      refusal ??= failureOf(error);
    }
    if (this.#isClosed) return;
    if (isOtherProcess) {
      this.#lastId = undefined;
      return this.start();
    }
    this.#failures += 1;
    this.#following.onAway(refusal, isThere);
    this.#cancelRetry = after(pauseAfter(this.#failures, RETRY_MOST_MS), () => void this.start());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#connection.abort();
  }

  #take({ id, event, data }: Message): void {
    const news = JSON.parse(data);
    // Without the header, as in a browser, another process could not be told from this one.
    if (this.#process !== null) this.#lastId = id;
    this.#failures = 0;
    if (event === "snapshot") this.#following.onSnapshot(news.services);
    else this.#following.onChange(news.service, news.type);
  }
}
