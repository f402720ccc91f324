/**
 * What the doors may ask of the parts behind them, which the composition root supplies, and how they read what they are
 * asked.
 */
import type { EventLog } from "../events.ts";
import { notFound, type Registration, type Update } from "../registry/registration.ts";
import type { Service } from "../registry/service.ts";

export interface Operations {
  /** Every service, the earliest registered first. */
  services: () => readonly Service[];
  service: (name: string) => Service | undefined;
  register: (registration: Registration) => Promise<{ service: Service; created: boolean }>;
  unregister: (name: string, url?: string) => Promise<Service>;
  update: (name: string, change: Update) => Promise<Service>;
  heartbeat: (name: string, url: string, ready?: boolean) => Promise<Service>;
  /** Probes every service now. */
  checkAll: () => Promise<void>;
  /** Copies the registry's database to a new file, and returns its path. */
  backUp: () => Promise<string>;
  events: EventLog;
}

/** The service of this name, or SERVICE_NOT_FOUND. */
export function find(operations: Operations, name: string): Service {
  const service = operations.service(name);
  if (!service) throw notFound(name);
  return service;
}

type Present<T> = { [K in keyof T]: K extends "ttl" ? T[K] : Exclude<T[K], null> };

/** A body as both doors read it: null stands for "not named", but of `ttl` for the end of the lease. */
export function present<T extends object>(body: T): Present<T> {
  return Object.fromEntries(
    Object.entries(body).filter(([key, value]) => value !== null || key === "ttl"),
  ) as Present<T>;
}
