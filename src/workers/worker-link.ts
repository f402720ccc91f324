/**
 * One gateway worker as the writer sees it: its process, what it is told, and whether it has followed.
 * Knows the process and the channel; nothing of what other workers do or when one is started again.
 */
import { BobbinError, messageOf } from "../errors.ts";
import type { RoadCounts } from "../gateway/quick/quick-road.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import type { Log } from "../log.ts";
import { ownCommand } from "../plugins/own-process.ts";
import { type Handlers, Peer } from "../plugins/runner/peer.ts";
import { graphNews, type Had, NOTHING } from "./news.ts";
import {
  type RouteNews,
  type Settings,
  WORKER_COMMAND,
  type WorkerPeer,
  type WriterProtocol,
} from "./protocol.ts";

export interface LinkOptions {
  readonly handlers: Handlers<WriterProtocol>;
  readonly isOwn: (service: string) => boolean;
  readonly log: Log;
}

/** A worker that has not done by then what it was told never will. */
const FOLLOW_DEADLINE_MS = 30_000;
/** Nobody waits longer for one that may be stuck. */
const PATIENCE_MS = 2_000;
/** Its own drain takes ten seconds at most. */
const STOP_DEADLINE_MS = 12_000;
const COUNTS_DEADLINE_MS = 1_000;

export const NO_COUNTS: RoadCounts = { compiled: 0, interpreted: 0, reference: new Map() };

export class WorkerLink {
  readonly #options: LinkOptions;
  readonly #child: Bun.Subprocess;
  readonly #peer: WorkerPeer;
  readonly #ended = Promise.withResolvers<string>();
  #had: Had = NOTHING;
  /** What it is to prepare next, was told to prepare last, and has ready. */
  #wanted: Snapshot | undefined;
  #told: Snapshot | undefined;
  #ready: Snapshot | undefined;
  /** What the writer has. */
  #taken: Snapshot | undefined;
  #following: Promise<void> | undefined;
  #taking: Promise<void> | undefined;
  /** Whether it was waited for in vain, and has not followed since. */
  #isLate = false;
  #counts = NO_COUNTS;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#child = Bun.spawn(ownCommand(WORKER_COMMAND), {
      stdio: ["ignore", 1, 2],
      serialization: "json",
      ipc: (data: unknown) => void this.#peer.receive(data),
      onExit: (_child, status, signal) => {
        this.#peer.close(new BobbinError("SERVICE_UNAVAILABLE", "The gateway worker has ended."));
        this.#ended.resolve(signal ? `signal ${signal}` : `status ${status}`);
      },
    });
    this.#peer = new Peer((text) => {
      try {
        this.#child.send(text);
      } catch {
        // It has ended, which its waiting calls are about to hear.
      }
    }, options.handlers);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with how its process ended. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** What it counted, as far as is known. */
  get lastCounts(): RoadCounts {
    return this.#counts;
  }

  /** Resolves when its door is open; when it has ended instead, `ended` says so. */
  async start(settings: Settings, routes: readonly RouteNews[], snapshot: Snapshot): Promise<void> {
    this.#taken = snapshot;
    this.#following = this.#tell(snapshot, (graph, signal) =>
      this.#peer.call("start", { settings, routes, graph }, signal),
    ).then(() => this.#follow());
    await this.#following;
  }

  tellRoutes(routes: readonly RouteNews[]): void {
    const signal = AbortSignal.timeout(FOLLOW_DEADLINE_MS);
    this.#peer.call("routes", routes, signal).catch((error) => this.#giveUp(error));
  }

  /** It is to make ready what is about to be taken. One at a time; of those that wait only the newest counts. */
  prepare(snapshot: Snapshot): void {
    if (this.#told === snapshot) return;
    this.#wanted = snapshot;
    this.#following ??= this.#follow();
  }

  /** The writer has taken it, and the worker does so as soon as it is ready. */
  take(snapshot: Snapshot): void {
    this.#taken = snapshot;
    if (this.#ready === snapshot) this.#take();
    else this.prepare(snapshot);
  }

  /** Resolves when it has done what it was told by now, or has ended; soon at any rate, and at once while it is late. */
  async followed(): Promise<void> {
    if (this.#isLate) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#isLate = true;
      late.resolve();
    }, PATIENCE_MS);
    const done = this.#done().finally(() => {
      clearTimeout(timer);
      this.#isLate = false;
    });
    await Promise.race([done, late.promise]);
  }

  /** Resolves when the requests that it began by now have ended. */
  async drained(): Promise<void> {
    await this.#done();
    await this.#peer.call("drained", undefined).catch(() => {});
  }

  async count(): Promise<RoadCounts> {
    const signal = AbortSignal.timeout(COUNTS_DEADLINE_MS);
    const counts = await this.#peer.call("counts", undefined, signal).catch(() => undefined);
    if (counts) this.#counts = { ...counts, reference: new Map(counts.reference) };
    return this.#counts;
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
    this.#peer.call("stop", undefined).catch(() => {});
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #done(): Promise<void> {
    await this.#following;
    await this.#taking;
  }

  async #follow(): Promise<void> {
    while (this.#wanted) {
      const snapshot = this.#wanted;
      this.#wanted = undefined;
      await this.#tell(snapshot, (graph, signal) => this.#peer.call("graph", graph, signal));
    }
    this.#following = undefined;
  }

  #take(): void {
    const signal = AbortSignal.timeout(FOLLOW_DEADLINE_MS);
    this.#taking = this.#peer.call("take", undefined, signal).catch((error) => this.#giveUp(error));
  }

  async #tell(
    snapshot: Snapshot,
    send: (graph: ReturnType<typeof graphNews>, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    this.#told = snapshot;
    try {
      const graph = graphNews(snapshot, this.#had, this.#options.isOwn);
      this.#had = { subgraphs: snapshot.subgraphs, group: snapshot.group };
      await send(graph, AbortSignal.timeout(FOLLOW_DEADLINE_MS));
      this.#ready = snapshot;
      if (this.#taken === snapshot) this.#take();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** A worker that cannot follow would serve another graph than the others: it is ended, and begins anew. */
  #giveUp(error: unknown): void {
    if (this.#child.killed || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#options.log.error(
      { pid: this.pid, reason: messageOf(error) },
      "a gateway worker does not follow the graph",
    );
    this.kill();
  }
}
