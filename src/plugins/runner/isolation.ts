/**
 * Starts a runner where a plugin's code is to run: in a thread, in a process, or in this thread.
 * Knows the channels; nothing of versions, calls or deadlines.
 */
import { BobbinError, type Place } from "../../errors.ts";
import type { Isolation } from "../define-plugin.ts";
import type { HostAbilities } from "./context.ts";
import "./host-modules.ts";
import { IS_COMPILED } from "../../compiled.ts";
import { ownCommand } from "../own-process.ts";
import { Peer } from "./peer.ts";
import {
  CHILD_COMMAND,
  type HostProtocol,
  READY,
  type RunnerCalls,
  type RunnerProtocol,
  WARM_UP,
} from "./protocol.ts";
import { Runner } from "./runner.ts";

/** A runner that was started. */
export interface Running {
  readonly runner: RunnerCalls;
  /** Resolves when it ended without having been told to. */
  readonly crashed: Promise<Crash>;
  /** What can be seen of it from outside; undefined where it runs in this thread. */
  readonly vitals: Vitals | undefined;
  /** Ends it at once, whatever it does. What still waits for it is rejected. */
  end(): void;
}

export interface Crash {
  readonly reason: string;
  /** Where its code threw, if it did. */
  readonly place?: Place | undefined;
}

export interface Vitals {
  /** The bytes that the code holds, by its own account: no answer while it is in an endless loop. */
  ping(): Promise<number>;
  /** The resident bytes of the process that it runs in, which it may share; undefined where the system does not tell. */
  residentBytes(): Promise<number | undefined>;
  readonly sharesProcess: boolean;
}

export function startRunner(isolation: Isolation, host: HostAbilities): Running {
  if (isolation === "worker") return prepareWorker().take(host);
  if (isolation === "process") return inProcess(host);
  const runner = new Runner(host);
  return { runner, crashed: new Promise(() => {}), vitals: undefined, end: () => void runner.end() };
}

type RunnerPeer = Peer<HostProtocol, RunnerProtocol>;

/** A thread that is ready for a plugin's code before it is known whose. */
export interface PreparedWorker {
  /** Has it use the time until then. */
  warmUp(): void;
  take(host: HostAbilities): Running;
  end(): void;
}

export function prepareWorker(): PreparedWorker {
  const worker = new Worker(
    new URL(IS_COMPILED ? "./plugins/runner/worker.ts" : "./worker.ts", import.meta.url).href,
  );
  const crash = Promise.withResolvers<Crash>();
  const ready = Promise.withResolvers<void>();
  let receive = (_data: unknown) => {};
  worker.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === READY) ready.resolve();
    else receive(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    crash.resolve({ reason: `its thread ended: ${event.message}` });
  };
  worker.addEventListener("close", (event) =>
    crash.resolve({ reason: `its thread ended itself (status ${(event as CloseEvent).code})` }),
  );
  // A thread that is terminated before it runs its own code would run on.
  const end = () => void ready.promise.then(() => worker.terminate());
  return {
    end,
    warmUp: () => worker.postMessage(WARM_UP),
    take(host) {
      const peer = hostPeer(host, crash.resolve, (text) => worker.postMessage(text));
      receive = (data) => take(data, peer, host);
      return {
        runner: remoteRunner(peer),
        crashed: crash.promise,
        vitals: {
          ping: () => peer.call("ping", undefined),
          residentBytes: async () => process.memoryUsage.rss(),
          sharesProcess: true,
        },
        end() {
          peer.close(ended());
          end();
        },
      };
    },
  };
}

function inProcess(host: HostAbilities): Running {
  const crash = Promise.withResolvers<Crash>();
  const child = Bun.spawn(ownCommand(CHILD_COMMAND), {
    stdio: ["ignore", 2, 2],
    serialization: "json",
    ipc: (data: unknown) => {
      if (data !== READY) take(data, peer, host);
    },
    onExit: (_child, status, signal) =>
      crash.resolve({ reason: `its process ended (${signal ? `signal ${signal}` : `status ${status}`})` }),
  });
  child.unref();
  const peer = hostPeer(host, crash.resolve, (text) => child.send(text));
  return {
    runner: remoteRunner(peer),
    crashed: crash.promise,
    vitals: {
      ping: () => peer.call("ping", undefined),
      residentBytes: () => residentBytes(child.pid),
      sharesProcess: false,
    },
    end() {
      peer.close(ended());
      child.kill("SIGKILL");
    },
  };
}

/** From the kernel, which answers even while the process does not; undefined where it does not tell. */
async function residentBytes(pid: number): Promise<number | undefined> {
  // Missing on another system, and once the process has ended, which is seen elsewhere.
  const status = await Bun.file(`/proc/${pid}/status`)
    .text()
    .catch(() => "");
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? [];
  return kilobytes ? Number(kilobytes) * 1024 : undefined;
}

function take(data: unknown, peer: RunnerPeer, host: HostAbilities): void {
  if (!peer.receive(data)) host.log("warn", "the plugin posted a message that nobody takes", {});
}

function hostPeer(
  host: HostAbilities,
  onCrash: (crash: Crash) => void,
  post: (text: string) => void,
): RunnerPeer {
  return new Peer(post, {
    calls: {
      query: (query) => host.query(query),
      services: () => host.services(),
      crash: ({ message, place }) =>
        onCrash({ reason: `it threw where nobody catches it: ${message}`, place }),
      log: ({ level, message, fields }) => host.log(level, message, fields),
    },
    streams: { subscribe: (query, signal) => host.subscribe(query, signal) },
  });
}

function remoteRunner(peer: RunnerPeer): RunnerCalls {
  return {
    load: (code) => peer.call("load", code),
    configure: (config) => peer.call("configure", config),
    start: () => peer.call("start", undefined),
    execute: (request, signal) => peer.call("execute", request, signal),
    subscribe: (request, signal) => peer.stream("subscribe", request, signal),
    fetch: (request, signal) => peer.stream("fetch", request, signal),
    health: () => peer.call("health", undefined),
    dispose: () => peer.call("dispose", undefined),
  };
}

function ended(): BobbinError {
  return new BobbinError("SERVICE_UNAVAILABLE", "The plugin's code was ended.");
}
