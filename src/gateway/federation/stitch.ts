/**
 * The federated services as one subschema for stitching, which can be asked for its entities by their keys.
 * Knows how stitching is told of both; nothing of the other subschemas.
 */
import type { MergedTypeConfig, SubschemaConfig } from "@graphql-tools/delegate";
import type { Executor } from "@graphql-tools/utils";
import { FilterRootFields, FilterTypes } from "@graphql-tools/wrap";
import { Kind, print, type SelectionSetNode, visit } from "graphql";
import { askedByKey } from "../subgraph/merge-declarations.ts";
import { notingErrorsBesideValues } from "../values/beside-values.ts";
import type { Group } from "./group.ts";

/** For stitching it is a service without a name: each error names the service that it comes from. */
export const GROUP_NAME = "(federation)";
const HIDDEN_TYPES = new Set(["_Any", "_Entity"]);

/** `shared`: the entities that others of the graph have a part of. */
export function groupConfig(
  { supergraph, shown, withEntities, executor }: Group,
  shared: readonly string[],
): SubschemaConfig {
  const common = { name: GROUP_NAME, executor: ofWellFormed(executor), batch: true };
  if (shared.length === 0) return { ...common, schema: shown, transforms: [notingErrorsBesideValues] };
  const merge: Record<string, MergedTypeConfig> = {};
  for (const type of shared) {
    const entryPoints = supergraph.allKeys(type).map(({ fields }) => entryPoint(type, fields));
    const [only] = entryPoints;
    merge[type] = entryPoints.length === 1 && only ? only : { entryPoints };
  }
  return {
    ...common,
    schema: withEntities,
    transforms: [
      notingErrorsBesideValues,
      new FilterRootFields((_operation, field) => field !== "_entities"),
      new FilterTypes(({ name }) => !HIDDEN_TYPES.has(name)),
    ],
    merge,
  };
}

/** Delegation puts lists of selections among the selections of a type that is merged: they print well, but no more. */
function ofWellFormed(executor: Executor): Executor {
  return (request) => {
    const document = visit(request.document, {
      SelectionSet: (node) => ({ ...node, selections: node.selections.flat(Number.POSITIVE_INFINITY) }),
    });
    return executor({ ...request, document });
  };
}

function entryPoint(typename: string, fields: SelectionSetNode) {
  return askedByKey({
    selectionSet: print(fields),
    fieldName: "_entities",
    key: (object: Record<string, unknown>) => ({ __typename: typename, ...picked(fields, object) }),
    argsFromKeys: (representations: readonly unknown[]) => ({ representations }),
  });
}

/** The key's fields of an object, and nothing else that is known of it. */
function picked({ selections }: SelectionSetNode, object: Record<string, unknown>): Record<string, unknown> {
  const picks: Record<string, unknown> = {};
  for (const node of selections) {
    if (node.kind !== Kind.FIELD) continue;
    const { value: name } = node.name;
    const value = object[name];
    picks[name] = node.selectionSet ? pickedBelow(node.selectionSet, value) : value;
  }
  return picks;
}

function pickedBelow(set: SelectionSetNode, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => pickedBelow(set, item));
  return typeof value === "object" && value !== null ? picked(set, value as Record<string, unknown>) : value;
}
