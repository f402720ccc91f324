/**
 * `bobbin schema`: the running graph's schema, and what clients of another one, or of the one before, notice of it.
 * Knows where schemas come from; how they are compared is told elsewhere.
 */
import { buildSchema, type GraphQLSchema } from "graphql";
import { BobbinError, messageOf } from "../../errors.ts";
import type { SchemaChange } from "../../events.ts";
import { schemaChanges } from "../../gateway/compose/schema-changes.ts";
import { ask, type Place, type Refused } from "../api-client.ts";
import { readTextFile } from "../argument-values.ts";
import { done, EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import { type Cell, table } from "../terminal/table.ts";
import { colourOf, type Terminal } from "../terminal/terminal.ts";

export interface SchemaOptions extends Place {
  /** What is compared with; true: what was before the last changes. */
  readonly diff?: string | true;
  readonly json?: boolean;
}

/** A change, and the service that brought it, where that is known. */
type Told = SchemaChange & { readonly service?: string };

/** Throws INVALID_INPUT where the command line or the environment is wrong, or a file is no schema. */
export async function showSchema(
  { diff, json, ...place }: SchemaOptions,
  terminal: Terminal,
): Promise<Outcome> {
  if (json && diff === undefined)
    throw new BobbinError("INVALID_INPUT", "--json is for --diff: a schema is no table.");
  if (diff === true) return lastChanges(json === true, place, terminal);
  const graph = await schemaAt(place, terminal);
  if ("refused" in graph) return failed(...graph.refused);
  if (diff === undefined) return done(graph.found.trimEnd());
  const isUrl = /^https?:\/\//.test(diff);
  const before = isUrl ? await schemaAt({ gateway: diff }, terminal) : { found: await readTextFile(diff) };
  if ("refused" in before) return failed(...before.refused);
  const from = schemaOf(diff, before.found);
  return told(schemaChanges(from, schemaOf("the running graph", graph.found)), 0, json === true, terminal);
}

function schemaAt(place: Place, { env }: Terminal): Promise<{ readonly found: string } | Refused> {
  const path = "/gateway/schema";
  // Other programs answer with pages.
  return ask({
    door: "gateway",
    place,
    env,
    path,
    find: ({ text }) => (/^\s*[<{]/.test(text) ? undefined : text),
  });
}

function schemaOf(name: string, sdl: string): GraphQLSchema {
  try {
    return buildSchema(sdl);
  } catch (error) {
    throw new BobbinError("INVALID_INPUT", `${name} is no valid GraphQL schema: ${messageOf(error)}`);
  }
}

interface Reported {
  readonly name: string;
  readonly changes: { readonly list: readonly SchemaChange[]; readonly more: number } | null;
}

/** What the gateway reports of each service's last change, or of the one that waits. */
async function lastChanges(json: boolean, place: Place, terminal: Terminal): Promise<Outcome> {
  const answer = await ask({
    door: "gateway",
    place,
    env: terminal.env,
    path: "/gateway/services",
    find: ({ body }) => {
      const { services } = (body ?? {}) as { services?: readonly Reported[] };
      return Array.isArray(services) ? (services as readonly Reported[]) : undefined;
    },
  });
  if ("refused" in answer) return failed(...answer.refused);
  const list = answer.found.flatMap(({ name, changes }) =>
    (changes?.list ?? []).map((change) => ({ service: name, ...change })),
  );
  const more = answer.found.reduce((sum, { changes }) => sum + (changes?.more ?? 0), 0);
  return told(list, more, json, terminal);
}

const WORDS = { BREAKING: "breaking", DANGEROUS: "dangerous", NON_BREAKING: "safe" } as const;

/** The changes as JSON or as a table, with what counts; a failure where clients break. */
export function told(list: readonly Told[], more: number, json: boolean, terminal: Terminal): Outcome {
  const [breaking, dangerous, safe] = (["BREAKING", "DANGEROUS", "NON_BREAKING"] as const).map(
    (level) => list.filter(({ criticality }) => criticality === level).length,
  );
  const status = breaking ? EXITS.no : EXITS.ok;
  if (json) return { ...done(JSON.stringify({ breaking, dangerous, safe, list, more }, null, 2)), status };
  if (list.length === 0) return done("no changes");
  const rows = list.map(({ criticality, message, service }): Cell[] => [
    { text: WORDS[criticality], colour: colourOf(criticality) },
    ...(service === undefined ? [] : [service]),
    message,
  ]);
  const head =
    list[0]?.service === undefined ? ["FOR CLIENTS", "CHANGE"] : ["FOR CLIENTS", "SERVICE", "CHANGE"];
  const rest = more > 0 ? `, and ${more} more` : "";
  const counts = `${breaking} breaking, ${dangerous} dangerous, ${safe} safe${rest}`;
  return { ...done(...table(head, rows, terminal), "", counts), status };
}
