/**
 * Follows the registry, composes when schemas changed, and replaces the snapshot: all that is here is when that is
 * done, and with what. Knows services, their schemas and the pure `compose`; nothing of doors, probes, or how a schema
 * is got.
 */
import { BobbinError } from "../errors.ts";
import type { RegistryEvent } from "../events.ts";
import type { Service } from "../registry/service.ts";
import { type ChangeReport, ChangeReports } from "./compose/change-reports.ts";
import type { Candidate, Reason } from "./compose/compose.ts";
import { composeSafely, type SafeComposition } from "./compose/compose-safely.ts";
import { compositionMemory } from "./compose/memory.ts";
import { atOnce, type Done, inSlices, type Slices } from "./compose/slices.ts";
import { ComposingThread } from "./federation/composing-thread.ts";
import type { ComposedService } from "./last-set.ts";
import { logComposed } from "./log-composed.ts";
import { isSame, type Parts, partsOf } from "./parts.ts";
import { triedSource } from "./schema-source.ts";
import { type SchemaOutcome, SchemaStates, type StatesOptions } from "./schema-states.ts";
import { type SchemaSources, Schemas } from "./schemas.ts";
import { Snapshot } from "./snapshot.ts";
import { type Trial, trial } from "./trial.ts";

export interface ComposerOptions extends SchemaSources, StatesOptions {
  revision: () => number;
  /** `safe`: a schema that breaks clients waits until someone accepts it. */
  policy: "any" | "safe";
  /** Keeps what a new snapshot was composed of. */
  save: (services: readonly ComposedService[]) => void;
  /** There will be another snapshot: what is to be ready for it. */
  warm: (next: Snapshot) => Slices<void>;
  /** There is another snapshot. */
  onSnapshot: () => void;
}

export interface ReloadResult {
  readonly revision: number;
  readonly services: readonly string[];
  readonly rejected: readonly { name: string; reason: Reason }[];
}

/** What was known when a composition began. */
interface Began {
  readonly revision: number;
  readonly unregistered: readonly string[];
}

/** Composing waits until nothing has changed for this long … */
const QUIET_MS = 15;
/** … but no longer than this, or than a few times what composing costs. */
const PATIENCE_MS = 100;

