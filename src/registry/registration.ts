/**
 * What a registration or an update means: lays it over the service that is there. Pure.
 * Knows the noun and the codes; neither the doors that it comes through nor where the result is kept.
 */
import { BobbinError } from "../errors.ts";
import type { DoorName } from "../http.ts";
import { originOf, socketOf } from "../unix-url.ts";
import { checkFields, checkName, checkUrl, type Fields, invalid, LIMITS, resolveEndpoint } from "./fields.ts";
import { endpoints } from "./metadata.ts";
import { type Door, type Health, type Instance, NO_SCHEMA, type Service, type Source } from "./service.ts";
import { withStatus } from "./status.ts";

export interface Registration extends Fields {
  readonly name: string;
  readonly url: string;
  readonly door: Door;
  readonly source: Source;
  /** Length of the lease in seconds; null: it has none from now on. */
  readonly ttl?: number | null | undefined;
  /** False: it wants no requests before it says otherwise. */
  readonly ready?: boolean | undefined;
  /** The process that owns the instance, for plugins and the core. */
  readonly node?: string | undefined;
  /** What is known of the instance's health without a probe, because it is this process. */
  readonly health?: Health | undefined;
  readonly healthReason?: string | undefined;
}

export interface Update extends Fields {
  readonly url?: string | undefined;
  readonly status?: string | undefined;
}

/** The service after `registration`: a new one, or `current` with what the registration names replaced. */
export function register(current: Service | undefined, registration: Registration, now: number): Service {
  checkName(registration.name);
  checkUrl("url", registration.url);
  checkFields(registration);
  const { ttl } = registration;
  if (typeof ttl === "number" && !(Number.isInteger(ttl) && ttl >= 1 && ttl <= LIMITS.ttlSeconds)) {
    throw invalid("ttl", `must be a whole number of seconds from 1 to ${LIMITS.ttlSeconds}`);
  }
  const base = current ?? newService(registration, now);
  const named = withFields(base, withMetadataDefaults(registration));
  const instances = withInstance(named, registration, now);
  if (instances.length > LIMITS.instances) {
    throw new BobbinError(
      "LIMIT_REACHED",
      `${registration.name} has ${LIMITS.instances} instances, the most there may be.`,
    );
  }
  return withStatus({ ...named, instances, updatedAt: now });
}

/** The service after `update`. A plugin or the core takes a change of maintenance only. */
export function update(current: Service, change: Update, now: number): Service {
  const { status, url, ...fields } = change;
  const names = Object.values({ ...fields, url }).some((value) => value !== undefined);
  if (current.source !== "REMOTE" && names) throw nameTaken(current);
  if (status !== undefined && status !== "MAINTENANCE" && status !== "ACTIVE") {
    throw invalid("status", `takes only MAINTENANCE and ACTIVE; ${status} follows from the service's health`);
  }
  checkFields(fields);
  if (url !== undefined) checkUrl("url", url);
  if (url !== undefined && current.instances.length > 1) {
    throw new BobbinError(
      "CONFLICT",
      `${current.name} has ${current.instances.length} instances: register or unregister the one you mean by its URL.`,
    );
  }
  const named = withFields(current, withMetadataDefaults(fields));
  const moved = named.instances.map((instance) =>
    relocated(named, instance, url ?? instance.url, fields, now),
  );
  const maintenance = status === undefined ? current.maintenance : status === "MAINTENANCE";
  return withStatus({ ...named, instances: moved, maintenance, updatedAt: now });
}

/**
 * What is known of URLs that lead to this process: an instance that is the core is well, one that is the gateway is
 * refused with SELF_REFERENCE. Those that `before` had already were looked at then.
 */
export function recogniseOwn(
  service: Service,
  before: Service | undefined,
  ownDoor: (url: string) => DoorName | undefined,
): Service {
  const instances = service.instances.map((instance, i) => {
    if (instance === before?.instances[i]) return instance;
    const doors = [instance.url, instance.graphqlUrl ?? instance.url].map(ownDoor);
    if (doors.includes("gateway")) {
      throw new BobbinError(
        "SELF_REFERENCE",
        `${instance.graphqlUrl ?? instance.url} leads to this gateway itself.`,
      );
    }
    const isCore = doors[1] === "core" && instance.health === "UNKNOWN";
    return isCore ? { ...instance, health: "HEALTHY" as const } : instance;
  });
  return withStatus({ ...service, instances });
}

/** Throws INVALID_INPUT where an instance that `before` has not leads to a unix socket that is not below `folder`. */
export function checkSockets(
  service: Service,
  before: Service | undefined,
  folder: string | undefined,
): void {
  for (const [i, instance] of service.instances.entries()) {
    const socket = instance === before?.instances[i] ? undefined : foreignSocket(instance, folder);
    if (!socket) continue;
    const allowed =
      folder === undefined ? "UNIX_SOCKETS names no folder" : `UNIX_SOCKETS allows those in ${folder}`;
    throw invalid("url", `leads to the unix socket ${socket}, which is not allowed: ${allowed}`);
  }
}

/** The service without instances that lead to such a socket; undefined where no other is left. */
export function withoutForeignSockets(service: Service, folder: string | undefined): Service | undefined {
  const instances = service.instances.filter((instance) => !foreignSocket(instance, folder));
  if (instances.length === service.instances.length) return service;
  return instances.length > 0 ? withStatus({ ...service, instances }) : undefined;
}

