/**
 * What changes for clients when one graph takes the place of another, and that list within bounds.
 * Pure: two schemas in, text out. Knows nothing of services, or of who is to blame.
 */
import type { GraphQLSchema } from "graphql";
import type { SchemaChange, SchemaChanges } from "../../events.ts";

/**
 * Names and messages come from services' SDLs, so they may be as long as those. A path is cut to find whose it is, so
 * only the message is shortened here.
 */
const MESSAGE_LENGTH = 300;

const SEVERITY: readonly SchemaChange["criticality"][] = ["BREAKING", "DANGEROUS", "NON_BREAKING"];

/** Every change that clients can see, the worst first. */
export function schemaChanges(before: GraphQLSchema, after: GraphQLSchema): SchemaChange[] {
  // The package's own `diff` is this function behind a promise, for rules of which none is needed here. It is loaded
  // when it is needed first: most starts do without its three megabytes.
  const {
    diffSchema,
  }: typeof import("@graphql-inspector/core/diff/schema") = require("@graphql-inspector/core/diff/schema");
  const changes = diffSchema(before, after)
    .filter(({ type }) => isSeen(String(type)))
    .map(({ criticality, path, message }) => ({
      criticality: criticality.level,
      path: path ?? null,
      message: shorten(message),
    }));
  return SEVERITY.flatMap((level) => changes.filter(({ criticality }) => criticality === level));
}

/** At most `limit` of the changes, with what counts of all. */
export function summary(changes: readonly SchemaChange[], limit: number): SchemaChanges {
  const count = (level: SchemaChange["criticality"]) =>
    changes.filter(({ criticality }) => criticality === level).length;
  const list = changes
    .slice(0, limit)
    .map((change) => ({ ...change, path: change.path && shorten(change.path) }));
  const more = changes.length - list.length;
  return { breaking: count("BREAKING"), dangerous: count("DANGEROUS"), list, more };
}

/**
 * Clients do not see which directives an SDL uses; what they see of them, such as a deprecation, is a change of its
 * own. The graph's root types have the standard names, so that another root type is one that is new or gone, which is
 * said of the type.
 */
function isSeen(type: string): boolean {
  return !type.startsWith("DIRECTIVE_") && !/^SCHEMA_\w+_TYPE_CHANGED$/.test(type);
}

function shorten(text: string): string {
  return text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH - 1)}…` : text;
}
