/**
 * What the host and the runner of a plugin's code ask of each other.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import type { Place } from "../../errors.ts";
import type { GraphQLAnswer, Isolation, ServiceInfo } from "../define-plugin.ts";
import type { GraphQuery, LogLevel } from "./context.ts";
import type { Manifest } from "./definition.ts";

/** The argument with which bobbin runs one plugin's code for another bobbin. */
export const CHILD_COMMAND = "run-plugin";

/** The argument with which bobbin bundles one plugin's code for another bobbin. */
export const BUNDLE_COMMAND = "bundle-plugin";

/** What the host hears first: before that, no code of the plugin has run. */
export const READY = "ready";

/** What a thread is told that is to wait for a plugin's code. */
export const WARM_UP = "warm up";

export interface CodeToLoad {
  readonly code: string;
  /** Path of the entry as people are shown it. */
  readonly file: string;
  /** Where it runs, which its definition has to agree with. */
  readonly isolation: Isolation;
}

export interface PluginRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
  readonly operationName?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** How many gateways and plugins it came through. */
  readonly hops: number;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hops: number;
  /** In base64; null: none. */
  readonly body: string | null;
}

/** First the head, then the body in pieces. */
export type HttpPart =
  | { readonly status: number; readonly headers: readonly [string, string][] }
  | {
      /** In base64. */
      readonly chunk: string;
    };

/** What a runner can be asked for; the runner itself, and what stands for it on the host's side. */
export interface RunnerCalls {
  /** Imports the code; checks its definition and its schema. Throws PLUGIN_LOAD_FAILED or PLUGIN_INVALID. */
  load(code: CodeToLoad): Promise<Manifest>;
  /** Checks the configuration. Throws PLUGIN_INVALID. */
  configure(config: unknown): Promise<void>;
  /** Runs `setup`, and asks for the health. Throws PLUGIN_LOAD_FAILED. */
  start(): Promise<void>;
  execute(request: PluginRequest, signal: AbortSignal): Promise<ExecutionResult>;
  subscribe(request: PluginRequest, signal: AbortSignal): AsyncIterable<ExecutionResult>;
  fetch(request: HttpRequest, signal: AbortSignal): AsyncIterable<HttpPart>;
  /** Throws where the plugin says that it is not well. */
  health(): Promise<void>;
  /** Runs `dispose` and ends what the version's context owns. */
  dispose(): Promise<void>;
}

/** The answer of a call whose end alone counts. */
type Nothing = ReturnType<() => void>;

export type RunnerProtocol = {
  calls: {
    load: [CodeToLoad, Manifest];
    configure: [unknown, Nothing];
    start: [undefined, Nothing];
    execute: [PluginRequest, ExecutionResult];
    health: [undefined, Nothing];
    dispose: [undefined, Nothing];
    /** Answers with the bytes that the code holds. */
    ping: [undefined, number];
  };
  streams: { subscribe: [PluginRequest, ExecutionResult]; fetch: [HttpRequest, HttpPart] };
};

export type HostProtocol = {
  calls: {
    query: [GraphQuery, GraphQLAnswer];
    services: [undefined, readonly ServiceInfo[]];
    /** The code threw where nobody catches it, and its thread or process is about to end for it. */
    crash: [{ message: string; place: Place | undefined }, Nothing];
    log: [{ level: LogLevel; message: string; fields: Record<string, unknown> }, Nothing];
  };
  streams: { subscribe: [GraphQuery, GraphQLAnswer] };
};
