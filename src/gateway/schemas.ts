/**
 * The newest usable schema of every service: asked for when it may have changed, again and again while that fails.
 * Knows how to get a schema and what it means that it cannot be got; nothing of composing.
 */
import type { Executor } from "@graphql-tools/utils";
import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { BobbinError, messageOf, toBobbinError } from "../errors.ts";
import { DOOR_HEADER, type DoorName, HOPS_HEADER } from "../http.ts";
import type { Log } from "../log.ts";
import { gatewaySettings, type SchemaKind } from "../registry/metadata.ts";
import { type Instance, newestInstance, type Service } from "../registry/service.ts";
import type { Reason } from "./compose/compose.ts";
import type { ComposedService } from "./last-set.ts";
import type { LocalState } from "./local-service.ts";
import { sourceOf } from "./schema-source.ts";
import { recognise } from "./subgraph/recognise.ts";
import { buildSubgraph, type Subgraph, type SubgraphSource, subgraphHash } from "./subgraph/subgraph.ts";

export interface SchemaSources {
  services: () => readonly Service[];
  service: (name: string) => Service | undefined;
  /** The plugin or the core of this name. */
  local: (name: string) => LocalState | undefined;
  remoteExecutor: (name: string) => Executor;
  /** Which door of this process a URL leads to, as far as the URL tells. */
  ownDoor: (url: string) => DoorName | undefined;
  /** Which door of this process an answer's door header names. */
  ownDoorOf: (header: string | null) => DoorName | undefined;
  /** A schema was fetched from an instance that was never healthy before. */
  recordFirstAnswer: (name: string, origin: string) => Promise<void>;
  clock: Clock;
  log: Log;
}

export interface SchemaListener {
  /** A schema is new, different or gone. */
  onSchema: () => void;
  /** What is known of this service's schema is different, but the schema is the same. */
  onState: (name: string) => void;
  /** A service's newest schema, before it counts: the time for what can be done with it alone. */
  onSubgraph: (subgraph: Subgraph) => void;
  /** A fetch ended, whichever way. */
  onFetched: () => void;
}

/** What is known of one service. */
interface Entry {
  readonly name: string;
  readonly executor: Executor;
  latest: Subgraph | undefined;
  /** Why there is no newer `latest`. */
  failure: Reason | undefined;
  /** How the service offered its schema last. */
  kind: SchemaKind | undefined;
  /** It is the core under another name, and adds nothing. */
  isAlias: boolean;
  /** How many instances were healthy when it was looked at last: one that came back may have another schema. */
  healthyInstances: number;
  /** The fetch under way. A later one replaces it, and it then says nothing. */
  fetching: Promise<void> | undefined;
  /** The service came back while a fetch was under way: should that fail, it is tried again at once. */
  again: boolean;
  attempts: number;
  stopRetry: () => void;
}

const FETCHES_IN_FLIGHT = 128;
/** Of services that failed when they were asked last: those that hang must not keep new ones waiting. */
const RETRIES_IN_FLIGHT = 8;
const FETCH_DEADLINE_MS = 5_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 60_000;

export class Schemas implements AsyncDisposable {
  readonly #sources: SchemaSources;
  readonly #listener: SchemaListener;
  readonly #entries = new Map<string, Entry>();
  readonly #limit = pLimit(FETCHES_IN_FLIGHT);
  readonly #retries = pLimit(RETRIES_IN_FLIGHT);
  readonly #stopping = new AbortController();
  /** Fetches that wait or are under way. */
  #fetches = 0;

  constructor(sources: SchemaSources, listener: SchemaListener) {
    this.#sources = sources;
    this.#listener = listener;
  }

  /**
   * Begins with what is here already: the core's schema and those of the last composed set. Who came first owns: the
   * core, then the last composed set in its order, then the others.
   */
  begin(lastSet: readonly ComposedService[]): void {
    const services = this.#sources.services();
    for (const { name, source } of services) if (source === "CORE") this.#entry(name);
    for (const { service, ...source } of lastSet) {
      const current = this.#sources.service(service.name);
      if (current?.source !== service.source) continue;
      const entry = this.#entry(service.name);
      if (service.source !== "REMOTE") continue;
      entry.latest = this.#rebuild(entry, source);
      entry.kind = source.kind;
    }
    for (const service of services) if (service.source === "CORE") this.follow(service, true);
  }

