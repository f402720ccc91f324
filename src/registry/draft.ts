/**
 * What one group of commands changes, laid over services that it leaves as they are, so that a group can be dropped
 * whole. Knows what is durable and what is an event; neither who commits nor why something changes.
 */
import type { EventType, RegistryEvent, SchemaChanges } from "../events.ts";
import type { Service } from "./service.ts";

export class Draft {
  /** Name → the service as changed, or undefined where it was removed. */
  readonly changed = new Map<string, Service | undefined>();
  /** The names whose change has to be written. */
  readonly durable = new Set<string>();
  readonly events: RegistryEvent[] = [];
  revision: number;
  size: number;
  readonly #base: ReadonlyMap<string, Service>;
  readonly #now: number;

  constructor(base: ReadonlyMap<string, Service>, revision: number, now: number) {
    this.#base = base;
    this.#now = now;
    this.revision = revision;
    this.size = base.size;
  }

  get(name: string): Service | undefined {
    return this.changed.has(name) ? this.changed.get(name) : this.#base.get(name);
  }

  names(): Iterable<string> {
    return new Set([...this.#base.keys(), ...this.changed.keys()]);
  }

  /** Stores the service under the next revision. Returns it as stored. */
  put(service: Service, type: EventType, cause: string, changes?: SchemaChanges): Service {
    const before = this.get(service.name);
    if (!before) this.size += 1;
    const revision = this.#record(service.name, type, cause, changes);
    const stored = { ...service, revision, createdRevision: before?.createdRevision ?? revision };
    this.changed.set(service.name, stored);
    return stored;
  }

  /** Stores what is kept in memory only. */
  remember(service: Service): Service {
    this.changed.set(service.name, service);
    return service;
  }

  /**
   * Stores what was observed. A transition is an event; a renewed lease is only written; the time of the last probe
   * is only remembered.
   */
  observe(service: Service, cause: string): Service {
    const before = this.get(service.name);
    if (!before || isTransition(before, service)) return this.put(service, "STATUS", cause);
    if (isRenewal(before, service)) this.durable.add(service.name);
    return this.remember(service);
  }

  remove(name: string, cause: string): void {
    if (!this.get(name)) return;
    this.size -= 1;
    this.#record(name, "REMOVED", cause);
    this.changed.set(name, undefined);
  }

  #record(service: string, type: EventType, cause: string, changes?: SchemaChanges): number {
    this.revision += 1;
    this.durable.add(service);
    const event = { index: this.revision, type, service, at: this.#now, cause };
    this.events.push(changes ? { ...event, changes } : event);
    return this.revision;
  }
}

function isTransition(before: Service, after: Service): boolean {
  if (before.status !== after.status || before.statusReason !== after.statusReason) return true;
  return before.instances.some(({ health, leaseExpired, unready }, i) => {
    const other = after.instances[i];
    return health !== other?.health || leaseExpired !== other.leaseExpired || unready !== other.unready;
  });
}

function isRenewal(before: Service, after: Service): boolean {
  return before.instances.some(({ leaseUntil }, i) => leaseUntil !== after.instances[i]?.leaseUntil);
}
