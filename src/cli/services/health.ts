/** `bobbin health`: whether the graph, or one service, gets its requests answered, as an exit status. */
import { ask, type Place } from "../api-client.ts";
import { done, EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import { oneLine, table } from "../terminal/table.ts";
import { colourOf, painted, type Terminal } from "../terminal/terminal.ts";

export interface HealthOptions extends Place {
  readonly service?: string;
  readonly json?: boolean;
}

interface ServiceHealth {
  readonly name: string;
  readonly status: string;
  readonly healthy: boolean;
  readonly statusReason: string | null;
}

interface Health {
  readonly status: string;
  readonly services: readonly ServiceHealth[];
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function showHealth(
  { service: name, json, ...place }: HealthOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const answer = await ask({
    door: "gateway",
    place,
    env: terminal.env,
    path: "/gateway/health",
    // What is not well has a status of its own, and is told all the same.
    inAnyAnswer: true,
    find: ({ body, status }) => (isHealth(body) ? { ...body, isWell: status === 200 } : undefined),
  });
  if ("refused" in answer) return { ...failed(...answer.refused), status: EXITS.usage };
  const { isWell, ...health } = answer.found;
  if (name !== undefined) return ofOne(name, health, json === true, terminal);
  const text = json ? [JSON.stringify(health, null, 2)] : summary(health, terminal);
  return { ...done(...text), status: isWell ? EXITS.ok : EXITS.no };
}

function ofOne(name: string, { services }: Health, json: boolean, terminal: Terminal): Outcome {
  const found = services.find((service) => service.name === name);
  if (!found) return failed(`No service is named ${JSON.stringify(name)}. (SERVICE_NOT_FOUND)`);
  const { status, statusReason, healthy } = found;
  const reason = statusReason ? `, ${oneLine(statusReason)}` : "";
  const text = json
    ? JSON.stringify(found, null, 2)
    : `${name}: ${painted(status, colourOf(status), terminal)}${reason}`;
  return { ...done(text), status: healthy ? EXITS.ok : EXITS.no };
}

/** What there is, and below it who is not well. */
function summary({ status, services }: Health, terminal: Terminal): string[] {
  const others = services.filter((service) => service.status !== "ACTIVE");
  const active = `${services.length - others.length} of ${services.length} services are ACTIVE`;
  const head = `${painted(status, colourOf(status), terminal)}: ${active}`;
  if (others.length === 0) return [head];
  const rows = others.map((each) => [
    each.name,
    { text: each.status, colour: colourOf(each.status) },
    each.statusReason ?? "",
  ]);
  return [head, "", ...table(["NAME", "STATUS", "REASON"], rows, terminal)];
}

function isHealth(body: unknown): body is Health {
  const { status, services } = (body ?? {}) as Partial<Health>;
  return typeof status === "string" && Array.isArray(services);
}
