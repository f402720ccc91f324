/**
 * The parts of a service's metadata that bobbin itself reads, with their bounds and defaults. Everything else in it
 * is the service's own, and so is any of these keys that holds something other than an object.
 * Imports nothing, like the noun it belongs to.
 */

type Metadata = Readonly<Record<string, unknown>>;

export interface Thresholds {
  /** Consecutive failures until a healthy instance is unhealthy. */
  readonly failures: number;
  /** Consecutive successes until an unhealthy instance is healthy again. */
  readonly successes: number;
}

export interface ProbeSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly thresholds: Thresholds;
}

export interface GatewaySettings {
  /** Prefix of the service's types and root fields. */
  readonly namespace: string | null;
  /** The client's headers that the service wants, in lower case. */
  readonly headers: readonly string[];
}

const NAMESPACE = /^[A-Za-z][_0-9A-Za-z]{0,62}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const MAX_HEADERS = 50;

/** `metadata.healthCheck`'s numbers: [default, least, most]. Times in seconds. */
const PROBE_NUMBERS = {
  interval: [10, 0.1, 3600],
  timeout: [5, 0.05, 60],
  failureThreshold: [3, 1, 100],
  successThreshold: [1, 1, 100],
} as const;

/** What is wrong with the parts that bobbin reads; empty where nothing is. */
export function metadataProblems(metadata: Metadata): { field: string; rule: string }[] {
  const problems: { field: string; rule: string }[] = [];
  const { namespace, headers } = section(metadata, "gateway");
  if (namespace !== undefined && !(typeof namespace === "string" && NAMESPACE.test(namespace))) {
    problems.push({ field: "metadata.gateway.namespace", rule: `must match ${NAMESPACE.source}` });
  }
  if (headers !== undefined && !isHeaderList(headers)) {
    problems.push({
      field: "metadata.gateway.headers",
      rule: `must be a list of at most ${MAX_HEADERS} header names`,
    });
  }
  const given = section(metadata, "healthCheck");
  for (const [key, [, least, most]] of Object.entries(PROBE_NUMBERS)) {
    const value = given[key];
    if (value === undefined || (typeof value === "number" && value >= least && value <= most)) continue;
    problems.push({
      field: `metadata.healthCheck.${key}`,
      rule: `must be a number from ${least} to ${most}`,
    });
  }
  return problems;
}

/** `metadata.endpoints`: where the service's GraphQL and health check are, as paths or URLs. */
export function endpoints(metadata: Metadata): { graphql?: string; health?: string } {
  const { graphql, health } = section(metadata, "endpoints");
  return {
    ...(typeof graphql === "string" && graphql ? { graphql } : {}),
    ...(typeof health === "string" && health ? { health } : {}),
  };
}

/** `metadata.gateway: { namespace, headers }`. */
export function gatewaySettings(metadata: Metadata): GatewaySettings {
  const { namespace, headers } = section(metadata, "gateway");
  return {
    namespace: typeof namespace === "string" ? namespace : null,
    headers: isHeaderList(headers) ? headers.map((name) => name.toLowerCase()) : [],
  };
}

/** `metadata.healthCheck: { interval, timeout, failureThreshold, successThreshold }`. */
export function probeSettings(metadata: Metadata): ProbeSettings {
  const given = section(metadata, "healthCheck");
  const number = (key: keyof typeof PROBE_NUMBERS) => {
    const value = given[key];
    return typeof value === "number" ? value : PROBE_NUMBERS[key][0];
  };
  const intervalMs = number("interval") * 1000;
  return {
    intervalMs,
    timeoutMs: Math.min(number("timeout") * 1000, intervalMs),
    thresholds: { failures: number("failureThreshold"), successes: number("successThreshold") },
  };
}

function section(metadata: Metadata, key: string): Record<string, unknown> {
  const value = metadata[key];
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function isHeaderList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_HEADERS &&
    value.every((name) => typeof name === "string" && HEADER_NAME.test(name))
  );
}
