/**
 * What one version of a plugin has while it runs, and the end of all of it. Runs beside the plugin's code.
 * Knows what the host offers, not how it is reached.
 */
import { BobbinError, messageOf } from "../../errors.ts";
import { untilAborted } from "../../until-aborted.ts";
import type {
  GraphQLAnswer,
  PluginContext,
  PluginLog,
  RequestContext,
  ServiceInfo,
} from "../define-plugin.ts";

export type LogLevel = keyof PluginLog;

/** A question to the gateway's graph. */
export interface GraphQuery {
  readonly document: string;
  readonly variables?: Record<string, unknown> | undefined;
  /** How many gateways and plugins it came through. */
  readonly hops: number;
}

/** What the host does for a plugin. */
export interface HostAbilities {
  query(query: GraphQuery): Promise<GraphQLAnswer>;
  subscribe(query: GraphQuery, signal: AbortSignal): AsyncIterable<GraphQLAnswer>;
  services(): Promise<readonly ServiceInfo[]>;
  log(level: LogLevel, message: string, fields: Record<string, unknown>): void;
}

/** More than anybody reads; a plugin that logs in an endless loop is not to fill the disk. */
const LINES_PER_SECOND = 200;
/** Of a line, and of its fields as JSON. */
const MOST_CHARACTERS = 10_000;
/** Questions that may be under way: one who asks in an endless loop is not to take the gateway's time and memory. */
const QUESTIONS_AT_ONCE = 64;

export class Lifetime {
  readonly context: PluginContext;
  readonly #host: HostAbilities;
  readonly #ending = new AbortController();
  readonly #stops = new Set<() => void>();
  readonly #cleanups: (() => unknown)[] = [];
  #asking = 0;
  #lines = { second: 0, written: 0, dropped: 0 };

  constructor(name: string, config: unknown, host: HostAbilities) {
    this.#host = host;
    const { signal } = this.#ending;
    this.context = {
      name,
      config,
      signal,
      log: {
        debug: (message, fields) => this.log("debug", message, fields),
        info: (message, fields) => this.log("info", message, fields),
        warn: (message, fields) => this.log("warn", message, fields),
        error: (message, fields) => this.log("error", message, fields),
      },
      after: (ms, action) => this.#after(ms, action),
      every: (ms, action) => this.#every(ms, action),
      defer: (cleanup) => void this.#cleanups.push(cleanup),
      services: () =>
        this.#ask(
          () => host.services(),
          (error) => Promise.reject(error),
        ),
      ...this.#graph(0),
    };
  }

  /** The context of one request, whose questions to the graph go on counting its hops. */
  forRequest(headers: Readonly<Record<string, string>>, hops: number): RequestContext {
    return { ...this.context, ...this.#graph(hops), headers };
  }

  log(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
    const second = Math.floor(Date.now() / 1000);
    if (this.#lines.second !== second) {
      const { dropped } = this.#lines;
      this.#lines = { second, written: 0, dropped: 0 };
      if (dropped > 0) this.#host.log("warn", `${dropped} lines were left out`, {});
    }
    if (this.#lines.written >= LINES_PER_SECOND) {
      this.#lines.dropped += 1;
      return;
    }
    this.#lines.written += 1;
    const text = String(message).slice(0, MOST_CHARACTERS);
    this.#host.log(level, text, { ...sendable(fields), plugin: this.context.name });
  }

  /** Ends timers and subscriptions, then calls what was deferred, the latest first. */
  async end(): Promise<void> {
    this.#ending.abort();
    for (const stop of this.#stops) stop();
    for (const cleanup of this.#cleanups.splice(0).reverse()) await this.#guarded(cleanup);
  }

  #graph(hops: number): Pick<PluginContext, "query" | "subscribe"> {
    const { signal } = this.#ending;
    return {
      query: (document, variables) =>
        this.#ask(
          () => this.#host.query({ document, variables, hops }) as Promise<GraphQLAnswer<never>>,
          async ({ message, code }) => ({ errors: [{ message, extensions: { code } }] }),
        ),
      subscribe: (document, variables) =>
        untilAborted(
          this.#host.subscribe({ document, variables, hops }, signal) as AsyncIterable<GraphQLAnswer<never>>,
          signal,
        ),
    };
  }

  /** `refuse` makes the answer where too many questions are under way. */
  async #ask<T>(question: () => Promise<T>, refuse: (error: BobbinError) => Promise<T>): Promise<T> {
    if (this.#asking >= QUESTIONS_AT_ONCE) {
      const message = `${QUESTIONS_AT_ONCE} questions of ${this.context.name} are under way.`;
      return refuse(new BobbinError("OVERLOADED", message));
    }
    this.#asking += 1;
    try {
      return await question();
    } finally {
      this.#asking -= 1;
    }
  }

  #after(ms: number, action: () => unknown): () => void {
    if (this.#ending.signal.aborted) return () => {};
    const stop = () => {
      clearTimeout(timer);
      this.#stops.delete(stop);
    };
    const timer = setTimeout(() => {
      this.#stops.delete(stop);
      void this.#guarded(action);
    }, ms);
    this.#stops.add(stop);
    return stop;
  }

  #every(ms: number, action: () => unknown): () => void {
    if (this.#ending.signal.aborted) return () => {};
    const timer = setInterval(() => void this.#guarded(action), ms);
    const stop = () => {
      clearInterval(timer);
      this.#stops.delete(stop);
    };
    this.#stops.add(stop);
    return stop;
  }

  async #guarded(action: () => unknown): Promise<void> {
    try {
      await action();
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.log("error", messageOf(error), { stack });
    }
  }
}

/** Fields as they can be sent: an error with its stack, and all of it as a text where it is no JSON. */
function sendable(fields: Record<string, unknown>): Record<string, unknown> {
  const plain = (_key: string, value: unknown) => {
    if (value instanceof Error) return { message: value.message, stack: value.stack };
    return typeof value === "bigint" ? String(value) : value;
  };
  try {
    return JSON.parse(JSON.stringify(fields, plain));
  } catch {
    return { fields: Bun.inspect(fields) };
  }
}
