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

/** What a service speaks, where that is not to be found out by asking it. */
const SCHEMA_KINDS = ["plain", "stitching", "federation"] as const;
export type SchemaKind = (typeof SCHEMA_KINDS)[number];

/** How a type of the service is fetched by its key, for a service whose SDL cannot say so. */
export interface MergeSetting {
  readonly type: string;
  /** The key's fields. */
  readonly key: readonly string[];
  /** The field of `Query` that fetches the type; one that returns a list fetches many at once. */
  readonly field: string;
  /** Its arguments as text, with `$key.name` for a key's field; absent: its one argument takes the one key field. */
  readonly args?: string;
}

/** What of a service is shown, and how. */
export interface ShapeSettings {
  /** Prefix of the service's types and root fields. */
  readonly namespace: string | null;
  /** `Query.field`, in the service's own names. */
  readonly hide: readonly string[];
  /** `Query.field` → the field's name in the graph. */
  readonly rename: Readonly<Record<string, string>>;
  readonly merge: readonly MergeSetting[];
}

export interface GatewaySettings extends ShapeSettings {
  readonly kind: SchemaKind | null;
  /** How long a call may take; null: as long as others. */
  readonly timeoutMs: number | null;
  /** The client's headers that the service wants, in lower case. */
  readonly headers: readonly string[];
  /** Whether equal queries in flight are sent once. */
  readonly deduplicate: boolean;
  readonly subscriptions: SubscriptionSettings;
}

/** A setting that is misspelt would do nothing, and nobody would be told. */
const GATEWAY_KEYS = [
  "kind",
  "namespace",
  "hide",
  "rename",
  "merge",
  "headers",
  "timeout",
  "deduplicate",
  "subscriptions",
];

const SUBSCRIPTION_PROTOCOLS = ["sse", "multipart", "graphql-ws"] as const;
export type SubscriptionProtocol = (typeof SUBSCRIPTION_PROTOCOLS)[number];

/** How the service serves subscriptions, where that is not to be found out. */
export interface SubscriptionSettings {
  readonly protocol?: SubscriptionProtocol;
  /** A path or a URL, against the service's own. */
  readonly url?: string;
}

const NAMESPACE = /^[A-Za-z][_0-9A-Za-z]{0,62}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const MAX_HEADERS = 50;
const MAX_URL_LENGTH = 2_000;
const ROOT_FIELD = /^(Query|Mutation|Subscription)\.[_A-Za-z][_0-9A-Za-z]{0,200}$/;
const NAME = /^[_A-Za-z][_0-9A-Za-z]{0,200}$/;
/** Entries of `hide`, `rename` and `merge`. */
const MAX_ENTRIES = 500;
const MAX_ARGS_LENGTH = 2_000;
/** `metadata.gateway.timeout`: [least, most], in seconds. */
const TIMEOUT = [0.05, 120] as const;

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
  problems.push(...shapeProblems(section(metadata, "gateway")));
  problems.push(...subscriptionProblems(section(metadata, "gateway").subscriptions));
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

function shapeProblems(gateway: Record<string, unknown>): { field: string; rule: string }[] {
  const { kind, timeout, hide, rename, merge, deduplicate } = gateway;
  const unknown = Object.keys(gateway).find((key) => !GATEWAY_KEYS.includes(key));
  if (unknown !== undefined) {
    const rule = `is no setting of the gateway: they are ${GATEWAY_KEYS.join(", ")}`;
    return [{ field: `metadata.gateway.${unknown}`, rule }];
  }
  const rules: [field: string, isSound: boolean, rule: string][] = [
    ["kind", kind === undefined || isSchemaKind(kind), `must be one of ${SCHEMA_KINDS.join(", ")}`],
    ["timeout", timeout === undefined || isTimeout(timeout), `must be a number from ${TIMEOUT.join(" to ")}`],
    ["deduplicate", deduplicate === undefined || typeof deduplicate === "boolean", "must be true or false"],
    ["hide", hide === undefined || isHideList(hide), "must be a list of root fields such as Query.name"],
    [
      "rename",
      rename === undefined || isRenaming(rename),
      "must be an object of root fields such as Query.name, each with its name in the graph",
    ],
    [
      "merge",
      merge === undefined || (isBounded(merge) && merge.every(isMerge)),
      'must be a list of { type, key: ["field"], field, args? }',
    ],
  ];
  return rules
    .filter(([, isSound]) => !isSound)
    .map(([field, , rule]) => ({ field: `metadata.gateway.${field}`, rule }));
}