  /** Takes the schemas of this process. */
  readAllLocal(): void {
    for (const service of this.#sources.services()) if (service.source !== "REMOTE") this.#readLocal(service);
  }

  /** Takes note of a service. `changed`: it was written to, so that its schema may be another one. */
  follow(service: Service, changed: boolean): void {
    if (service.source === "REMOTE") this.#followRemote(service, changed);
    else this.#readLocal(service);
  }

  /** The service is gone. */
  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#stopAsking(entry);
    this.#entries.delete(name);
    this.#listener.onSchema();
  }

  /** Asks every service for its schema; returns when all have answered or failed. */
  async refetch(): Promise<void> {
    const fetches = this.#sources.services().map((service) => {
      if (service.source !== "REMOTE") return this.#readLocal(service);
      const isAsked = isGraphQL(service) && !service.maintenance && !this.#isCore(service);
      return isAsked ? this.#fetch(this.#entry(service.name)) : undefined;
    });
    await Promise.all(fetches);
  }

  /** Returns when the fetches that are under way now have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ fetching }) => fetching));
  }

  get isFetching(): boolean {
    return this.#fetches > 0;
  }

  /** The names of all services that were taken note of, in the order of that. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  latest(name: string): Subgraph | undefined {
    return this.#entries.get(name)?.latest;
  }

  /** Why there is no newer schema than the latest, if so. */
  failure(name: string): Reason | undefined {
    return this.#entries.get(name)?.failure;
  }

  /** How a remote service offered its schema last, where it was asked for it. */
  kind(name: string): SchemaKind | undefined {
    return this.#entries.get(name)?.kind;
  }

  isAlias(name: string): boolean {
    return this.#entries.get(name)?.isAlias ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    for (const entry of this.#entries.values()) entry.stopRetry();
    await this.settled();
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const entry: Entry = {
      name,
      executor: this.#sources.remoteExecutor(name),
      latest: undefined,
      failure: undefined,
      kind: undefined,
      isAlias: false,
      healthyInstances: 0,
      fetching: undefined,
      again: false,
      attempts: 0,
      stopRetry: () => {},
    };
    this.#entries.set(name, entry);
    return entry;
  }

  /** Fetches a remote service's schema where it may have changed: after a registration, or when it is back. */
  #followRemote(service: Service, changed: boolean): void {
    const entry = this.#entry(service.name);
    const healthy = service.instances.filter(isHealthy).length;
    const back = healthy > entry.healthyInstances;
    entry.healthyInstances = healthy;
    const isCore = this.#isCore(service);
    // That another URL leads to the core all the same, only its answer tells.
    if (changed || isCore) entry.isAlias = isCore;
    if (isCore || !isGraphQL(service)) {
      this.#drop(entry);
    } else if (service.maintenance) {
      this.#stopAsking(entry);
    } else if (back && !changed && entry.fetching) {
      entry.again = true;
    } else if (changed || back) {
      entry.attempts = 0;
      void this.#fetch(entry);
    }
  }

  #readLocal(service: Service): void {
    const local = this.#sources.local(service.name);
    const entry = this.#entry(service.name);
    const failure = local?.failure && reasonOf(local.failure);
    if (local?.service)
      this.#take(entry, sourceOf(service, local.service.sdl), local.service.execute, failure);
    else this.#setFailure(entry, failure);
  }

  /**
   * Makes the SDL the latest one, unless it is already. One that is not usable is the reason why there is no newer;
   * `failure` is one that there is all the same.
   */
  #take(entry: Entry, source: SubgraphSource, executor: Executor, failure?: Reason): void {
    const isNew = entry.latest?.hash !== subgraphHash(source);
    try {
      if (isNew) {
        entry.latest = buildSubgraph(source, executor);
        this.#listener.onSubgraph(entry.latest);
      }
    } catch (error) {
      this.#fail(entry, error);
      return;
    }
    this.#setFailure(entry, failure);
    if (isNew) this.#listener.onSchema();
  }

  #setFailure(entry: Entry, failure: Reason | undefined): void {
    const isNews = entry.failure?.message !== failure?.message;
    entry.failure = failure;
    if (isNews) this.#listener.onState(entry.name);
  }

  #fail(entry: Entry, error: unknown): void {
    const reason = reasonOf(error);
    if (entry.failure?.message !== reason.message) {
      this.#sources.log.warn({ service: entry.name, ...reason }, "no newer schema");
    }
    entry.failure = reason;
    this.#listener.onState(entry.name);
  }

  /** Asks nothing of the service any more; an answer that is still to come says nothing. */
  #stopAsking(entry: Entry): void {
    entry.stopRetry();
    entry.fetching = undefined;
  }

  /** The service offers no GraphQL of its own (any more). */
  #drop(entry: Entry): void {
    this.#stopAsking(entry);
    entry.failure = undefined;
    entry.kind = undefined;
    if (entry.latest) {
      entry.latest = undefined;
      this.#listener.onSchema();
    } else {
      this.#listener.onState(entry.name);
    }
  }

  /** Whether the service is the core itself, as far as its URL tells. */
  #isCore(service: Service): boolean {
    const { graphqlUrl } = newestInstance(service);
    return graphqlUrl !== null && this.#sources.ownDoor(graphqlUrl) === "core";
  }

  #rebuild({ name, executor }: Entry, source: Omit<SubgraphSource, "name">): Subgraph | undefined {
    try {
      return buildSubgraph({ ...source, name }, executor);
    } catch (error) {
      const reason = messageOf(error);
      this.#sources.log.warn({ service: name, reason }, "its last schema cannot be used again");
      return undefined;
    }
  }

  #fetch(entry: Entry): Promise<void> {
    entry.stopRetry();
    entry.again = false;
    this.#fetches += 1;
    const isCurrent = () => entry.fetching === mine && !this.#stopping.signal.aborted;
    const mine: Promise<void> = this.#limit(() => this.#fetchNow(entry, isCurrent)).finally(() => {
      this.#fetches -= 1;
      if (entry.fetching === mine) entry.fetching = undefined;
      this.#listener.onFetched();
    });
    entry.fetching = mine;
    return mine;
  }

  async #fetchNow(entry: Entry, isCurrent: () => boolean): Promise<void> {
    const service = this.#sources.service(entry.name);
    if (!service || !isCurrent()) return;
    const instance = newestInstance(service);
    if (instance.graphqlUrl === null) return;
    const signal = AbortSignal.any([AbortSignal.timeout(FETCH_DEADLINE_MS), this.#stopping.signal]);
    try {
      const { sdl, kind, door } = await recognise({
        url: instance.graphqlUrl,
        headers: { [HOPS_HEADER]: "1" },
        signal,
        kind: gatewaySettings(service.metadata).kind,
      });
      if (!isCurrent()) return;
      entry.kind = kind;
      const own = this.#sources.ownDoorOf(door);
      if (own === "gateway") throw leadsBack(instance.graphqlUrl);
      // Before the registry is told: its event must find what became of the service.
      entry.isAlias = own === "core";
      if (instance.health === "UNKNOWN") await this.#sources.recordFirstAnswer(entry.name, instance.origin);
      // The service may have been registered anew while that was written.
      if (!isCurrent()) return;
      if (entry.isAlias) this.#drop(entry);
      else this.#take(entry, sourceOf(service, sdl, kind), entry.executor);
    } catch (error) {
      if (isCurrent()) this.#fail(entry, error);
    }
    if (!isCurrent()) return;
    if (entry.failure) this.#retry(entry);
    else entry.attempts = 0;
  }

  /** With growing pauses; at once where the service came back during the fetch that failed. */
  #retry(entry: Entry): void {
    if (entry.again) return void this.#fetch(entry);
    const pause = Math.min(RETRY_FIRST_MS * 2 ** entry.attempts, RETRY_MOST_MS);
    entry.attempts = Math.min(entry.attempts + 1, 16);
    let isWanted = true;
    const cancel = this.#sources.clock.after(pause, () => {
      // Waiting for its turn it is no fetch under way: one that is asked for meanwhile takes its place.
      void this.#retries(async () => {
        if (isWanted) await this.#fetch(entry);
      });
    });
    entry.stopRetry = () => {
      isWanted = false;
      cancel();
    };
  }
}

function isHealthy({ health, leaseExpired }: Instance): boolean {
  return health === "HEALTHY" && !leaseExpired;
}

export function isGraphQL(service: Service): boolean {
  return newestInstance(service).graphqlUrl !== null;
}

function leadsBack(url: string): BobbinError {
  return new BobbinError("SELF_REFERENCE", `${url} leads back to this gateway (${DOOR_HEADER}).`);
}

function reasonOf(error: unknown): Reason {
  const { code, message, place, step } = toBobbinError(error);
  return { code, message, ...place, ...(step ? { step } : {}) };
}
