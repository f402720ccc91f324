/**
 * Says in the log what happened in the registry: who came and went, and whose status changed, with the reason.
 * Knows events and services; decides nothing.
 */
import type { RegistryEvent } from "./events.ts";
import type { Log } from "./log.ts";
import { getsRequests, type Service, type Status } from "./registry/service.ts";

export class Journal {
  readonly #log: Log;
  readonly #service: (name: string) => Service | undefined;
  /** The status that was logged last, for each service that is there. */
  readonly #statuses = new Map<string, Status>();

  /** Begins with what is there: nothing is said of that. */
  constructor(log: Log, services: readonly Service[], service: (name: string) => Service | undefined) {
    this.#log = log;
    this.#service = service;
    for (const { name, status } of services) this.#statuses.set(name, status);
  }

  onEvents(events: readonly RegistryEvent[]): void {
    for (const { type, service: name, cause } of events) {
      const service = this.#service(name);
      if (type === "REMOVED") this.#log.info({ service: name, cause }, "service removed");
      if (!service) this.#statuses.delete(name);
      else this.#follow(service);
    }
  }

  #follow({ name, status, statusReason: reason, source, instances }: Service): void {
    const before = this.#statuses.get(name);
    if (before === status) return;
    this.#statuses.set(name, status);
    if (before === undefined) {
      this.#log.info({ service: name, source, status, url: instances[0]?.url }, "service registered");
      return;
    }
    const level = getsRequests(status) || status === "MAINTENANCE" ? "info" : "warn";
    this.#log[level]({ service: name, status, before, reason }, "status changed");
  }
}
