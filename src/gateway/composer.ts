/**
 * Follows the registry, fetches the schemas that changed, composes, and replaces the snapshot.
 * Knows services, subgraphs and the pure `compose`; nothing of doors, probes, or how the registry keeps anything.
 */
import type { Executor } from "@graphql-tools/utils";
import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { BobbinError, messageOf, toBobbinError } from "../errors.ts";
import type { RegistryEvent } from "../events.ts";
import { DOOR_HEADER, type DoorName, HOPS_HEADER } from "../http.ts";
import type { Log } from "../log.ts";
import { gatewaySettings } from "../registry/metadata.ts";
import {
  getsRequests,
  type Instance,
  newestInstance,
  type SchemaState,
  type Service,
} from "../registry/service.ts";
import { type Candidate, type Composition, compose, type Reason } from "./compose.ts";
import { fetchSdl } from "./introspect.ts";
import type { ComposedService } from "./last-set.ts";
import { Snapshot } from "./snapshot.ts";
import { buildSubgraph, type Subgraph, subgraphHash } from "./subgraph.ts";

/** A service that this process serves itself: reached by a call, not over its URL. */
export interface LocalService {
  readonly sdl: string;
  readonly execute: Executor;
}

export interface ComposerOptions {
  services: () => readonly Service[];
  service: (name: string) => Service | undefined;
  revision: () => number;
  /** The plugin or the core of this name, or why it cannot be used. */
  local: (name: string) => LocalService | BobbinError | undefined;
  remoteExecutor: (name: string) => Executor;
  /** Which door of this process a URL leads to, as far as the URL tells. */
  ownDoor: (url: string) => DoorName | undefined;
  /** Which door of this process an answer's door header names. */
  ownDoorOf: (header: string | null) => DoorName | undefined;
  recordSchema: (name: string, state: SchemaState) => Promise<void>;
  /** A schema was fetched from an instance that was never healthy before. */
  recordFirstAnswer: (name: string, origin: string) => Promise<void>;
  save: (services: readonly ComposedService[]) => void;
  clock: Clock;
  log: Log;
}

/** What the composer knows of one service. */
interface Entry {
  readonly name: string;
  readonly executor: Executor;
  latest: Subgraph | undefined;
  /** Why there is no newer `latest`. */
  failure: Reason | undefined;
  isAlias: boolean;
  /** How many instances were well when it was looked at last: one that came back may have another schema. */
  well: number;
  /** The fetch under way. A later one replaces it, and it then says nothing. */
  fetching: Promise<void> | undefined;
  /** The service came back while a fetch was under way: should that fail, it is tried again at once. */
  again: boolean;
  attempts: number;
  stopRetry: () => void;
}

export type CompositionState = "COMPOSED" | "PREVIOUS" | "REJECTED" | "PENDING" | "NOT_GRAPHQL" | "ALIAS";

export interface ReloadResult {
  readonly revision: number;
  readonly services: readonly string[];
  readonly rejected: readonly { name: string; reason: Reason }[];
}

const FETCHES_IN_FLIGHT = 32;
const FETCH_DEADLINE_MS = 5_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 60_000;
/** Composing waits until nothing has changed for this long … */
const QUIET_MS = 15;
/** … but no longer than this, or than a few times what composing costs. */
const PATIENCE_MS = 100;

export class Composer implements AsyncDisposable {
  readonly #options: ComposerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #limit = pLimit(FETCHES_IN_FLIGHT);
  readonly #stopping = new AbortController();
  /** Fetches that wait or are under way. */
  #fetches = 0;
  #snapshot: Snapshot | undefined;
  #dirtySince: number | undefined;
  #stopTimer = () => {};
  #lastCostMs = 0;
  #reloading: Promise<ReloadResult> | undefined;
  #started = false;

  constructor(options: ComposerOptions) {
    this.#options = options;
  }

