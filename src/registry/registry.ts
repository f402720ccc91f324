/**
 * The only writer of services: commits to the database, then updates its map in memory, then publishes events.
 * Knows nothing of doors, probes, plugins or composing.
 */
import type { Clock } from "../clock.ts";
import { BobbinError } from "../errors.ts";
import { EventLog, type SchemaChanges } from "../events.ts";
import type { DoorName } from "../http.ts";
import type { Log } from "../log.ts";
import { originOf } from "../unix-url.ts";
import { CommitQueue, unavailable } from "./commit-queue.ts";
import { Database, type DatabaseOptions, reasonOf } from "./database.ts";
import { Draft } from "./draft.ts";
import { embeddedPath } from "./embedded-path.ts";
import { LIMITS } from "./fields.ts";
import { hasEnded, Leases, leaseEnd, withFreshLeases } from "./leases.ts";
import { type Refused, registerLocal, replaceLocalSet } from "./local-set.ts";
import type { Registration } from "./registration.ts";
import * as registration from "./registration.ts";
import {
  goneOrigins,
  type Health,
  type Instance,
  type SchemaState,
  type Service,
  type Source,
} from "./service.ts";
import { withStatus } from "./status.ts";

export interface RegistryOptions {
  database: DatabaseOptions;
  /** Which door of this process a URL leads to. */
  ownDoor: (url: string) => DoorName | undefined;
  /** The folder of the unix sockets that services may listen on; without it they may on none. */
  unixSockets?: string | undefined;
  clock: Clock;
  log: Log;
}

/** What a probe showed of one instance. */
export interface HealthObservation {
  readonly service: string;
  readonly origin: string;
  readonly health: Health;
  /** The health that it follows from; where that holds no more, the observation says nothing. */
  readonly from?: Health;
  readonly reason: string | null;
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number;
}

const SWEEP_MS = 500;
const REOPEN_FIRST_MS = 500;
const REOPEN_MOST_MS = 30_000;

