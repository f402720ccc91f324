/**
 * The runner's end of a channel to the host: in a thread and in a process of its own alike.
 * Knows the runner and the channel; not what the channel is made of.
 */
import { heapStats } from "bun:jsc";
import { messageOf } from "../../errors.ts";
import { placeInStack } from "../place.ts";
import type { HostAbilities, LogLevel } from "./context.ts";
import { Peer } from "./peer.ts";
import { type HostProtocol, READY, type RunnerProtocol } from "./protocol.ts";
import { Runner } from "./runner.ts";

export interface RunnerEnd {
  receive(data: unknown): void;
  /** A promise that the plugin's code left alone was rejected: a line in the log. */
  onUnhandledRejection(reason: unknown): void;
  /** The plugin's code threw where nobody catches it: the host is told. Resolves when it knows. */
  onUncaughtException(error: unknown): Promise<unknown>;
}

/** `output`: the streams that the plugin's code may write on past the console. */
export function runnerEnd(post: (text: string) => void, output: readonly NodeJS.WriteStream[]): RunnerEnd {
  const peer: Peer<RunnerProtocol, HostProtocol> = new Peer(post, {
    calls: {
      load: (code) => runner.load(code),
      configure: (config) => runner.configure(config),
      start: () => runner.start(),
      execute: (request) => runner.execute(request),
      health: () => runner.health(),
      dispose: () => runner.dispose(),
      ping: () => heapStats().heapSize,
    },
    streams: {
      subscribe: (request) => runner.subscribe(request),
      fetch: (request, signal) => runner.fetch(request, signal),
    },
  });
  const host: HostAbilities = {
    query: (query) => peer.call("query", query),
    subscribe: (query, signal) => peer.stream("subscribe", query, signal),
    services: () => peer.call("services", undefined),
    log: (level, message, fields) => void peer.call("log", { level, message, fields }),
  };
  const runner = new Runner(host);
  const write = (level: LogLevel, message: string) => runner.log(level, message, {});
  captureConsole(write);
  for (const stream of output) captureStream(stream, write);
  post(READY);
  return {
    receive: (data) => void peer.receive(data),
    onUnhandledRejection: (reason) =>
      runner.log("error", `a rejected promise was left alone: ${messageOf(reason)}`, {
        ...placeInStack(reason),
      }),
    onUncaughtException: (error) =>
      peer.call("crash", { message: messageOf(error), place: placeInStack(error) }),
  };
}

/** What the plugin says on the console are lines of bobbin's log, not texts between them. */
function captureConsole(write: (level: LogLevel, message: string) => void): void {
  const levels = {
    log: "info",
    info: "info",
    warn: "warn",
    error: "error",
    debug: "debug",
    trace: "debug",
  } as const;
  for (const [method, level] of Object.entries(levels)) {
    const say = (...parts: unknown[]) => write(level, parts.map(textOf).join(" "));
    Object.assign(console, { [method]: say });
  }
}

function captureStream(stream: NodeJS.WriteStream, write: (level: LogLevel, message: string) => void): void {
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    write(
      "info",
      typeof chunk === "string" ? chunk.trimEnd() : Buffer.from(chunk).toString("utf8").trimEnd(),
    );
    const done = rest.find((each) => typeof each === "function");
    done?.();
    return true;
  };
}

const textOf = (part: unknown): string => (typeof part === "string" ? part : Bun.inspect(part));
