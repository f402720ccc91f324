/**
 * What the fields of a registration or update may hold: bounds and checks. Pure.
 * Knows values and the codes; not what a registration means.
 */
import { BobbinError } from "../errors.ts";
import { socketOf } from "../unix-url.ts";
import { endpoints, metadataProblems } from "./metadata.ts";
import { NAME_RULE } from "./service.ts";

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

/** Throws INVALID_INPUT with the rule in its message where the name does not follow it. */
export function checkName(name: string): void {
  if (NAME_RULE.test(name)) return;
  throw invalid(
    "name",
    `${JSON.stringify(name.slice(0, 100))} does not match ${NAME_RULE.source}: lower case, no @scope/`,
  );
}

/** The URL, or INVALID_INPUT where it is not an absolute http(s) one or that of a unix socket. */
export function checkUrl(field: string, url: string): URL {
  const parsed = url.length <= LIMITS.textLength ? URL.parse(url) : null;
  const socket = socketOf(url);
  if (parsed && socket) return parsed;
  if (socket === null) {
    throw invalid(field, "must name a unix socket as http+unix://%2Frun%2Fbobbin%2Fname.sock/graphql does");
  }
  if (!parsed || !/^https?:$/.test(parsed.protocol) || url.trim() !== url) {
    throw invalid(field, "must be an absolute http or https URL");
  }
  if (parsed.username || parsed.password) throw invalid(field, "must not carry a user name or password");
  return parsed;
}

/** Throws INVALID_INPUT for the first field that is out of bounds. */
export function checkFields(fields: Fields): void {
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

/** A path or URL against the instance's URL: "/graphql" below http://host/base is http://host/graphql. */
export function resolveEndpoint(field: string, endpoint: string, base: string): string {
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

export function invalid(field: string, problem: string): BobbinError {
  return new BobbinError("INVALID_INPUT", `${field} ${problem}.`);
}
