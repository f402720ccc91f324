/**
 * A supergraph's schema as clients see it, and as it is executed. Knows supergraph documents; nothing of services.
 */
import { transformSupergraphToPublicSchema } from "@theguild/federation-composition";
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLSchema,
  isInterfaceType,
  Kind,
  parse,
  print,
} from "graphql";
import type { Supergraph } from "./supergraph.ts";

export interface ShownSchemas {
  readonly shown: GraphQLSchema;
  /** With a way to ask for entities by their keys. */
  readonly withEntities: GraphQLSchema;
  /** With that, and an object type for each interface that has none: only objects can be executed. */
  readonly executable: GraphQLSchema;
}

export function schemasOf(document: DocumentNode, supergraph: Supergraph): ShownSchemas {
  const open = transformSupergraphToPublicSchema(document);
  const shown = build(open);
  const entities = supergraph.entityTypes().filter((type) => shown.getType(type));
  const query = shown.getQueryType()?.name;
  const additions =
    entities.length === 0 || query === undefined
      ? []
      : parse(
          `extend type ${query} { _entities(representations: [_Any!]!): [_Entity]! } scalar _Any union _Entity = ${entities.join(" | ")}`,
          { noLocation: true },
        ).definitions;
  const withEntities = { ...open, definitions: [...merged(open, additions)] };
  const executable = { ...open, definitions: [...withEntities.definitions, ...standIns(open, shown)] };
  return { shown, withEntities: build(withEntities), executable: build(executable) };
}

/** The name of the object type that stands in for an interface's objects whose type nobody knows. */
export function standInOf(supergraph: Supergraph, type: string): string {
  return supergraph.possibleTypes(type).find((name) => !supergraph.isInaccessible(name)) ?? `_${type}`;
}

function build(document: DocumentNode): GraphQLSchema {
  return buildASTSchema(document, { assumeValidSDL: true });
}

/** The fields of extensions within their types: `buildASTSchema` knows no extension. */
function merged(document: DocumentNode, additions: DocumentNode["definitions"]): DocumentNode["definitions"] {
  const extensions = additions.filter((node) => node.kind === Kind.OBJECT_TYPE_EXTENSION);
  const rest = additions.filter((node) => node.kind !== Kind.OBJECT_TYPE_EXTENSION);
  const definitions = document.definitions.map((node) => {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) return node;
    const more = extensions.filter(({ name }) => name.value === node.name.value);
    return { ...node, fields: [...(node.fields ?? []), ...more.flatMap(({ fields = [] }) => fields)] };
  });
  return [...definitions, ...rest];
}

function standIns(document: DocumentNode, schema: GraphQLSchema): DocumentNode["definitions"] {
  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.INTERFACE_TYPE_DEFINITION) return [];
    const type = schema.getType(node.name.value);
    if (!isInterfaceType(type) || schema.getPossibleTypes(type).length > 0) return [];
    const interfaces = [node.name, ...(node.interfaces ?? []).map(({ name }) => name)].map(
      ({ value }) => value,
    );
    const fields = (node.fields ?? []).map((field) => print(field)).join("\n");
    return parse(`type _${node.name.value} implements ${interfaces.join(" & ")} { ${fields} }`).definitions;
  });
}