function subscriptionProblems(given: unknown): { field: string; rule: string }[] {
  const field = "metadata.gateway.subscriptions";
  if (given === undefined) return [];
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return [{ field, rule: "must be an object" }];
  }
  const { protocol, url } = given as Record<string, unknown>;
  const problems: { field: string; rule: string }[] = [];
  if (protocol !== undefined && !isSubscriptionProtocol(protocol)) {
    problems.push({
      field: `${field}.protocol`,
      rule: `must be one of ${SUBSCRIPTION_PROTOCOLS.join(", ")}`,
    });
  }
  if (url !== undefined && !isSubscriptionUrl(url)) {
    const rule = "must be a path or an absolute http, https, ws or wss URL, without a user name or password";
    problems.push({ field: `${field}.url`, rule });
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

/**
 * `metadata.gateway: { kind, namespace, hide, rename, merge, headers, timeout, deduplicate, subscriptions: { … } }`.
 */
export function gatewaySettings(metadata: Metadata): GatewaySettings {
  const gateway = section(metadata, "gateway");
  const { kind, namespace, hide, rename, merge, headers, timeout, deduplicate } = gateway;
  const { protocol, url } = section(gateway, "subscriptions");
  return {
    kind: isSchemaKind(kind) ? kind : null,
    namespace: typeof namespace === "string" ? namespace : null,
    hide: isHideList(hide) ? hide : [],
    rename: isRenaming(rename) ? rename : {},
    merge: isBounded(merge) ? merge.filter(isMerge) : [],
    timeoutMs: isTimeout(timeout) ? timeout * 1000 : null,
    deduplicate: deduplicate === true,
    headers: isHeaderList(headers) ? headers.map((name) => name.toLowerCase()) : [],
    subscriptions: {
      ...(isSubscriptionProtocol(protocol) ? { protocol } : {}),
      ...(isSubscriptionUrl(url) ? { url } : {}),
    },
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

function isSubscriptionProtocol(value: unknown): value is SubscriptionProtocol {
  return SUBSCRIPTION_PROTOCOLS.some((protocol) => protocol === value);
}

function isSubscriptionUrl(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > MAX_URL_LENGTH) return false;
  const url = URL.parse(value, "http://localhost");
  return url !== null && /^(https?|wss?):$/.test(url.protocol) && !url.username && !url.password;
}

function isSchemaKind(value: unknown): value is SchemaKind {
  return SCHEMA_KINDS.some((kind) => kind === value);
}

function isTimeout(value: unknown): value is number {
  return typeof value === "number" && value >= TIMEOUT[0] && value <= TIMEOUT[1];
}

function isBounded(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length <= MAX_ENTRIES;
}

function isHideList(value: unknown): value is string[] {
  return isBounded(value) && value.every((field) => typeof field === "string" && ROOT_FIELD.test(field));
}

function isRenaming(value: unknown): value is Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_ENTRIES && entries.every(([field, name]) => ROOT_FIELD.test(field) && isName(name))
  );
}

function isMerge(value: unknown): value is MergeSetting {
  const { type, key, field, args } = (value ?? {}) as Record<string, unknown>;
  const isKey = isBounded(key) && key.length > 0 && key.every(isName);
  const isArgs = args === undefined || (typeof args === "string" && args.length <= MAX_ARGS_LENGTH);
  return isName(type) && isKey && isName(field) && isArgs;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value) && !value.startsWith("__");
}
