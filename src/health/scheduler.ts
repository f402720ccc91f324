/**
 * Probes every instance at its service's interval and reports what follows for its health.
 * Knows the services, how to ask one and whom to tell; nothing of the registry's inside, of composing or of doors.
 */
import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { probeSettings } from "../registry/metadata.ts";
import type { Instance, Service } from "../registry/service.ts";
import type { Outcome } from "./probe.ts";
import { nextHealth, nextStreak, type Streak } from "./streak.ts";

export interface SchedulerOptions {
  services: () => readonly Service[];
  service: (name: string) => Service | undefined;
  probe: (service: Service, instance: Instance, signal: AbortSignal) => Promise<Outcome>;
  report: (observation: {
    service: string;
    origin: string;
    health: Instance["health"];
    /** The health that it follows from: where that holds no more, the observation says nothing. */
    from: Instance["health"];
    reason: string | null;
    at: number;
  }) => Promise<void>;
  clock: Clock;
  /** From 0 to 1; spreads the probes. */
  random?: () => number;
}

/** What of an instance, and of its service, is an occasion for a probe when it changes. */
type Occasion = Pick<Instance, "url" | "healthUrl" | "graphqlUrl" | "registeredAt"> &
  Pick<Service, "maintenance"> & { readonly intervalMs: number };

/** One instance under watch. */
interface Watch {
  readonly service: string;
  readonly origin: string;
  /** As it was when it was followed last. */
  occasion: Occasion | undefined;
  streak: Streak;
  /** Its health is what an earlier process found, and no probe of this one has found it well. */
  isInherited: boolean;
  /** The probe under way; those who want one meanwhile share it. */
  probing: Promise<void> | undefined;
  stop: () => void;
}

const PROBES_IN_FLIGHT = 64;
/** As many of them may be regular ones of instances that failed last time: those that hang must not hold up others. */
const PROBES_OF_FAILED = 16;
/**
 * An instance that was never healthy, or that is down when this process starts, is asked again after this long, then
 * after twice as long, up to its interval: what holds is known within seconds of a start.
 */
const FIRST_RETRY_MS = 100;
/** Requests that failed ask for a probe at once, but not more often than this. */
const HINT_PAUSE_MS = 1_000;
/** All callers within this time share one pass over every service. */
const PASS_PAUSE_MS = 1_000;

