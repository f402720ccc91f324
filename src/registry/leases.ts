/**
 * The leases of instances: renewals are kept here, in memory, and are written at most once per third of a lease.
 * Knows times only; the registry writes.
 */
import type { Instance, Service } from "./service.ts";

export class Leases {
  /** Service and origin → until when, for renewals that are not written. */
  readonly #renewed = new Map<string, number>();

  /** Notes a renewal. True when it has to be written, false when remembering it is enough. */
  renew(service: string, instance: Instance, now: number): boolean {
    const lengthMs = (instance.ttlSeconds ?? 0) * 1000;
    const until = now + lengthMs;
    const writtenUntil = instance.leaseUntil ?? 0;
    if (instance.leaseExpired || until - writtenUntil >= lengthMs / 3) return true;
    this.#renewed.set(key(service, instance.origin), until);
    return false;
  }

  /** Forgets a renewal, because a later end is written or the instance is gone. */
  forget(service: string, origin: string): void {
    this.#renewed.delete(key(service, origin));
  }

  hasEnded(service: string, instance: Instance, now: number): boolean {
    if (instance.leaseUntil === null || instance.leaseExpired) return false;
    return Math.max(instance.leaseUntil, this.#renewed.get(key(service, instance.origin)) ?? 0) <= now;
  }
}

/** Gives every lease its whole length from `now`: nobody could renew while this process was away. */
export function withFreshLeases(service: Service, now: number): Service {
  const instances = service.instances.map((instance) =>
    instance.ttlSeconds === null
      ? instance
      : { ...instance, leaseUntil: leaseEnd(instance, now), leaseExpired: false },
  );
  return { ...service, instances };
}

export function leaseEnd({ ttlSeconds }: Pick<Instance, "ttlSeconds">, now: number): number | null {
  return ttlSeconds === null ? null : now + ttlSeconds * 1000;
}

const key = (service: string, origin: string): string => `${service} ${origin}`;
