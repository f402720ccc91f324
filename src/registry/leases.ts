/**
 * The leases of instances: renewals are kept in memory, and are written at most once per third of a lease.
 * Knows times only; the registry writes.
 */
import type { Instance, Service } from "./service.ts";

export class Leases {
  /** Service and origin → the end that is written, where the one in memory is later. */
  readonly #written = new Map<string, number>();

  /** Notes a renewal. True when it has to be written, false when keeping it in memory is enough. */
  renew(service: string, instance: Instance, now: number): boolean {
    const lengthMs = (instance.ttlSeconds ?? 0) * 1000;
    const writtenUntil = this.#written.get(key(service, instance.origin)) ?? instance.leaseUntil ?? 0;
    const isDue = instance.leaseExpired || now + lengthMs - writtenUntil >= lengthMs / 3;
    if (isDue) this.forget(service, instance.origin);
    else this.#written.set(key(service, instance.origin), writtenUntil);
    return isDue;
  }

  /** What is in memory is written with the instance, or the instance is gone. */
  forget(service: string, origin: string): void {
    this.#written.delete(key(service, origin));
  }
}

export function hasEnded({ leaseUntil, leaseExpired }: Instance, now: number): boolean {
  return leaseUntil !== null && !leaseExpired && leaseUntil <= now;
}

/** Gives every lease that had not run out its whole length from `now`: nobody could renew while this process was away. */
export function withFreshLeases(service: Service, now: number): Service {
  const instances = service.instances.map((instance) =>
    instance.ttlSeconds === null || instance.leaseExpired
      ? instance
      : { ...instance, leaseUntil: leaseEnd(instance, now) },
  );
  return { ...service, instances };
}

export function leaseEnd({ ttlSeconds }: Pick<Instance, "ttlSeconds">, now: number): number | null {
  return ttlSeconds === null ? null : now + ttlSeconds * 1000;
}

const key = (service: string, origin: string): string => `${service} ${origin}`;
