/**
 * A supergraph's schema as clients see it, and as it is executed. Knows supergraph documents; nothing of services.
 */
import {
  buildASTSchema,
  type DocumentNode,
  extendSchema,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLUnionType,
  getNamedType,
  isInterfaceType,
  isObjectType,
  parse,
  visit,
} from "graphql";
import { federationLibrary } from "../subgraph/federation-library.ts";
import type { Supergraph } from "./supergraph.ts";

/** `open`: the supergraph without what is not for clients. */
export function shownSchema(open: DocumentNode): GraphQLSchema {
  return buildASTSchema(open, { assumeValidSDL: true });
}

/** What clients see, and a way to ask for entities by their keys. */
export function entitySchema(shown: GraphQLSchema, supergraph: Supergraph): GraphQLSchema {
  const query = shown.getQueryType();
  const entities = entitiesOf(shown, supergraph);
  if (!query || entities.length === 0) return shown;
  if (isLedTo(shown, query)) return extended(shown, query, entities);
  const entity = new GraphQLUnionType({ name: "_Entity", types: entities });
  const any = new GraphQLScalarType({ name: "_Any" });
  const config = query.toConfig();
  const fields = {
    ...config.fields,
    _entities: {
      type: new GraphQLNonNull(new GraphQLList(entity)),
      args: { representations: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(any))) } },
    },
  };
  return like(shown, { query: new GraphQLObjectType({ ...config, fields }), without: query });
}

/** With an object type for each interface that has none: only objects can be executed. */
export function executableSchema(withEntities: GraphQLSchema): GraphQLSchema {
  const standIns = Object.values(withEntities.getTypeMap()).flatMap((type) => {
    if (!isInterfaceType(type) || withEntities.getPossibleTypes(type).length > 0) return [];
    const { name, fields, interfaces } = type.toConfig();
    return [
      new GraphQLObjectType({
        name: standInName(name),
        interfaces: [type, ...interfaces],
        fields: Object.fromEntries(
          Object.entries(fields).map(([key, { resolve: _, subscribe: __, ...field }]) => [key, field]),
        ),
      }),
    ];
  });
  return standIns.length === 0 ? withEntities : like(withEntities, { types: standIns });
}

/**
 * With all that the subgraphs have, for keys and requirements may be what clients never see; undefined where there is
 * nothing of that kind.
 */
export function wholeSchema(document: DocumentNode, supergraph: Supergraph): GraphQLSchema | undefined {
  const accessible = visit(document, {
    Directive: ({ name }) => (name.value === "inaccessible" ? null : undefined),
  });
  if (accessible === document) return undefined;
  return entitySchema(
    shownSchema(federationLibrary().transformSupergraphToPublicSchema(accessible)),
    supergraph,
  );
}

/** The name of the object type that stands in for an interface's objects whose type nobody knows. */
export function standInOf(supergraph: Supergraph, type: string): string {
  const known = supergraph.possibleTypes(type).find((name) => !supergraph.isInaccessible(name));
  return known ?? standInName(type);
}

const standInName = (type: string) => `_${type}`;

function entitiesOf(shown: GraphQLSchema, supergraph: Supergraph): GraphQLObjectType[] {
  return supergraph.entityTypes().flatMap((name) => {
    const type = shown.getType(name);
    return isObjectType(type) ? [type] : [];
  });
}

/** The same types and some more, which costs little: types are not tied to a schema. */
function like(
  schema: GraphQLSchema,
  more: { query?: GraphQLObjectType; without?: GraphQLObjectType; types?: readonly GraphQLObjectType[] },
): GraphQLSchema {
  const { query, types, ...config } = schema.toConfig();
  const kept = types.filter((type) => type !== more.without);
  return new GraphQLSchema({
    ...config,
    query: more.query ?? query,
    types: [...kept, ...(more.types ?? [])],
    assumeValid: true,
  });
}

/** Whether fields of other types lead to it, so that it cannot be another one without them. */
function isLedTo(schema: GraphQLSchema, target: GraphQLObjectType): boolean {
  return Object.values(schema.getTypeMap()).some(
    (type) =>
      (isObjectType(type) || isInterfaceType(type)) &&
      Object.values(type.getFields()).some((field) => getNamedType(field.type) === target),
  );
}

function extended(
  schema: GraphQLSchema,
  query: GraphQLObjectType,
  entities: readonly GraphQLObjectType[],
): GraphQLSchema {
  const names = entities.map(({ name }) => name).join(" | ");
  const addition = `extend type ${query.name} { _entities(representations: [_Any!]!): [_Entity]! } scalar _Any union _Entity = ${names}`;
  return extendSchema(schema, parse(addition, { noLocation: true }), { assumeValid: true });
}