/** Any process of this machine may listen on a socket, and some of them obey whoever can speak to them. */
function foreignSocket(instance: Instance, folder: string | undefined): string | undefined {
  const sockets = [instance.url, instance.graphqlUrl, instance.healthUrl].map((url) => url && socketOf(url));
  return sockets.find((path) => path && !(folder && path.startsWith(`${folder}/`))) || undefined;
}

/** The service without the instance at `url`; undefined when that was its last one. */
export function removeInstance(current: Service, url: string, now: number): Service | undefined {
  const gone = findInstance(current, url);
  const instances = current.instances.filter((instance) => instance !== gone);
  return instances.length > 0 ? withStatus({ ...current, instances, updatedAt: now }) : undefined;
}

/** The instance at the scheme, host and port of `url`, or INSTANCE_NOT_FOUND. */
export function findInstance(service: Service, url: string): Instance {
  const origin = originOf(checkUrl("url", url).href);
  const found = service.instances.find((instance) => instance.origin === origin);
  if (!found) throw new BobbinError("INSTANCE_NOT_FOUND", `${service.name} has no instance at ${origin}.`);
  return found;
}

export function notFound(name: string): BobbinError {
  return new BobbinError("SERVICE_NOT_FOUND", `No service is named ${JSON.stringify(name.slice(0, 100))}.`);
}

export function nameTaken(owner: Service): BobbinError {
  const kind = { CORE: "the core", PLUGIN: "a plugin", REMOTE: "a remote service" }[owner.source];
  return new BobbinError("NAME_TAKEN", `The name ${owner.name} belongs to ${kind}.`);
}

/** `version` and `healthCheck` as the metadata gives them, where the registration itself does not. */
function withMetadataDefaults(fields: Fields): Fields {
  const { metadata } = fields;
  if (!metadata) return fields;
  return {
    ...fields,
    version: fields.version ?? (typeof metadata.version === "string" ? metadata.version : undefined),
    healthCheck: fields.healthCheck ?? endpoints(metadata).health,
  };
}

function newService({ name, source }: Registration, now: number): Service {
  return {
    id: crypto.randomUUID(),
    name,
    displayName: null,
    description: null,
    version: null,
    healthCheck: null,
    metadata: {},
    dependencies: [],
    tags: [],
    isRequired: false,
    source,
    maintenance: false,
    everHealthy: false,
    schema: NO_SCHEMA,
    instances: [],
    status: "INACTIVE",
    statusReason: null,
    createdAt: now,
    updatedAt: now,
    createdRevision: 0,
    revision: 0,
  };
}

function withFields(service: Service, fields: Fields): Service {
  return {
    ...service,
    displayName: fields.displayName ?? service.displayName,
    description: fields.description ?? service.description,
    version: fields.version ?? service.version,
    healthCheck: fields.healthCheck ?? service.healthCheck,
    metadata: fields.metadata ?? service.metadata,
    dependencies: fields.dependencies ?? service.dependencies,
    tags: fields.tags ?? service.tags,
    isRequired: fields.isRequired ?? service.isRequired,
  };
}

/** The service's instances with the registered one added, or replaced where its origin is known: its health is kept. */
function withInstance(service: Service, registration: Registration, now: number): Instance[] {
  const { url, door, ttl, node } = registration;
  const origin = originOf(url);
  const known = service.instances.find((instance) => instance.origin === origin);
  const ttlSeconds = ttl === undefined ? (known?.ttlSeconds ?? null) : ttl;
  const instance: Instance = {
    url,
    origin,
    door,
    graphqlUrl: graphqlUrlOf(service, url, door),
    healthUrl: healthUrlOf(service, url),
    health: registration.health ?? known?.health ?? "UNKNOWN",
    healthReason: registration.health ? null : (registration.healthReason ?? known?.healthReason ?? null),
    lastHealthCheck: known?.lastHealthCheck ?? null,
    ttlSeconds,
    leaseUntil: ttlSeconds === null ? null : now + ttlSeconds * 1000,
    leaseExpired: false,
    unready: registration.ready === false,
    node: node ?? null,
    registeredAt: now,
  };
  return known
    ? service.instances.map((each) => (each === known ? instance : each))
    : [...service.instances, instance];
}

/** An instance after an update: at another URL it is another instance, whose health is not known yet. */
function relocated(service: Service, instance: Instance, url: string, fields: Fields, now: number): Instance {
  const origin = originOf(url);
  const moved = origin !== instance.origin;
  const paths =
    moved || url !== instance.url || fields.metadata !== undefined || fields.healthCheck !== undefined;
  if (!paths) return instance;
  return {
    ...instance,
    url,
    origin,
    graphqlUrl: graphqlUrlOf(service, url, instance.door),
    healthUrl: healthUrlOf(service, url),
    ...(moved ? { health: "UNKNOWN", healthReason: null, lastHealthCheck: null, registeredAt: now } : {}),
  };
}

function graphqlUrlOf(service: Service, url: string, door: Door): string | null {
  if (door !== "REST") return url;
  const { graphql } = endpoints(service.metadata);
  return graphql ? resolveEndpoint("metadata.endpoints.graphql", graphql, url) : null;
}

function healthUrlOf(service: Service, url: string): string | null {
  return service.healthCheck ? resolveEndpoint("healthCheck", service.healthCheck, url) : null;
}