export class Composer implements AsyncDisposable {
  readonly #options: ComposerOptions;
  readonly #schemas: Schemas;
  readonly #states: SchemaStates;
  readonly #changes: ChangeReports;
  readonly #thread = new ComposingThread();
  readonly #memory = compositionMemory({
    compose: (members) => this.#thread.compose(members),
    isAllowed: () => this.#isServing,
  });
  #snapshot: Snapshot | undefined;
  /** Whether requests come meanwhile, so that composing must not hold them up. */
  #isServing = false;
  /** Who of the graph was unregistered since: what comes under the name anew has no clients to break. */
  readonly #unregistered = new Set<string>();
  /** What was composed last, whatever came of it. */
  #composed: Parts | undefined;
  /** Resolves with the end of the composition under way. */
  #making: Promise<void> | undefined;
  #dirtySince: number | undefined;
  #stopTimer = () => {};
  #lastCostMs = 0;
  #composedAt = 0;
  /** Resolves with the end of the next composition. */
  #next = Promise.withResolvers<void>();
  #reloading: Promise<ReloadResult> | undefined;
  #started = false;
  #stopped = false;

  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#changes = new ChangeReports(options.log);
    this.#schemas = new Schemas(options, {
      onSchema: () => this.#markDirty(),
      onState: (name) => this.#states.report(name, this.#snapshot),
      // Schemas come one by one; built now, they do not hold up the composition that takes them all.
      onSubgraph: (subgraph) => this.#memory.prepare(subgraph),
      onFetched: () => this.#composeSoon(),
    });
    this.#states = new SchemaStates(this.#schemas, options);
  }

  /** Takes the last composed set and the core: from now on there is a snapshot, made of them where it is asked for. */
  begin(lastSet: readonly ComposedService[]): void {
    this.#schemas.begin(lastSet);
  }

  /** Composes what this process serves itself into it, and begins to fetch every other schema. */
  start(): void {
    this.#schemas.readAllLocal();
    this.#compose();
    this.#isServing = true;
    for (const service of this.#options.services()) this.#schemas.follow(service, true);
    void this.#schemas.settled().then(async () => {
      await this.#composeAll();
      this.#started = true;
    });
  }

  /** The schema that requests begin with from now on. */
  get snapshot(): Snapshot {
    if (!this.#snapshot) this.#compose();
    if (!this.#snapshot) throw new Error("there is nothing to compose");
    return this.#snapshot;
  }

  /** Whether every schema was asked for once since the start. */
  get started(): boolean {
    return this.#started;
  }

  /**
   * Takes note of changes in the registry. After each, a SCHEMA that it reported itself among them, what the registry
   * holds is compared anew: a report may have been overtaken by a later one, or by a registry that was read late.
   */
  onEvents(events: readonly RegistryEvent[]): void {
    for (const [name, own] of Map.groupBy(events, (event) => event.service)) {
      const service = this.#options.service(name);
      const types = own.map(({ type }) => type);
      const isWritten = types.some((type) => type !== "STATUS" && type !== "SCHEMA");
      if (types.includes("REMOVED") && this.#snapshot?.subgraphs.has(name)) this.#unregistered.add(name);
      if (!service) this.#schemas.forget(name);
      else if (isWritten || types.includes("STATUS")) this.#schemas.follow(service, isWritten);
      this.#states.report(name, this.#snapshot);
    }
  }

  /**
   * Takes note of another version, or another state, of a service of this process. Resolves when the graph was
   * composed with it, which does not wait for what else may come.
   */
  async followLocal(name: string): Promise<void> {
    const service = this.#options.service(name);
    if (service) this.#schemas.follow(service, true);
    await this.#composeNext();
  }

  /** A service of this process is about to go: the next composition is without it. */
  forgetLocal(name: string): void {
    this.#schemas.forget(name);
  }

  /** Resolves when the graph was composed with all that is known by now, which does not wait for what else may come. */
  settled(): Promise<void> {
    return this.#composeNext();
  }

  /** Fetches every schema anew and composes. Calls at the same time share one pass. */
  reload(): Promise<ReloadResult> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /**
   * Composes a service's schema that waits, although it breaks clients. That holds for this very schema; `hash`: only
   * if it is the one that is meant. Throws CONFLICT where none waits, or another one.
   */
  async accept(name: string, hash?: string): Promise<void> {
    const accepted = this.#changes.accept(name, hash);
    this.#composed = undefined;
    await this.#composeAll();
    const waiting = this.#changes.waiting(name);
    if (!waiting || waiting.hash === accepted) return;
    throw new BobbinError(
      "CONFLICT",
      `The schema of ${name} changed again meanwhile: look at what it breaks now.`,
    );
  }

  /**
   * What would become of the graph with this schema of a service, registered or not; nothing is different after it.
   * Throws SCHEMA_INVALID, and SERVICE_UNAVAILABLE where bobbin stops meanwhile.
   */
  async tryOut(name: string, sdl: string): Promise<Trial> {
    const { islands, subgraphs } = this.snapshot;
    const graph = { islands, subgraphs: [...subgraphs.values()] };
    const source = triedSource(this.#options.service(name), name, sdl);
    const work = trial(graph, source, this.#options.policy, this.#memory);
    try {
      const done = await inSlices(work, () => !this.#stopped);
      if (done) return done.value;
    } finally {
      // Whatever composition is under way needs what it tried until its end, and settles then.
      if (!this.#making) this.#memory.settle();
    }
    throw new BobbinError("SERVICE_UNAVAILABLE", "bobbin is stopping.");
  }

  /** What the service's last change of schema, or the one that waits, means for clients. */
  changesOf(name: string): ChangeReport | null {
    return this.#changes.of(name) ?? null;
  }

  /** What became of a service's schema, and why. */
  stateOf(service: Service): SchemaOutcome {
    return this.#states.of(service, this.snapshot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#stopTimer();
    this.#next.resolve();
    this.#thread[Symbol.dispose]();
    await this.#schemas[Symbol.asyncDispose]();
  }

  async #reload(): Promise<ReloadResult> {
    await this.#schemas.refetch();
    await this.#composeAll();
    const { revision, subgraphs } = this.snapshot;
    const rejected = this.#options.services().flatMap((service) => {
      const { reason } = this.stateOf(service);
      return reason ? [{ name: service.name, reason }] : [];
    });
    return { revision, services: [...subgraphs.keys()], rejected };
  }

  #markDirty(): void {
    this.#dirtySince ??= this.#options.clock.now();
    this.#composeSoon();
  }

  /** Composes what is known without waiting for more; where one follows the other, it rests as long as it works. */
  async #composeNext(): Promise<void> {
    // What is being made may have it all, or be without what came since.
    while (this.#making) await this.#making;
    if (this.#dirtySince === undefined || this.#stopped) return;
    this.#stopTimer();
    const rest = this.#composedAt + this.#lastCostMs - this.#options.clock.now();
    if (rest <= 0) return this.#composeAll();
    this.#stopTimer = this.#options.clock.after(Math.min(rest, PATIENCE_MS), () => this.#compose());
    await this.#next.promise;
  }

  /** Waits for a quiet moment and for the fetches under way, within its patience. */
  #composeSoon(): void {
    if (this.#dirtySince === undefined || !this.#snapshot || this.#stopped) return;
    this.#stopTimer();
    const waited = this.#options.clock.now() - this.#dirtySince;
    const patience = Math.max(PATIENCE_MS, 4 * this.#lastCostMs) - waited;
    const delay = this.#schemas.isFetching ? patience : Math.min(QUIET_MS, patience);
    this.#stopTimer = this.#options.clock.after(Math.max(delay, 0), () => this.#compose());
  }

  /** Composes all that is known, whatever is being made at the moment. */
  async #composeAll(): Promise<void> {
    while (this.#making) await this.#making;
    if (!this.#stopped) this.#compose();
    while (this.#making) await this.#making;
  }

  /**
   * Composes: at once before the start, else with pauses in which requests are served. What comes in a pause is for
   * the composition after this one.
   */
  #compose(): void {
    if (this.#making) {
      this.#dirtySince ??= this.#options.clock.now();
      return;
    }
    this.#dirtySince = undefined;
    this.#stopTimer();
    const parts = partsOf(this.#snapshot, this.#schemas, this.#options.services());
    if (!this.#isNews(parts)) {
      this.#rest();
      return;
    }
    this.#composed = parts;
    const before = this.#snapshot;
    const graph = before && { islands: before.islands, subgraphs: [...before.subgraphs.values()] };
    const mayBreak = (candidate: Candidate) => this.#mayBreak(candidate);
    const work = composeSafely(graph, parts.incumbents, parts.candidates, mayBreak, this.#memory);
    const began = { revision: this.#options.revision(), unregistered: [...this.#unregistered] };
    if (!this.#isServing) {
      this.#finishAtOnce(work, began);
      this.#rest();
      return;
    }
    this.#making = this.#finishInSlices(work, began).finally(() => {
      this.#making = undefined;
      this.#rest();
    });
  }

  /** Whether something else can come of the parts than what the last composition made of its own. */
  #isNews(parts: Parts): boolean {
    const { incumbents, candidates } = parts;
    const before = this.#snapshot;
    const isWhole = candidates.length === 0 && incumbents.length === before?.subgraphs.size;
    if (isWhole && before?.rejected.size === 0) return false;
    // The same candidates would be refused by the same incumbents once more.
    return !this.#composed || !isSame(this.#composed, parts);
  }

  #finishAtOnce(work: Slices<SafeComposition>, began: Began): void {
    let done: Done<SafeComposition> | undefined;
    try {
      done = atOnce(work);
    } catch (error) {
      this.#logFailure(error);
    }
    if (done) this.#take(done, new Snapshot(began.revision, done.value), began);
  }

  async #finishInSlices(work: Slices<SafeComposition>, began: Began): Promise<void> {
    const isWanted = () => !this.#stopped;
    const done = await inSlices(work, isWanted).catch((error) => this.#logFailure(error));
    if (!done) return;
    const next = new Snapshot(began.revision, done.value);
    await inSlices(this.#options.warm(next), isWanted).catch((error) => this.#logFailure(error));
    if (isWanted()) this.#take(done, next, began);
  }

  #logFailure(error: unknown): void {
    this.#options.log.error({ err: error }, "composing failed; the graph stays as it was");
  }

  /** After a composition. */
  #rest(): void {
    this.#composedAt = this.#options.clock.now();
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
    this.#composeSoon();
  }

  #take(
    { value: composition, ms }: Done<SafeComposition>,
    next: Snapshot,
    { revision, unregistered }: Began,
  ): void {
    this.#memory.settle();
    const before = this.#snapshot;
    this.#snapshot = next;
    for (const name of unregistered) this.#unregistered.delete(name);
    this.#lastCostMs = ms;
    const now = { at: this.#options.clock.now(), revision };
    const news = this.#changes.take(composition, (name) => this.#schemas.latest(name), now);
    logComposed(this.#options.log, before, next, {
      ms,
      waiting: (name) => this.#changes.waiting(name),
      withFile: (name, reason) => this.#states.withFile(name, reason),
    });
    this.#options.onSnapshot();
    for (const name of this.#schemas.names()) this.#states.report(name, next, news.get(name));
    this.#save(next);
  }

  /** Whether a schema need not wait though it breaks clients. */
  #mayBreak({ latest }: Candidate): boolean {
    const { policy, service } = this.#options;
    if (policy === "any" || this.#changes.isAccepted(latest)) return true;
    return this.#unregistered.has(latest.name) || service(latest.name)?.source === "CORE";
  }

  #save(snapshot: Snapshot): void {
    const composed: ComposedService[] = [];
    for (const { source } of snapshot.subgraphs.values()) {
      const { name, ...parts } = source;
      const service = this.#options.service(name);
      if (service && service.source !== "CORE") composed.push({ service, ...parts });
    }
    this.#options.save(composed);
  }
}