export class HealthScheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  /** Service → origin → watch. */
  readonly #watches = new Map<string, Map<string, Watch>>();
  /** Each service as it was followed last. */
  readonly #followed = new Map<string, Service>();
  readonly #limit = pLimit(PROBES_IN_FLIGHT);
  readonly #ofFailed = pLimit(PROBES_OF_FAILED);
  readonly #stopping = new AbortController();
  #pass: { startedAt: number; done: Promise<void> } | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Watches what is registered, and probes all of it at once. */
  start(): void {
    for (const service of this.#options.services()) this.follow(service.name);
    for (const watch of this.#all()) watch.isInherited = true;
  }

  /**
   * Takes note that a service changed or is gone. Those of its instances that are new, or were registered again or
   * given other settings since the last time, are probed at once; mostly it is one of many.
   */
  follow(name: string): void {
    const service = this.#options.service(name);
    // Several events of one commit are told one by one.
    if (service && this.#followed.get(name) === service) return;
    if (service) this.#followed.set(name, service);
    else this.#followed.delete(name);
    const watches = this.#watches.get(name) ?? new Map<string, Watch>();
    const { instances = [], maintenance = false, metadata = {} } = service ?? {};
    const { intervalMs } = probeSettings(metadata);
    for (const instance of instances) {
      const watch = watches.get(instance.origin) ?? newWatch(name, instance.origin);
      watches.set(instance.origin, watch);
      const known = watch.occasion;
      const { url, healthUrl, graphqlUrl, registeredAt } = instance;
      watch.occasion = { url, healthUrl, graphqlUrl, registeredAt, maintenance, intervalMs };
      if (!known || !isSame(known, watch.occasion)) this.#probeSoon(watch);
    }
    if (watches.size > instances.length) {
      const origins = new Set(instances.map(({ origin }) => origin));
      for (const watch of watches.values()) {
        if (origins.has(watch.origin)) continue;
        watch.stop();
        watches.delete(watch.origin);
      }
    }
    if (watches.size > 0) this.#watches.set(name, watches);
    else this.#watches.delete(name);
  }

  /** A request to the instance failed: probes it soon, so that a dead one is known before its interval is over. */
  hint(name: string, origin: string): void {
    const watch = this.#watches.get(name)?.get(origin);
    const service = this.#options.service(name);
    const last = service?.instances.find((instance) => instance.origin === origin)?.lastHealthCheck ?? 0;
    if (watch && this.#options.clock.now() - last >= HINT_PAUSE_MS) this.#probeSoon(watch);
  }

  /** Probes every instance now. Callers share a pass, and there is at most one a second. */
  checkAll(): Promise<void> {
    const now = this.#options.clock.now();
    if (this.#pass && now - this.#pass.startedAt < PASS_PAUSE_MS) return this.#pass.done;
    const done = Promise.all(this.#all().map((watch) => this.#probe(watch))).then(() => {});
    this.#pass = { startedAt: now, done };
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    const all = this.#all();
    for (const watch of all) watch.stop();
    await Promise.all(all.map(({ probing }) => probing));
    this.#watches.clear();
  }

  #all(): Watch[] {
    return [...this.#watches.values()].flatMap((watches) => [...watches.values()]);
  }

  /** In the next turn, so that whoever asks at the same time shares it. */
  #probeSoon(watch: Watch): void {
    watch.stop();
    if (this.#stopping.signal.aborted) return;
    watch.stop = this.#options.clock.after(0, () => void this.#probe(watch));
  }

  /** Its next regular probe. An instance that failed waits for its turn among its like, unless it is asked before. */
  #probeAfter(watch: Watch, delayMs: number): void {
    watch.stop();
    if (this.#stopping.signal.aborted) return;
    let isWanted = true;
    const probe = async () => {
      if (isWanted) await this.#probe(watch);
    };
    const cancel = this.#options.clock.after(delayMs, () => {
      void (watch.streak < 0 ? this.#ofFailed(probe) : probe());
    });
    watch.stop = () => {
      isWanted = false;
      cancel();
    };
  }

  #probe(watch: Watch): Promise<void> {
    watch.probing ??= this.#limit(() => this.#ask(watch)).finally(() => {
      watch.probing = undefined;
    });
    return watch.probing;
  }

  async #ask(watch: Watch): Promise<void> {
    const found = this.#find(watch);
    if (!found) return;
    const { service, instance } = found;
    const settings = probeSettings(service.metadata);
    if (service.maintenance) return this.#probeAfter(watch, settings.intervalMs);
    const signal = AbortSignal.any([AbortSignal.timeout(settings.timeoutMs), this.#stopping.signal]);
    const outcome = await this.#options.probe(service, instance, signal);
    const now = this.#find(watch);
    const watched = this.#watches.get(watch.service)?.get(watch.origin) === watch;
    if (!now || !watched || this.#stopping.signal.aborted) return;
    const current = now.instance;
    // Who was taken out meanwhile need not answer; the end of that is an occasion to ask anew.
    if (now.service.maintenance) return this.#probeAfter(watch, settings.intervalMs);
    // What was asked was given other paths meanwhile: the answer says nothing.
    if (!isSameTarget(instance, current)) return this.#probeSoon(watch);
    // It was found healthy by other means than a probe: failures count from then on.
    if (current.health === "HEALTHY" && watch.streak < 0) watch.streak = 0;
    if (outcome.ok) watch.isInherited = false;
    watch.streak = nextStreak(watch.streak, outcome);
    const health = nextHealth(current.health, outcome, watch.streak, settings.thresholds);
    const at = this.#options.clock.now();
    const reason = outcome.ok ? (health === "HEALTHY" ? null : current.healthReason) : outcome.reason;
    const from = current.health;
    await this.#options.report({ service: watch.service, origin: watch.origin, health, from, reason, at });
    const isUnknown = health === "UNKNOWN" || watch.isInherited;
    this.#probeAfter(watch, this.#pause(isUnknown, watch.streak, settings.intervalMs));
  }

  /** The interval, give or take a tenth; the first one is of random length, so that probes do not march in step. */
  #pause(isUnknown: boolean, streak: Streak, intervalMs: number): number {
    const random = this.#options.random ?? Math.random;
    if (isUnknown) return Math.min(FIRST_RETRY_MS * 2 ** Math.min(-streak - 1, 20), intervalMs);
    if (streak === 1) return intervalMs * random();
    return intervalMs * (0.9 + 0.2 * random());
  }

  #find(watch: Watch): { service: Service; instance: Instance } | undefined {
    const service = this.#options.service(watch.service);
    const instance = service?.instances.find(({ origin }) => origin === watch.origin);
    return service && instance && { service, instance };
  }
}

function newWatch(service: string, origin: string): Watch {
  return {
    service,
    origin,
    occasion: undefined,
    streak: 0,
    isInherited: false,
    probing: undefined,
    stop: () => {},
  };
}

type Target = Pick<Instance, "url" | "healthUrl" | "graphqlUrl">;

function isSameTarget(asked: Target, current: Target): boolean {
  return (
    asked.url === current.url &&
    asked.healthUrl === current.healthUrl &&
    asked.graphqlUrl === current.graphqlUrl
  );
}

function isSame(before: Occasion, now: Occasion): boolean {
  return (
    isSameTarget(before, now) &&
    before.registeredAt === now.registeredAt &&
    before.intervalMs === now.intervalMs &&
    before.maintenance === now.maintenance
  );
}
