/**
 * The gateway workers: keeps as many as there are to be, tells all of them the same, and ends them in order.
 * Knows workers; nothing of what they answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { BobbinError } from "../errors.ts";
import type { RegistryEvent } from "../events.ts";
import type { RoadCounts } from "../gateway/quick/quick-road.ts";
import type { Route } from "../gateway/remote/route.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import type { Service } from "../registry/service.ts";
import { routeNews } from "./news.ts";
import type { RouteNews, Settings } from "./protocol.ts";
import { NO_COUNTS, WorkerLink } from "./worker-link.ts";
import { WriterEnd, type WriterEndOptions } from "./writer-end.ts";

export interface FleetOptions extends WriterEndOptions {
  /** How many workers there are besides the writer. */
  readonly size: number;
  readonly settings: () => Omit<Settings, "number">;
  readonly snapshot: () => Snapshot;
  readonly services: () => readonly Service[];
  readonly route: (service: string) => Route | BobbinError;
  readonly clock: Clock;
}

const RESTART_FIRST_MS = 100;
const RESTART_MOST_MS = 30_000;
/** One that ran for this long was well. */
const STEADY_MS = 60_000;
/** How often each is told something, be it nothing: one that hangs is found by that it does not answer. */
const PULSE_MS = 10_000;

export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #end: WriterEnd;
  /** Those that were told what there is. */
  readonly #links = new Set<WorkerLink>();
  /** Service → its route as it was told last. */
  readonly #routes = new Map<string, string>();
  /** What those counted that have ended. */
  #ended = NO_COUNTS;
  readonly #stopping = new AbortController();
  #pulse: Timer | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#end = new WriterEnd(options);
  }

  /** Starts them; resolves when each is open, or has failed for the first time. */
  async open(): Promise<void> {
    if (this.#options.size === 0) return;
    this.#routeNews(this.#options.services().map(({ name }) => name));
    this.#pulse = setInterval(() => this.#tellRoutes([]), PULSE_MS);
    const numbers = Array.from({ length: this.#options.size }, (_, i) => i + 2);
    await Promise.all(numbers.map((number) => new Promise<void>((first) => void this.#keep(number, first))));
  }

  onEvents(events: readonly RegistryEvent[]): void {
    if (this.#options.size === 0) return;
    const news = this.#routeNews(new Set(events.map(({ service }) => service)));
    if (news.length > 0) this.#tellRoutes(news);
  }

  /** Resolves when all workers are ready for what is about to be taken, but for those that are late. */
  async prepare(snapshot: Snapshot): Promise<void> {
    for (const link of this.#links) link.prepare(snapshot);
    await this.followed();
  }

  /** There is another graph: the workers take it too. */
  onSnapshot(): void {
    if (this.#options.size === 0) return;
    const snapshot = this.#options.snapshot();
    this.#end.onSnapshot(snapshot);
    for (const link of this.#links) link.take(snapshot);
  }

  /** Resolves when all workers have the graph that there is now, but for those that are late. */
  async followed(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.followed()));
  }

  /** Resolves when every request that a worker began with an older graph has ended. */
  async drained(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.drained()));
  }

  /** What this process counted and what all others did, since the beginning. */
  async sum(own: RoadCounts): Promise<RoadCounts> {
    const counts = await Promise.all([...this.#links].map((link) => link.count()));
    return [own, this.#ended, ...counts].reduce(plus);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#pulse);
    await Promise.all([...this.#links].map((link) => link.stop()));
  }

  #tellRoutes(news: readonly RouteNews[]): void {
    for (const link of this.#links) link.tellRoutes(news);
  }

  async #keep(number: number, onFirst: () => void): Promise<void> {
    const { isOwn, log, clock } = this.#options;
    for (let failures = 0; !this.#stopping.signal.aborted; failures += 1) {
      const startedAt = clock.now();
      const link = new WorkerLink({ handlers: this.#end.handlers, isOwn, log });
      this.#links.add(link);
      log.debug({ worker: number, pid: link.pid }, "a gateway worker begins");
      const routes = [...this.#routes].map(([, text]) => JSON.parse(text) as RouteNews);
      void link
        .start({ ...this.#options.settings(), number }, routes, this.#options.snapshot())
        .then(onFirst);
      const reason = await link.ended;
      this.#links.delete(link);
      this.#ended = plus(this.#ended, link.lastCounts);
      onFirst();
      if (this.#stopping.signal.aborted) return;
      if (clock.now() - startedAt > STEADY_MS) failures = 0;
      const pauseMs = Math.min(RESTART_FIRST_MS * 2 ** failures, RESTART_MOST_MS);
      log.error(
        { worker: number, pid: link.pid, reason, pauseMs },
        "a gateway worker ended; it is started again",
      );
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** What is new of the routes of these services. */
  #routeNews(services: Iterable<string>): RouteNews[] {
    const known = new Set(this.#options.services().map(({ name }) => name));
    const news: RouteNews[] = [];
    for (const service of services) {
      const route = routeNews(service, known.has(service) ? this.#options.route(service) : undefined);
      const text = JSON.stringify(route);
      if (this.#routes.get(service) === text) continue;
      if (route.route) this.#routes.set(service, text);
      else this.#routes.delete(service);
      news.push(route);
    }
    return news;
  }
}

function plus(a: RoadCounts, b: RoadCounts): RoadCounts {
  const reference = new Map(a.reference);
  for (const [reason, count] of b.reference) reference.set(reason, (reference.get(reason) ?? 0) + count);
  return { compiled: a.compiled + b.compiled, interpreted: a.interpreted + b.interpreted, reference };
}