export class Registry implements AsyncDisposable {
  readonly events: EventLog;
  readonly #options: RegistryOptions;
  readonly #queue: CommitQueue;
  readonly #leases = new Leases();
  #services = new Map<string, Service>();
  #revision = 0;
  #database: Database | undefined;
  /** Services of which memory and database may differ: written with the next commit. */
  readonly #unwritten = new Set<string>();
  /** What this process serves itself, to be registered again when the database is read late. */
  readonly #local = new Map<Source, () => Promise<void>>();
  #stopReopening = () => {};
  #stopSweeping = () => {};
  #closed = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.events = new EventLog(0, (err) => options.log.error({ err }, "a follower of the registry failed"));
    this.#queue = new CommitQueue(
      {
        draft: () => new Draft(this.#services, this.#revision, this.#now()),
        commit: (draft) => this.#commit(draft),
        apply: (draft, written) => this.#apply(draft, written),
        now: () => this.#now(),
      },
      options.log,
    );
  }

  /**
   * Opens the database. Where that fails the registry starts with `fallback`, refuses writes with
   * REGISTRY_UNAVAILABLE and keeps trying; events then say what is there.
   */
  async start(fallback: () => readonly Service[]): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#options.log.error(
        { reason: reasonOf(error) },
        "the registry cannot be read; starting from the last composed set",
      );
      this.#setServices(fallback());
      this.#reopenLater(REOPEN_FIRST_MS);
    }
    this.#sweep();
  }

  /** Whether the database has been read. */
  get available(): boolean {
    return this.#database !== undefined;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Every service, the earliest registered first. */
  list(): readonly Service[] {
    return [...this.#services.values()];
  }

  get(name: string): Service | undefined {
    return this.#services.get(name);
  }

  /** Adds a service or an instance, or renews what is known. Durable when it returns. */
  register(input: Registration): Promise<{ service: Service; created: boolean }> {
    return this.#queue.enqueue("WRITE", (draft) => {
      const current = draft.get(input.name);
      if (current && current.source !== input.source) throw registration.nameTaken(current);
      const registered = registration.register(current, input, this.#now());
      registration.checkSockets(registered, current, this.#options.unixSockets);
      const service = registration.recogniseOwn(registered, current, this.#options.ownDoor);
      if (!current && draft.size >= LIMITS.services) {
        throw new BobbinError("LIMIT_REACHED", `There are ${draft.size} services, the most there may be.`);
      }
      this.#leases.forget(service.name, originOf(input.url));
      return { service: draft.put(service, "REGISTERED", "registration"), created: current === undefined };
    });
  }

  /**
   * Copies an embedded database, with all that was answered by now, to a new file beside it. Returns its path; whoever
   * asked removes it. Throws CONFLICT for a remote database.
   */
  async backUp(): Promise<string> {
    const path = embeddedPath(this.#options.database.url);
    if (path === undefined)
      throw new BobbinError(
        "CONFLICT",
        "The registry is in a remote database, of which there is no file to copy.",
      );
    if (!this.#database) throw notRead();
    const copy = `${path}.backup-${crypto.randomUUID()}`;
    await this.#database.copyTo(copy);
    return copy;
  }

  /** Removes a service, or the one instance at `url`. Returns what was removed. */
  unregister(name: string, url?: string): Promise<Service> {
    return this.#queue.enqueue("WRITE", (draft) => {
      const current = required(draft, name);
      if (current.source !== "REMOTE") throw registration.nameTaken(current);
      if (url === undefined) {
        draft.remove(name, "unregistered");
        return current;
      }
      const instance = registration.findInstance(current, url);
      const rest = registration.removeInstance(current, url, this.#now());
      if (rest) draft.put(rest, "UPDATED", `instance ${instance.origin} unregistered`);
      else draft.remove(name, "last instance unregistered");
      return { ...current, instances: [instance] };
    });
  }

  update(name: string, change: registration.Update): Promise<Service> {
    return this.#queue.enqueue("WRITE", (draft) => {
      const current = required(draft, name);
      const changed = registration.update(current, change, this.#now());
      registration.checkSockets(changed, current, this.#options.unixSockets);
      const isRemote = current.source === "REMOTE";
      const recognised = isRemote
        ? registration.recogniseOwn(changed, current, this.#options.ownDoor)
        : changed;
      return draft.put(recognised, "UPDATED", "update");
    });
  }

  /**
   * Renews the lease of the instance at `url`, if it has one, and takes what it says of its readiness, if anything.
   * Holds while the database is away: a lease must not run out because it cannot be written.
   */
  heartbeat(name: string, url: string, ready?: boolean): Promise<Service> {
    return this.#queue.enqueue("RENEWAL", (draft) => {
      if (!this.#database) throw notRead();
      const service = required(draft, name);
      if (service.source !== "REMOTE") throw registration.nameTaken(service);
      const instance = registration.findInstance(service, url);
      const unready = ready === undefined ? instance.unready : !ready;
      if (unready !== instance.unready) {
        const cause = unready ? "an instance says that it is not ready" : "an instance says that it is ready";
        return draft.observe(withInstance(service, renewed({ ...instance, unready }, this.#now())), cause);
      }
      if (instance.ttlSeconds === null) return service;
      const isDue = this.#leases.renew(name, instance, this.#now());
      const changed = withInstance(service, renewed(instance, this.#now()));
      return isDue ? draft.observe(changed, "lease renewed") : draft.remember(changed);
    });
  }

  /** Takes the health of an instance. Only a transition is written. */
  recordHealth({ service, origin, health, from, reason, at }: HealthObservation): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", (draft) => {
      const current = draft.get(service);
      const known = current?.instances.find((instance) => instance.origin === origin);
      if (!current || !known || (from !== undefined && known.health !== from)) return;
      const seen = { ...known, health, healthReason: reason, lastHealthCheck: at };
      draft.observe(withInstance(current, seen), reason ?? "healthy");
    });
  }

  /** Takes what the composer made of a service's schema; `changes`: what that is for clients, for the event. */
  recordSchema(name: string, schema: SchemaState, changes?: SchemaChanges): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", (draft) => {
      const current = draft.get(name);
      if (!current || JSON.stringify(current.schema) === JSON.stringify(schema)) return;
      const breaking = changes?.breaking ? `, ${changes.breaking} breaking` : "";
      const cause = schema.message ?? `schema changed${breaking}`;
      const stored = draft.put(withStatus({ ...current, schema }), "SCHEMA", cause, changes);
      if (stored.status !== current.status) draft.put(stored, "STATUS", cause);
    });
  }

  /**
   * Replaces, as one set, what a process serves itself: services of `source` that `node` owns and that are not
   * among `registrations` are gone. Without `node` (an embedded registry has one process) it is all of `source`.
   * Calls `onRefused` for each that is refused, alone; also later, when the database is read late.
   */
  async replaceLocal(
    source: Source,
    node: string | undefined,
    registrations: () => readonly Registration[],
    onRefused: (refused: Refused) => void,
  ): Promise<void> {
    const replace = async () => {
      const refused = await this.#queue.enqueue("OBSERVATION", (draft) =>
        replaceLocalSet(draft, source, node, registrations(), this.#now()),
      );
      for (const each of refused) onRefused(each);
    };
    this.#local.set(source, replace);
    await replace();
  }

  /** Adds one service that this process serves itself, or renews it. Throws NAME_TAKEN. */
  registerLocal(input: Registration): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", (draft) => registerLocal(draft, input, this.#now()));
  }

  /** Removes one service that this process served itself. */
  removeLocal(name: string): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", (draft) => {
      const current = draft.get(name);
      if (current && current.source !== "REMOTE") draft.remove(name, "no longer served by this process");
    });
  }

  /** Resolves when all that it was told by now is in force. */
  settled(): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stopReopening();
    this.#stopSweeping();
    await this.#queue.close();
    await this.#database?.[Symbol.asyncDispose]();
    this.#database = undefined;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  async #commit(draft: Draft): Promise<boolean> {
    if (draft.durable.size === 0 && this.#unwritten.size === 0) return false;
    if (!this.#database) throw notRead();
    const names = new Set([...draft.durable, ...this.#unwritten]);
    const services = [...names].map((name) => [name, draft.get(name)] as const);
    try {
      await this.#database.commit({
        put: services.flatMap(([, service]) => service ?? []),
        removed: services.flatMap(([name, service]) => (service ? [] : name)),
        revision: draft.revision,
      });
    } catch (error) {
      // It may have taken effect although its answer is missing: the next commit makes good what memory does not have.
      for (const name of draft.durable) this.#unwritten.add(name);
      throw error;
    }
    return true;
  }

  #apply(draft: Draft, written: boolean): void {
    if (written) this.#unwritten.clear();
    if (!written) for (const name of draft.durable) this.#unwritten.add(name);
    for (const [name, service] of draft.changed) {
      const before = this.#services.get(name);
      for (const origin of goneOrigins(before?.instances ?? [], service?.instances ?? []))
        this.#leases.forget(name, origin);
      // One that was removed and registered anew goes to the end of the line.
      if (before?.createdRevision !== service?.createdRevision) this.#services.delete(name);
      if (service) this.#services.set(name, service);
    }
    this.#revision = draft.revision;
    this.events.publish(draft.events);
  }

  async #open(): Promise<void> {
    const database = await Database.open(this.#options.database);
    try {
      const { services, revision } = await database.load();
      if (this.#closed) throw unavailable("bobbin is stopping");
      this.#database = database;
      this.#replaceAll(services, revision);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Takes over what the database has, and says of every service that was or is there that it may have changed. */
  #replaceAll(services: readonly Service[], revision: number): void {
    const before = this.#services;
    this.#setServices(services);
    // What this process serves itself stays meanwhile; it is registered anew right after.
    for (const [name, service] of before) {
      if (service.source !== "REMOTE" && !this.#services.has(name)) this.#services.set(name, service);
    }
    this.#revision = Math.max(revision, this.#revision);
    this.#unwritten.clear();
    // What is not taken over goes out of the database with the next commit.
    for (const { name, instances } of services) {
      if (this.#services.get(name)?.instances.length !== instances.length) this.#unwritten.add(name);
    }
    this.events.restart(this.#revision);
    const names = new Set([...before.keys(), ...this.#services.keys()]);
    const cause = "the registry was read";
    this.events.publish(
      [...names].map((service) => {
        const type = this.#services.has(service) ? "UPDATED" : "REMOVED";
        return { index: this.#revision, type, service, at: this.#now(), cause } as const;
      }),
    );
  }

  #setServices(services: readonly Service[]): void {
    const now = this.#now();
    const allowed = services.flatMap(
      (service) => registration.withoutForeignSockets(service, this.#options.unixSockets) ?? [],
    );
    this.#services = new Map(allowed.map((service) => [service.name, withFreshLeases(service, now)]));
  }

  #reopenLater(delayMs: number): void {
    this.#stopReopening = this.#options.clock.after(delayMs, async () => {
      try {
        await this.#open();
        this.#options.log.info("the registry is back");
        for (const replace of this.#local.values()) await replace();
      } catch (error) {
        if (this.#closed) return;
        this.#options.log.warn({ reason: reasonOf(error) }, "the registry still cannot be read");
        this.#reopenLater(Math.min(delayMs * 2, REOPEN_MOST_MS));
      }
    });
  }

  /** Ends the leases that ran out; none does before the database is read, because none can be renewed until then. */
  #sweep(): void {
    const now = this.#now();
    for (const { name, instances } of this.#database ? this.#services.values() : []) {
      for (const instance of instances) {
        if (hasEnded(instance, now)) void this.#endLease(name, instance.origin);
      }
    }
    this.#stopSweeping = this.#options.clock.after(SWEEP_MS, () => this.#sweep());
  }

  #endLease(name: string, origin: string): Promise<void> {
    return this.#queue.enqueue("OBSERVATION", (draft) => {
      const current = draft.get(name);
      const instance = current?.instances.find((each) => each.origin === origin);
      if (!current || !instance || !hasEnded(instance, this.#now())) return;
      this.#leases.forget(name, origin);
      draft.observe(withInstance(current, { ...instance, leaseExpired: true }), "lease ran out");
    });
  }
}

function notRead(): BobbinError {
  return unavailable("the registry's database was not read yet");
}

function required(draft: Draft, name: string): Service {
  const service = draft.get(name);
  if (!service) throw registration.notFound(name);
  return service;
}

function renewed(instance: Instance, now: number): Instance {
  return { ...instance, leaseUntil: leaseEnd(instance, now), leaseExpired: false };
}

function withInstance(service: Service, instance: Instance): Service {
  const instances = service.instances.map((each) => (each.origin === instance.origin ? instance : each));
  return withStatus({ ...service, instances });
}
