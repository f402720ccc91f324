/**
 * Calls and streams between the two ends of a channel that carries texts, the same for a thread and for a process.
 * A call is one message each way; a stream is pulled, so that its source never runs ahead of who reads it.
 * Knows messages; nothing of what is called.
 */
import { BobbinError, type ErrorCode, messageOf, type Place } from "../../errors.ts";

/** What one end can be asked for: name → what is handed over, and what comes back, once or again and again. */
export type Protocol = {
  readonly calls: { readonly [method: string]: readonly [params: unknown, result: unknown] };
  readonly streams: { readonly [method: string]: readonly [params: unknown, item: unknown] };
};

export type Handlers<P extends Protocol> = {
  readonly calls: {
    readonly [M in keyof P["calls"]]: (
      params: P["calls"][M][0],
      signal: AbortSignal,
    ) => P["calls"][M][1] | Promise<P["calls"][M][1]>;
  };
  readonly streams: {
    readonly [M in keyof P["streams"]]: (
      params: P["streams"][M][0],
      signal: AbortSignal,
    ) => AsyncIterable<P["streams"][M][1]>;
  };
};

interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly place?: Place | undefined;
  readonly step?: string | undefined;
}

interface Request {
  kind: "call" | "open";
  id: number;
  method: string;
  params: unknown;
}

type Message =
  | Request
  | { kind: "pull" | "cancel"; id: number }
  | { kind: "result"; id: number; value?: unknown; done?: boolean; error?: WireError };

/** What waits for the other end's next word about an id. */
interface Waiting {
  resolve: (result: { value: unknown; done: boolean }) => void;
  reject: (error: Error) => void;
}

/** What this end does for the other. */
interface Job {
  readonly controller: AbortController;
  iterator?: AsyncIterator<unknown>;
}

const MAX_MESSAGE_CHARACTERS = 16 * 1024 * 1024;

export class Peer<Mine extends Protocol, Theirs extends Protocol> {
  readonly #post: (text: string) => void;
  readonly #handlers: Handlers<Mine>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #jobs = new Map<number, Job>();
  #lastId = 0;
  #closed: BobbinError | undefined;

  constructor(post: (text: string) => void, handlers: Handlers<Mine>) {
    this.#post = post;
    this.#handlers = handlers;
  }

  /** What the other end answers. Rejects with its refusal, or once `signal` aborts: the other end is told of that. */
  async call<M extends keyof Theirs["calls"] & string>(
    method: M,
    params: Theirs["calls"][M][0],
    signal?: AbortSignal,
  ): Promise<Theirs["calls"][M][1]> {
    const id = ++this.#lastId;
    const { value } = await this.#ask({ kind: "call", id, method, params }, signal);
    return value as Awaited<Theirs["calls"][M][1]>;
  }

