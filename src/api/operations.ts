/**
 * What the doors may ask of the parts behind them. The composition root supplies it.
 */
import type { EventLog } from "../events.ts";
import type { Registration, Update } from "../registry/registration.ts";
import type { Service } from "../registry/service.ts";

export interface Operations {
  /** Every service, the earliest registered first. */
  services: () => readonly Service[];
  service: (name: string) => Service | undefined;
  register: (registration: Registration) => Promise<{ service: Service; created: boolean }>;
  unregister: (name: string, url?: string) => Promise<Service>;
  update: (name: string, change: Update) => Promise<Service>;
  heartbeat: (name: string, url: string) => Promise<Service>;
  /** Probes every service now. */
  checkAll: () => Promise<void>;
  events: EventLog;
}
