/**
 * A registration's merge settings as the stitching directives that a service's SDL would have for them, so that both
 * are checked and read in one way. Knows SDLs; nothing of what becomes of the directives.
 */
import { type ConstDirectiveNode, type DocumentNode, Kind, parse, print } from "graphql";
import { BobbinError } from "../../errors.ts";
import type { MergeSetting } from "../../registry/metadata.ts";

/** The SDL with directives for the settings. Throws SCHEMA_INVALID where a setting names what the SDL has not. */
export function withMergeSettings(sdl: string, settings: readonly MergeSetting[]): string {
  if (settings.length === 0) return sdl;
  return print(settings.reduce(withSetting, parse(sdl, { noLocation: true })));
}

function withSetting(document: DocumentNode, { type, key, field, args }: MergeSetting): DocumentNode {
  const query = queryTypeOf(document);
  let isTypeThere = false;
  let isFieldThere = false;
  const definitions = document.definitions.map((node) => {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      return node;
    if (node.name.value === type) {
      isTypeThere = true;
      const selectionSet = directive("key", { selectionSet: `{ ${key.join(" ")} }` });
      return { ...node, directives: [...(node.directives ?? []), selectionSet] };
    }
    if (node.name.value !== query) return node;
    const fields = node.fields?.map((each) => {
      if (each.name.value !== field) return each;
      isFieldThere = true;
      const rule = args === undefined ? { keyField: key[0] ?? "" } : { argsExpr: args };
      return { ...each, directives: [...(each.directives ?? []), directive("merge", rule)] };
    });
    return { ...node, fields: fields ?? [] };
  });
  if (!isTypeThere) throw missing(`the type ${type}`);
  if (!isFieldThere) throw missing(`the field Query.${field}`);
  if (args === undefined && key.length > 1) {
    const problem = `metadata.gateway.merge: ${type} has a key of several fields, so args has to say how Query.${field} takes them.`;
    throw new BobbinError("SCHEMA_INVALID", problem);
  }
  return { ...document, definitions };
}

function missing(what: string): BobbinError {
  return new BobbinError(
    "SCHEMA_INVALID",
    `metadata.gateway.merge names ${what}, which the service has not.`,
  );
}

function queryTypeOf({ definitions }: DocumentNode): string {
  for (const node of definitions) {
    if (node.kind !== Kind.SCHEMA_DEFINITION) continue;
    for (const { operation, type } of node.operationTypes) if (operation === "query") return type.name.value;
  }
  return "Query";
}

function directive(name: string, args: Record<string, string>): ConstDirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name },
    arguments: Object.entries(args).map(([key, value]) => ({
      kind: Kind.ARGUMENT,
      name: { kind: Kind.NAME, value: key },
      value: { kind: Kind.STRING, value },
    })),
  };
}