  /** What the other end yields, asked for one at a time. Ends when it does, when the reader leaves, or at `signal`. */
  async *stream<M extends keyof Theirs["streams"] & string>(
    method: M,
    params: Theirs["streams"][M][0],
    signal?: AbortSignal,
  ): AsyncGenerator<Theirs["streams"][M][1], void, undefined> {
    const id = ++this.#lastId;
    let isOpen = true;
    try {
      let next = await this.#ask({ kind: "open", id, method, params }, signal);
      while (!next.done) {
        yield next.value as Awaited<Theirs["streams"][M][1]>;
        next = await this.#ask({ kind: "pull", id }, signal);
      }
      isOpen = false;
    } finally {
      if (isOpen && !this.#closed) this.#send({ kind: "cancel", id });
    }
  }

  /** Takes a message of the other end. Returns false for one that is none: the plugin's code has the channel too. */
  receive(data: unknown): boolean {
    const message = messageIn(data);
    if (!message) return false;
    if (message.kind === "result") this.#settle(message);
    else if (message.kind === "cancel") this.#cancel(message.id);
    else if (message.kind === "pull") void this.#pull(message.id);
    else if (message.kind === "open") this.#open(message as Request);
    else void this.#answer(message as Request);
    return true;
  }

  /** The other end is gone: what waits for it is rejected with `reason`, and what is done for it is given up. */
  close(reason: BobbinError): void {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    for (const id of this.#jobs.keys()) this.#cancel(id);
  }

  #ask(
    message: Message & { id: number },
    signal: AbortSignal | undefined,
  ): Promise<{ value: unknown; done: boolean }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ value: unknown; done: boolean }>();
    if (this.#closed) reject(this.#closed);
    else if (signal?.aborted) reject(signal.reason as Error);
    else {
      const { id } = message;
      this.#waiting.set(id, { resolve, reject });
      this.#send(message);
      if (!signal) return promise;
      const giveUp = () => {
        if (this.#waiting.delete(id) && message.kind === "call") this.#send({ kind: "cancel", id });
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      const forget = () => signal.removeEventListener("abort", giveUp);
      promise.then(forget, forget);
    }
    return promise;
  }

  #settle({ id, value, done = true, error }: Message & { kind: "result" }): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    if (error) waiting.reject(new BobbinError(error.code, error.message, error));
    else waiting.resolve({ value, done });
  }

  async #answer({ id, method, params }: Request): Promise<void> {
    const job: Job = { controller: new AbortController() };
    this.#jobs.set(id, job);
    try {
      const value = await this.#handlers.calls[method]?.(params, job.controller.signal);
      this.#result(id, job, { value });
    } catch (error) {
      this.#result(id, job, { error: wireError(error) });
    }
    this.#jobs.delete(id);
  }

  #open({ id, method, params }: Request): void {
    const controller = new AbortController();
    const source = this.#handlers.streams[method]?.(params, controller.signal);
    if (!source) return;
    this.#jobs.set(id, { controller, iterator: source[Symbol.asyncIterator]() });
    void this.#pull(id);
  }

  async #pull(id: number): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job?.iterator) return;
    try {
      const { value, done = false } = await job.iterator.next();
      this.#result(id, job, { value, done });
      if (done) this.#jobs.delete(id);
    } catch (error) {
      this.#result(id, job, { error: wireError(error) });
      this.#jobs.delete(id);
    }
  }

  /** Says what came of a job, unless nobody wants to know any more. */
  #result(id: number, job: Job, result: { value?: unknown; done?: boolean; error?: WireError }): void {
    if (this.#jobs.get(id) !== job || this.#closed) return;
    this.#send({ kind: "result", id, ...result });
  }

  #cancel(id: number): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#jobs.delete(id);
    job.controller.abort();
    // A source that waits for its next event returns only after that; nobody waits for it.
    job.iterator?.return?.().then(undefined, () => {});
  }

  #send(message: Message): void {
    this.#post(textOf(message));
  }
}

function messageIn(data: unknown): Message | undefined {
  if (typeof data !== "string" || !data.startsWith('{"kind":')) return undefined;
  try {
    return JSON.parse(data) as Message;
  } catch {
    // It only looked like one.
    return undefined;
  }
}

/** A result that is no JSON, or too much of it, is an error like any other. */
function textOf(message: Message): string {
  try {
    const text = JSON.stringify(message);
    if (message.kind !== "result" || text.length <= MAX_MESSAGE_CHARACTERS) return text;
    return refused(message.id, `is longer than ${MAX_MESSAGE_CHARACTERS} characters`);
  } catch (error) {
    if (message.kind !== "result") throw error;
    return refused(message.id, `cannot be sent as JSON: ${messageOf(error)}`);
  }
}

function refused(id: number, problem: string): string {
  const error: WireError = { code: "INVALID_SERVICE_RESPONSE", message: `The plugin's answer ${problem}.` };
  return JSON.stringify({ kind: "result", id, error } satisfies Message);
}

function wireError(thrown: unknown): WireError {
  if (!(thrown instanceof BobbinError)) return { code: "INTERNAL", message: messageOf(thrown) };
  const { code, message, place, step } = thrown;
  return { code, message, place, step };
}
