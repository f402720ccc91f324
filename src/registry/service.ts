/**
 * The shared noun: a service, its instances, and what follows from them. Plain immutable data and pure functions.
 * Imports nothing, so that every other part may know it.
 */

export type Source = "REMOTE" | "PLUGIN" | "CORE";

export type Status = "ACTIVE" | "DEGRADED" | "ERROR" | "INACTIVE" | "MAINTENANCE";

/**
 * How an instance is. UNKNOWN: never yet healthy. FAILING: healthy so far, but its latest probes failed, fewer
 * times than the limit. UNHEALTHY: failed as often as the limit allows.
 */
export type Health = "UNKNOWN" | "HEALTHY" | "FAILING" | "UNHEALTHY";

/** Over which door an instance was registered; decides how its `url` is read. */
export type Door = "GRAPHQL" | "REST" | "LOCAL";

/** One running copy of a service. Times are milliseconds since the epoch. */
export interface Instance {
  /** Letter for letter as registered. */
  readonly url: string;
  /** Scheme, host and port of `url`: what makes two registrations the same instance. */
  readonly origin: string;
  readonly door: Door;
  /** Where GraphQL is sent; null where the instance offers none. */
  readonly graphqlUrl: string | null;
  /** What a probe asks; null: the GraphQL endpoint, or else `url`. */
  readonly healthUrl: string | null;
  readonly health: Health;
  /** Why it is not healthy, in words. */
  readonly healthReason: string | null;
  readonly lastHealthCheck: number | null;
  readonly ttlSeconds: number | null;
  /** When its lease runs out; null where it has none. */
  readonly leaseUntil: number | null;
  readonly leaseExpired: boolean;
  /** It said of itself that it wants no requests at the moment. */
  readonly unready: boolean;
  /** The process that owns it, for instances of plugins and of the core. */
  readonly node: string | null;
  readonly registeredAt: number;
}

/** What the composer made of a service's schema. CURRENT serves; PREVIOUS: an older one serves; REJECTED: none. */
export interface SchemaState {
  readonly state: "NONE" | "CURRENT" | "PREVIOUS" | "REJECTED";
  readonly code: string | null;
  readonly message: string | null;
  /** Identifies the SDL that was seen last. */
  readonly hash: string | null;
}

export interface Service {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly description: string | null;
  readonly version: string | null;
  /** As registered: a path or a URL. */
  readonly healthCheck: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly dependencies: readonly string[];
  readonly tags: readonly string[];
  readonly isRequired: boolean;
  readonly source: Source;
  readonly maintenance: boolean;
  /** Whether any instance was ever healthy. */
  readonly everHealthy: boolean;
  readonly schema: SchemaState;
  /** In the order of their first registration; never empty. */
  readonly instances: readonly Instance[];
  readonly status: Status;
  /** Why the status is what it is, in words; null while there is nothing to say. */
  readonly statusReason: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The registry's revision when the service was first registered: who came first. */
  readonly createdRevision: number;
  /** The registry's revision of the last change. */
  readonly revision: number;
}

export const NO_SCHEMA: SchemaState = { state: "NONE", code: null, message: null, hash: null };

export const NAME_RULE = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/;

/** Whether an instance may be sent requests. */
export function isServing(instance: Instance): boolean {
  const isWell = instance.health === "HEALTHY" || instance.health === "FAILING";
  return isWell && !instance.leaseExpired && !instance.unready;
}

/** The instance that requests go to: the first healthy one, a failing one where there is none, or undefined. */
export function servingInstance({ instances }: Pick<Service, "instances">): Instance | undefined {
  return (
    instances.find((instance) => instance.health === "HEALTHY" && isServing(instance)) ??
    instances.find(isServing)
  );
}

/** The instance that speaks for the service: its first healthy one, else its first. */
export function leadingInstance(service: Service): Instance {
  const leading = servingInstance(service) ?? service.instances[0];
  if (!leading) throw new Error(`service ${service.name} has no instance`);
  return leading;
}

/** The instance whose schema counts: the newest healthy one, else the newest. */
export function newestInstance(service: Service): Instance {
  return service.instances.reduce((newest, next) => {
    if (isServing(next) !== isServing(newest)) return isServing(next) ? next : newest;
    return next.registeredAt >= newest.registeredAt ? next : newest;
  });
}

/** The origins of the instances `before` that are not among those `after`: mostly each is where it was. */
export function goneOrigins(before: readonly Instance[], after: readonly Instance[]): string[] {
  const moved = before.filter(({ origin }, i) => after[i]?.origin !== origin);
  if (moved.length === 0) return [];
  const present = new Set(after.map(({ origin }) => origin));
  return moved.map(({ origin }) => origin).filter((origin) => !present.has(origin));
}

/** Whether the gateway sends requests to a service in this status. */
export function getsRequests(status: Status): boolean {
  return status === "ACTIVE" || status === "DEGRADED";
}
