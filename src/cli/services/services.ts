/** `bobbin services`: what is registered, as a table, or all of one service. Decides nothing. */
import { ask, type Place } from "../api-client.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import { type Cell, listing, table } from "../terminal/table.ts";
import { colourOf, type Terminal } from "../terminal/terminal.ts";

export interface ServicesOptions extends Place {
  readonly json?: boolean;
}

interface InstanceView {
  readonly url: string;
  readonly graphqlUrl: string | null;
  readonly healthy: boolean;
  readonly reason: string | null;
  readonly lastHealthCheck: string | null;
  readonly leaseUntil: string | null;
}

/** A service as the registry's door shows it. */
export interface ServiceView {
  readonly serviceName: string;
  readonly status: string;
  readonly statusReason: string | null;
  readonly source: string;
  readonly url: string;
  readonly version: string | null;
  readonly instances: readonly InstanceView[];
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function showServices(
  name: string | undefined,
  { json, ...place }: ServicesOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const asked = { door: "registry", place, env: terminal.env } as const;
  if (name !== undefined) {
    const path = `/services/${encodeURIComponent(name)}`;
    const answer = await ask({ ...asked, path, find: ({ body }) => (isService(body) ? body : undefined) });
    if ("refused" in answer) return failed(...answer.refused);
    return done(...(json ? [JSON.stringify(answer.found, null, 2)] : details(answer.found, terminal)));
  }
  const answer = await ask({
    ...asked,
    path: "/services",
    find: ({ body }) => (hasServices(body) ? body : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  if (json) return done(JSON.stringify(answer.found, null, 2));
  const head = ["NAME", "STATUS", "SOURCE", "INSTANCES", "URL", "REASON"];
  return done(...table(head, answer.found.services.map(rowOf), terminal));
}

function rowOf({ serviceName, status, statusReason, source, url, instances }: ServiceView): Cell[] {
  const healthy = instances.filter((instance) => instance.healthy).length;
  return [
    serviceName,
    { text: status, colour: colourOf(status) },
    source,
    `${healthy}/${instances.length}`,
    url,
    statusReason ?? "",
  ];
}

/** All that is known of a service: what it has, in the registry's names, and its instances. */
function details({ instances, ...fields }: ServiceView, terminal: Terminal): string[] {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]): [string, Cell] => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return [`${key}:`, key === "status" ? { text, colour: colourOf(text) } : text];
    });
  const rows = instances.map(({ url, graphqlUrl, healthy, reason, lastHealthCheck, leaseUntil }): Cell[] => [
    url,
    healthy ? { text: "yes", colour: "green" } : { text: "no", colour: "red" },
    graphqlUrl ?? "-",
    lastHealthCheck ?? "-",
    leaseUntil ?? "-",
    reason ?? "",
  ]);
  const head = ["INSTANCE", "HEALTHY", "GRAPHQL", "LAST CHECK", "LEASE UNTIL", "REASON"];
  return [...listing(entries, terminal), "", ...table(head, rows, terminal)];
}

export function isService(body: unknown): body is ServiceView {
  const { serviceName, instances } = (body ?? {}) as Partial<ServiceView>;
  return typeof serviceName === "string" && Array.isArray(instances);
}

function hasServices(body: unknown): body is { services: ServiceView[] } {
  return Array.isArray((body as { services?: unknown } | null)?.services);
}
