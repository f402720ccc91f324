/**
 * How a service's schema is shown in the graph: its root types under the standard names, its namespace, its renamed
 * and its hidden root fields. Knows one schema and its settings; nothing of the rest of the graph.
 */
import type { Transform } from "@graphql-tools/delegate";
import { FilterRootFields, RenameRootFields, RenameRootTypes, RenameTypes } from "@graphql-tools/wrap";
import type { GraphQLSchema, OperationTypeNode } from "graphql";
import { BobbinError } from "../../errors.ts";
import type { ShapeSettings } from "../../registry/metadata.ts";

export type ShapeOf = Partial<ShapeSettings>;

/** Throws SCHEMA_INVALID where a setting names a root field that the service has not. */
export function checkShape(schema: GraphQLSchema, { hide = [], rename = {} }: ShapeOf): void {
  const fields = new Set(
    rootTypes(schema).flatMap(({ operation, type }) =>
      Object.keys(type.getFields()).map((field) => `${rootName(operation)}.${field}`),
    ),
  );
  const settings = { hide, rename: Object.keys(rename) };
  for (const [setting, named] of Object.entries(settings)) {
    const unknown = named.find((field) => !fields.has(field));
    if (unknown === undefined) continue;
    const message = `metadata.gateway.${setting} names ${unknown}, which the service has not.`;
    throw new BobbinError("SCHEMA_INVALID", message);
  }
}

/** The name in the graph of a root field; `root`: Query, Mutation or Subscription. */
export function fieldNameInGraph(
  { namespace = null, rename = {} }: ShapeOf,
  root: string,
  field: string,
): string {
  const shown = rename[`${root}.${field}`] ?? field;
  return namespace === null ? shown : `${namespace}_${shown}`;
}

/** From the service's names to the graph's. */
export function namesInGraph(schema: GraphQLSchema, { namespace = null, rename = {} }: ShapeOf): Transform[] {
  const isRenamed = Object.keys(rename).length > 0;
  const fieldName = (operation: string, name: string) => rename[`${operation}.${name}`] ?? name;
  return [
    ...rootTypeTransforms(schema),
    ...(isRenamed ? [new RenameRootFields(fieldName)] : []),
    ...(namespace === null ? [] : namespaceTransforms(schema, namespace)),
  ];
}

/** Takes away what is hidden, under the names that it would have in the graph. */
export function hidden(shape: ShapeOf): Transform[] {
  const { hide = [] } = shape;
  if (hide.length === 0) return [];
  const names = new Set(
    hide.map((field) => {
      const [root = "", name = ""] = field.split(".");
      return `${root}.${fieldNameInGraph(shape, root, name)}`;
    }),
  );
  return [new FilterRootFields((operation, name) => !names.has(`${operation}.${name}`))];
}

/** Root types get the names that they have in the graph, because the service's other types may lead back to them. */
function rootTypeTransforms(schema: GraphQLSchema): Transform[] {
  const shown = new Map(rootTypes(schema).map(({ operation, type }) => [type.name, rootName(operation)]));
  const renamed = [...shown].filter(([name, standard]) => name !== standard);
  // Another type that has the standard name is in the way; composing says so.
  if (renamed.length === 0 || renamed.some(([, standard]) => schema.getType(standard))) return [];
  return [new RenameRootTypes((name) => shown.get(name) ?? name)];
}

function namespaceTransforms(schema: GraphQLSchema, namespace: string): Transform[] {
  const rename = (name: string) => `${namespace}_${name}`;
  const renameFields = new RenameRootFields((_operation, name) => rename(name));
  const names = Object.keys(schema.getTypeMap());
  if (!names.some((name) => schema.getType(rename(name)))) return [new RenameTypes(rename), renameFields];
  // RenameTypes skips a type whose new name is still another's, so all of them step aside first.
  let aside = rename("");
  while (names.some((name) => name.startsWith(aside))) aside += "_";
  return [
    new RenameTypes((name) => `${aside}${name}`),
    new RenameTypes((name) => rename(name.slice(aside.length))),
    renameFields,
  ];
}

export function rootTypes(schema: GraphQLSchema) {
  return (["query", "mutation", "subscription"] as OperationTypeNode[]).flatMap((operation) => {
    const type = schema.getRootType(operation);
    return type ? [{ operation, type }] : [];
  });
}

/** `Query`, `Mutation` or `Subscription`. */
export function rootName(operation: OperationTypeNode): string {
  return `${operation[0]?.toUpperCase()}${operation.slice(1)}`;
}

/** `Query.field`, for every root field. */
export function rootFieldsOf(schema: GraphQLSchema): string[] {
  return rootTypes(schema).flatMap(({ operation, type }) => {
    return Object.keys(type.getFields()).map((field) => `${rootName(operation)}.${field}`);
  });
}