  /**
   * Composes what this process serves itself with the last composed set, so that there is a snapshot when this
   * returns, and begins to fetch every schema.
   */
  start(lastSet: readonly ComposedService[]): void {
    const services = this.#options.services();
    // Who came first owns: the core, then the last composed set in its order, then the others.
    for (const { name, source } of services) if (source === "CORE") this.#entry(name);
    for (const { service, sdl, namespace } of lastSet) {
      const current = this.#options.service(service.name);
      if (current?.source !== service.source) continue;
      const entry = this.#entry(service.name);
      if (service.source === "REMOTE") entry.latest = this.#rebuild(entry, sdl, namespace);
    }
    for (const service of services) if (service.source !== "REMOTE") this.#readLocal(service);
    this.#compose();
    for (const service of this.#options.services())
      if (service.source === "REMOTE") this.#follow(service, true);
    void this.#firstPass().then(() => {
      this.#started = true;
    });
  }

  /** The schema that requests begin with from now on. */
  get snapshot(): Snapshot {
    if (!this.#snapshot) throw new Error("the composer was not started");
    return this.#snapshot;
  }

  /** Whether every schema was asked for once since the start. */
  get started(): boolean {
    return this.#started;
  }

  /** Takes note of changes in the registry. */
  onEvents(events: readonly RegistryEvent[]): void {
    for (const { type, service: name } of events) {
      const service = this.#options.service(name);
      if (!service) this.#forget(name);
      else if (service.source !== "REMOTE") this.#readLocal(service);
      else if (type !== "SCHEMA") this.#follow(service, type !== "STATUS");
    }
  }

  /** Fetches every schema anew and composes. Calls at the same time share one pass. */
  reload(): Promise<ReloadResult> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** What became of a service's schema, and why. */
  stateOf(service: Service): { composition: CompositionState; reason: Reason | null } {
    const entry = this.#entries.get(service.name);
    if (entry?.isAlias) return { composition: "ALIAS", reason: null };
    if (!isGraphQL(service)) return { composition: "NOT_GRAPHQL", reason: null };
    const reason = entry?.failure ?? this.snapshot.rejected.get(service.name) ?? null;
    if (this.snapshot.subgraphs.has(service.name))
      return { composition: reason ? "PREVIOUS" : "COMPOSED", reason };
    const waiting =
      !reason ||
      (!service.everHealthy && service.source === "REMOTE" && reason.code === "SCHEMA_UNREACHABLE");
    return { composition: waiting ? "PENDING" : "REJECTED", reason };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#stopTimer();
    for (const entry of this.#entries.values()) entry.stopRetry();
    await Promise.all([...this.#entries.values()].map(({ fetching }) => fetching));
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const entry: Entry = {
      name,
      executor: this.#options.remoteExecutor(name),
      latest: undefined,
      failure: undefined,
      isAlias: false,
      well: 0,
      fetching: undefined,
      again: false,
      attempts: 0,
      stopRetry: () => {},
    };
    this.#entries.set(name, entry);
    return entry;
  }

  /** Fetches a remote service's schema where it may have changed: after a registration, or when it is back. */
  #follow(service: Service, changed: boolean): void {
    const entry = this.#entry(service.name);
    const well = service.instances.filter(isWell).length;
    const back = well > entry.well;
    entry.well = well;
    const isCore = this.#isCore(service);
    // That another URL leads to the core all the same, only its answer tells.
    if (changed || isCore) entry.isAlias = isCore;
    if (isCore || !isGraphQL(service)) {
      this.#drop(entry);
      return;
    }
    if (service.maintenance) {
      this.#rest(entry);
      return;
    }
    if (back && !changed && entry.fetching) {
      entry.again = true;
    } else if (changed || back) {
      entry.attempts = 0;
      void this.#fetch(entry);
    }
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#rest(entry);
    this.#entries.delete(name);
    this.#markDirty();
  }

  /** Asks nothing of the service any more; an answer that is still to come says nothing. */
  #rest(entry: Entry): void {
    entry.stopRetry();
    entry.fetching = undefined;
  }

  /** The service offers no GraphQL of its own (any more). */
  #drop(entry: Entry): void {
    this.#rest(entry);
    entry.failure = undefined;
    if (!entry.latest) return;
    entry.latest = undefined;
    this.#markDirty();
  }

  /** Whether the service is the core itself, as far as its URL tells. */
  #isCore(service: Service): boolean {
    const { graphqlUrl } = newestInstance(service);
    return graphqlUrl !== null && this.#options.ownDoor(graphqlUrl) === "core";
  }

  #readLocal(service: Service): void {
    const local = this.#options.local(service.name);
    const entry = this.#entry(service.name);
    if (!local || local instanceof BobbinError) {
      entry.failure = local && reasonOf(local);
      this.#report(entry);
      return;
    }
    try {
      const source = {
        name: service.name,
        sdl: local.sdl,
        namespace: gatewaySettings(service.metadata).namespace,
      };
      if (entry.latest?.hash === subgraphHash(source)) return;
      entry.latest = buildSubgraph(source, local.execute);
      entry.failure = undefined;
      this.#markDirty();
    } catch (error) {
      entry.failure = reasonOf(error);
      this.#report(entry);
    }
  }

  #rebuild({ name, executor }: Entry, sdl: string, namespace: string | null): Subgraph | undefined {
    try {
      return buildSubgraph({ name, sdl, namespace }, executor);
    } catch (error) {
      this.#options.log.warn(
        { service: name, reason: messageOf(error) },
        "its last schema cannot be used again",
      );
      return undefined;
    }
  }

  #fetch(entry: Entry): Promise<void> {
    entry.stopRetry();
    entry.again = false;
    this.#fetches += 1;
    const mine: Promise<void> = this.#limit(() =>
      this.#fetchNow(entry, () => entry.fetching === mine),
    ).finally(() => {
      this.#fetches -= 1;
      if (entry.fetching === mine) entry.fetching = undefined;
      this.#composeSoon();
    });
    entry.fetching = mine;
    return mine;
  }

  async #fetchNow(entry: Entry, isCurrent: () => boolean): Promise<void> {
    const service = this.#options.service(entry.name);
    if (!service || !isCurrent() || this.#stopping.signal.aborted) return;
    const instance = newestInstance(service);
    if (instance.graphqlUrl === null) return;
    const signal = AbortSignal.any([AbortSignal.timeout(FETCH_DEADLINE_MS), this.#stopping.signal]);
    try {
      const { sdl, door } = await fetchSdl(instance.graphqlUrl, { [HOPS_HEADER]: "1" }, signal);
      if (!isCurrent()) return;
      const own = this.#options.ownDoorOf(door);
      if (own === "gateway") {
        throw new BobbinError(
          "SELF_REFERENCE",
          `${instance.graphqlUrl} leads back to this gateway (${DOOR_HEADER}).`,
        );
      }
      // Before the registry is told: its event must find what became of the service.
      entry.isAlias = own === "core";
      if (instance.health === "UNKNOWN") await this.#options.recordFirstAnswer(entry.name, instance.origin);
      if (entry.isAlias) return this.#drop(entry);
      const source = { name: entry.name, sdl, namespace: gatewaySettings(service.metadata).namespace };
      const changed = entry.latest?.hash !== subgraphHash(source);
      if (changed) entry.latest = buildSubgraph(source, entry.executor);
      const recovered = entry.failure !== undefined;
      entry.failure = undefined;
      entry.attempts = 0;
      if (changed) this.#markDirty();
      else if (recovered) this.#report(entry);
    } catch (error) {
      if (isCurrent() && !this.#stopping.signal.aborted) this.#onFetchFailed(entry, error);
    }
  }

  /** Keeps the schema that is there, says why there is no newer one, and tries again with growing pauses. */
  #onFetchFailed(entry: Entry, error: unknown): void {
    const reason = reasonOf(error);
    if (entry.failure?.message !== reason.message) {
      this.#options.log.warn({ service: entry.name, ...reason }, "schema not fetched");
    }
    entry.failure = reason;
    this.#report(entry);
    const pause = entry.again ? 0 : Math.min(RETRY_FIRST_MS * 2 ** entry.attempts, RETRY_MOST_MS);
    entry.attempts = Math.min(entry.attempts + 1, 16);
    entry.stopRetry = this.#options.clock.after(pause, () => void this.#fetch(entry));
  }

  /** Tells the registry what became of the service's newest schema, where that is news. */
  #report(entry: Entry): void {
    const service = this.#options.service(entry.name);
    if (!service || !this.#snapshot) return;
    const { composition, reason } = this.stateOf(service);
    const hash = this.#snapshot.subgraphs.get(entry.name)?.hash ?? null;
    // A service that cannot be reached is the probes' matter: its schema is neither refused nor in doubt.
    const unreachable = reason?.code === "SCHEMA_UNREACHABLE" && !getsRequests(service.status);
    const state: SchemaState = {
      ...(unreachable ? service.schema : { state: SCHEMA_STATES[composition], ...wordsOf(reason) }),
      hash,
    };
    const { schema } = service;
    if (schema.state === state.state && schema.message === state.message && schema.hash === hash) return;
    void this.#options.recordSchema(entry.name, state);
  }

  #markDirty(): void {
    this.#dirtySince ??= this.#options.clock.now();
    this.#composeSoon();
  }

  /** Waits for a quiet moment and for the fetches under way, within its patience. */
  #composeSoon(): void {
    if (this.#dirtySince === undefined || !this.#snapshot || this.#stopping.signal.aborted) return;
    this.#stopTimer();
    const patience =
      Math.max(PATIENCE_MS, 4 * this.#lastCostMs) - (this.#options.clock.now() - this.#dirtySince);
    const delay = this.#fetches > 0 ? patience : Math.min(QUIET_MS, patience);
    this.#stopTimer = this.#options.clock.after(Math.max(delay, 0), () => this.#compose());
  }

  #compose(): void {
    this.#dirtySince = undefined;
    this.#stopTimer();
    const startedAt = performance.now();
    const before = this.#snapshot;
    const [incumbents, candidates] = this.#sortEntries(before);
    const nothingNew = candidates.length === 0 && incumbents.length === before?.subgraphs.size;
    if (before && nothingNew) return;
    let composition: Composition;
    try {
      composition = compose(incumbents, candidates);
    } catch (error) {
      this.#options.log.error({ err: error }, "composing failed; the graph stays as it was");
      return;
    }
    const { schema, subgraphs, rejected } = composition;
    this.#snapshot = new Snapshot(this.#options.revision(), schema, subgraphs, rejected);
    this.#lastCostMs = performance.now() - startedAt;
    this.#logDifference(before, this.#snapshot);
    for (const entry of this.#entries.values()) this.#report(entry);
    this.#save(this.#snapshot);
  }

  /** Those whose newest schema is in the graph already, and the others in the order of their registration. */
  #sortEntries(before: Snapshot | undefined): [Subgraph[], Candidate[]] {
    const incumbents: Subgraph[] = [];
    for (const subgraph of before?.subgraphs.values() ?? []) {
      if (this.#entries.get(subgraph.name)?.latest === subgraph) incumbents.push(subgraph);
    }
    const candidates: Candidate[] = [];
    // At the first composition the order is that of the last composed set, which the entries were made in.
    const order = before ? this.#options.services().map(({ name }) => name) : this.#entries.keys();
    for (const name of order) {
      const latest = this.#entries.get(name)?.latest;
      const previous = before?.subgraphs.get(name);
      if (latest && latest !== previous) candidates.push({ latest, previous });
    }
    return [incumbents, candidates];
  }

  #logDifference(before: Snapshot | undefined, after: Snapshot): void {
    const added = [...after.subgraphs.keys()].filter((name) => !before?.subgraphs.has(name));
    const removed = [...(before?.subgraphs.keys() ?? [])].filter((name) => !after.subgraphs.has(name));
    const ms = Math.round(this.#lastCostMs);
    this.#options.log.info(
      { revision: after.revision, services: after.subgraphs.size, added, removed, ms },
      "composed",
    );
    for (const [service, reason] of after.rejected) {
      if (before?.rejected.get(service)?.message !== reason.message) {
        this.#options.log.warn({ service, ...reason }, "schema left out");
      }
    }
  }

  #save(snapshot: Snapshot): void {
    const composed: ComposedService[] = [];
    for (const { name, sdl, namespace } of snapshot.subgraphs.values()) {
      const service = this.#options.service(name);
      if (service && service.source !== "CORE") composed.push({ service, sdl, namespace });
    }
    this.#options.save(composed);
  }

  async #reload(): Promise<ReloadResult> {
    for (const service of this.#options.services()) if (service.source !== "REMOTE") this.#readLocal(service);
    const remote = this.#options
      .services()
      .filter((service) => service.source === "REMOTE" && isGraphQL(service));
    const reachable = remote.filter((service) => !service.maintenance && !this.#isCore(service));
    await Promise.all(reachable.map(({ name }) => this.#fetch(this.#entry(name))));
    this.#compose();
    const { revision, subgraphs } = this.snapshot;
    const rejected = this.#options.services().flatMap((service) => {
      const { reason } = this.stateOf(service);
      return reason ? [{ name: service.name, reason }] : [];
    });
    return { revision, services: [...subgraphs.keys()], rejected };
  }

  async #firstPass(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ fetching }) => fetching));
    if (!this.#stopping.signal.aborted) this.#compose();
  }
}

function wordsOf(reason: Reason | null): Pick<SchemaState, "code" | "message"> {
  return { code: reason?.code ?? null, message: reason?.message ?? null };
}

const SCHEMA_STATES: Record<CompositionState, SchemaState["state"]> = {
  COMPOSED: "CURRENT",
  PREVIOUS: "PREVIOUS",
  REJECTED: "REJECTED",
  PENDING: "NONE",
  NOT_GRAPHQL: "NONE",
  ALIAS: "NONE",
};

function isWell({ health, leaseExpired }: Instance): boolean {
  return health === "HEALTHY" && !leaseExpired;
}

function isGraphQL(service: Service): boolean {
  return newestInstance(service).graphqlUrl !== null;
}

function reasonOf(error: unknown): Reason {
  const { code, message, place } = toBobbinError(error);
  return { code, message, ...place };
}
