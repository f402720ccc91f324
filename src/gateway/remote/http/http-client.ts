/**
 * HTTP/1.1 calls to GraphQL services over connections that are kept. Bun's fetch costs about twice as much, keeps 64
 * connections for the whole process and lets 256 calls be in flight (test/bench/calls.ts has the figures). Knows calls and their deadlines; nothing of
 * GraphQL.
 */
import { BobbinError } from "../../../errors.ts";
import { Call, outOfTime, type PostRequest } from "./call.ts";
import { postByFetch } from "./fetched.ts";
import type { HttpAnswer } from "./http-answer.ts";
import { OriginPool } from "./origin-pool.ts";
import { Message, type Target } from "./target.ts";

/** How often deadlines are looked at: calls end at most this much late. */
const TICK_MS = 25;

export class HttpClient implements AsyncDisposable {
  /** By the key of their origin. Those without connections and calls are forgotten. */
  readonly #pools = new Map<string, OriginPool>();
  readonly #isProxied: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /** `isProxied`: calls to other than sockets go through fetch, which knows how to speak to proxies. */
  constructor({ isProxied = false }: { isProxied?: boolean | undefined } = {}) {
    this.#isProxied = isProxied;
  }

  /**
   * Answers with whatever status the service gave. Rejects with SERVICE_TIMEOUT, SERVICE_UNAVAILABLE,
   * SERVICE_OVERLOADED, INVALID_SERVICE_RESPONSE, or INVALID_INPUT for headers that cannot be sent.
   */
  post(target: Target, request: PostRequest): Promise<HttpAnswer> {
    try {
      return this.#start(target, request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The promise is the call's own: one for each layer would cost as much as the rest of the call. */
  #start(target: Target, request: PostRequest): Promise<HttpAnswer> {
    const { headers, body, signal } = request;
    if (this.#isClosed) throw stopping();
    if (signal?.aborted) throw outOfTime(signal.reason);
    if (this.#isProxied && !target.origin.unix) return postByFetch(target, request);
    const now = performance.now();
    const call = new Call(new Message(target, headers, body), request, now);
    const pool = this.#poolOf(target);
    pool.start(call, now);
    return signal ? untilAborted(pool, call, signal) : call.answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const pool of this.#pools.values()) pool.close(stopping());
    this.#pools.clear();
    clearInterval(this.#timer);
  }

  #poolOf({ origin }: Target): OriginPool {
    let pool = this.#pools.get(origin.key);
    if (pool) return pool;
    pool = new OriginPool(origin);
    this.#pools.set(origin.key, pool);
    if (!this.#timer) {
      this.#timer = setInterval(() => this.#sweep(), TICK_MS);
      this.#timer.unref();
    }
    return pool;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, pool] of this.#pools) {
      pool.sweep(now);
      if (pool.isUnused) this.#pools.delete(key);
    }
    if (this.#pools.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

async function untilAborted(pool: OriginPool, call: Call, signal: AbortSignal): Promise<HttpAnswer> {
  const giveUp = () => pool.giveUp(call, outOfTime(signal.reason));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await call.answer;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function stopping(): BobbinError {
  return new BobbinError("SERVICE_UNAVAILABLE", "The service could not be reached: bobbin is stopping.");
}
