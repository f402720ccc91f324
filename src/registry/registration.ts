/**
 * What a registration or an update means: checks its values and lays it over the service that is there. Pure.
 * Knows the noun and the codes; neither the doors that it comes through nor where the result is kept.
 */
import { BobbinError } from "../errors.ts";
import type { DoorName } from "../http.ts";
import { endpoints, metadataProblems } from "./metadata.ts";
import {
  type Door,
  type Health,
  type Instance,
  NAME_RULE,
  NO_SCHEMA,
  type Service,
  type Source,
} from "./service.ts";
import { withStatus } from "./status.ts";

/** The fields that a registration or update may name; what is absent is left as it is. */
export interface Fields {
  readonly displayName?: string | undefined;
  readonly description?: string | undefined;
  readonly version?: string | undefined;
  /** A path or a URL. */
  readonly healthCheck?: string | undefined;
  readonly metadata?: Record<string, unknown> | undefined;
  readonly dependencies?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly isRequired?: boolean | undefined;
}

export interface Registration extends Fields {
  readonly name: string;
  readonly url: string;
  readonly door: Door;
  readonly source: Source;
  /** Length of the lease in seconds; null: it has none from now on. */
  readonly ttl?: number | null | undefined;
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

/** Bounds that keep one service from filling the registry. */
export const LIMITS = {
  services: 10_000,
  instances: 1_000,
  textLength: 2_000,
  listLength: 100,
  metadataBytes: 65_536,
  /** Whatever writes JSON calls itself once per level. */
  metadataDepth: 100,
  ttlSeconds: 86_400,
} as const;

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
 * refused with SELF_REFERENCE.
 */
export function recogniseOwn(service: Service, ownDoor: (url: string) => DoorName | undefined): Service {
  const instances = service.instances.map((instance) => {
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

/** The service without the instance at `url`; undefined when that was its last one. */
export function removeInstance(current: Service, url: string, now: number): Service | undefined {
  const gone = findInstance(current, url);
  const instances = current.instances.filter((instance) => instance !== gone);
  return instances.length > 0 ? withStatus({ ...current, instances, updatedAt: now }) : undefined;
}

/** The instance at the scheme, host and port of `url`, or INSTANCE_NOT_FOUND. */
export function findInstance(service: Service, url: string): Instance {
  const origin = checkUrl("url", url).origin;
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

/** Throws INVALID_INPUT with the rule in its message where the name does not follow it. */
export function checkName(name: string): void {
  if (NAME_RULE.test(name)) return;
  throw invalid(
    "name",
    `${JSON.stringify(name.slice(0, 100))} does not match ${NAME_RULE.source}: lower case, no @scope/`,
  );
}

function checkUrl(field: string, url: string): URL {
  const parsed = url.length <= LIMITS.textLength ? URL.parse(url) : null;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || url.trim() !== url) {
    throw invalid(field, "must be an absolute http or https URL");
  }
  if (parsed.username || parsed.password) throw invalid(field, "must not carry a user name or password");
  return parsed;
}

function checkFields(fields: Fields): void {
  for (const key of ["displayName", "description", "version", "healthCheck"] as const) {
    if ((fields[key]?.length ?? 0) > LIMITS.textLength)
      throw invalid(key, `is longer than ${LIMITS.textLength} characters`);
  }
  for (const key of ["dependencies", "tags"] as const) {
    const list = fields[key] ?? [];
    if (list.length > LIMITS.listLength) throw invalid(key, `has more than ${LIMITS.listLength} entries`);
    if (list.some((item) => item.length > 255))
      throw invalid(key, "has an entry of more than 255 characters");
  }
  const { metadata, healthCheck } = fields;
  if (metadata !== undefined && !isObject(metadata)) throw invalid("metadata", "must be an object");
  if (metadata && isDeeper(metadata, LIMITS.metadataDepth)) {
    throw invalid("metadata", `is nested deeper than ${LIMITS.metadataDepth} levels`);
  }
  if (metadata && Buffer.byteLength(JSON.stringify(metadata)) > LIMITS.metadataBytes) {
    throw invalid("metadata", `is larger than ${LIMITS.metadataBytes} bytes`);
  }
  if (healthCheck !== undefined) resolveEndpoint("healthCheck", healthCheck, "http://localhost");
  if (!metadata) return;
  const [problem] = metadataProblems(metadata);
  if (problem) throw invalid(problem.field, problem.rule);
  const { graphql, health } = endpoints(metadata);
  if (graphql) resolveEndpoint("metadata.endpoints.graphql", graphql, "http://localhost");
  if (health) resolveEndpoint("metadata.endpoints.health", health, "http://localhost");
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
  const { origin } = new URL(url);
  const known = service.instances.find((instance) => instance.origin === origin);
  const ttlSeconds = ttl === undefined ? (known?.ttlSeconds ?? null) : ttl;
  const instance: Instance = {
    url,
    origin,
    door,
    graphqlUrl: graphqlUrlOf(service, url, door),
    healthUrl: healthUrlOf(service, url),
    health: registration.health ?? known?.health ?? "UNKNOWN",
    healthReason: registration.healthReason ?? known?.healthReason ?? null,
    lastHealthCheck: known?.lastHealthCheck ?? null,
    ttlSeconds,
    leaseUntil: ttlSeconds === null ? null : now + ttlSeconds * 1000,
    leaseExpired: false,
    node: node ?? null,
    registeredAt: now,
  };
  return known
    ? service.instances.map((each) => (each === known ? instance : each))
    : [...service.instances, instance];
}

/** An instance after an update: at another URL it is another instance, whose health is not known yet. */
function relocated(service: Service, instance: Instance, url: string, fields: Fields, now: number): Instance {
  const { origin } = new URL(url);
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

/** A path or URL against the instance's URL: "/graphql" below http://host/base is http://host/graphql. */
function resolveEndpoint(field: string, endpoint: string, base: string): string {
  const resolved = URL.parse(endpoint, base);
  if (!resolved) throw invalid(field, "must be a path or an absolute http or https URL");
  return checkUrl(field, resolved.href).href;
}

/** GraphQL's scalar for metadata takes any JSON. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Level by level: going down into each value would meet the end of the stack before that of a deep one. */
function isDeeper(value: object, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return false;
}

function invalid(field: string, problem: string): BobbinError {
  return new BobbinError("INVALID_INPUT", `${field} ${problem}.`);
}
