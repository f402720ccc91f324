/**
 * What the federation's rules have against a composition, in words that a service's owner can act on.
 * Knows the composition library's complaints; nothing of how services are composed.
 */
import type { DocumentNode, GraphQLError } from "graphql";

interface Composed {
  readonly name: string;
  readonly document: DocumentNode;
}

/** How many of the complaints are told. */
const TOLD = 3;

/** What to do, where the complaint does not say. */
const REMEDIES: Readonly<Record<string, string>> = {
  INVALID_FIELD_SHARING: "mark it @shareable in each of them, or take it over with @override(from:)",
  EXTENSION_WITH_NO_BASE: "it is composed once a service that defines the type is there",
};

/** All in one line; each with the names of services that it is about. */
export function complaintsOf(errors: readonly GraphQLError[], services: readonly Composed[]): string {
  const told = errors.slice(0, TOLD).map((error) => complaint(error, services));
  if (errors.length > TOLD) told.push(`and ${errors.length - TOLD} more`);
  return told.join("; ");
}

function complaint({ message, extensions }: GraphQLError, services: readonly Composed[]): string {
  const line = message.replace(/\s+/g, " ").replace(/\.$/, "");
  const isNamed = services.some(({ name }) => line.includes(`"${name}"`) || line.startsWith(`[${name}]`));
  const concerned = isNamed ? [] : definersOf(/"@?([_A-Za-z]\w*)/.exec(line)?.[1], services);
  const remedy = REMEDIES[String(extensions.code)];
  return [
    line,
    concerned.length > 0 ? ` (${concerned.join(", ")})` : "",
    remedy === undefined ? "" : `: ${remedy}`,
  ].join("");
}

/** The services that define or extend the type. */
function definersOf(type: string | undefined, services: readonly Composed[]): string[] {
  return services.filter(({ document }) => definesType(document, type)).map(({ name }) => name);
}

function definesType({ definitions }: DocumentNode, type: string | undefined): boolean {
  return definitions.some((node) => "name" in node && node.name?.value === type);
}
