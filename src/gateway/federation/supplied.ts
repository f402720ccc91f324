/**
 * Entities that the question itself names: others of the graph ask for them by `_entities`, with their keys.
 * Knows representations; nothing of who asks or of who answers.
 */
import {
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from "graphql";
import { type Gathered, newGathered } from "./gathered.ts";
import type { Supergraph } from "./supergraph.ts";

type Representation = Readonly<Record<string, unknown>>;

/**
 * Gathers the representations below `root`. Key of the root field → type → what all representations of it have;
 * undefined where the operation asks for no entities.
 */
export function suppliedEntities(
  supergraph: Supergraph,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  root: Gathered,
): Map<string, Map<string, SelectionSetNode>> | undefined {
  let supplied: Map<string, Map<string, SelectionSetNode>> | undefined;
  for (const node of operation.selectionSet.selections) {
    if (node.kind !== Kind.FIELD || node.name.value !== "_entities") continue;
    const key = (node.alias ?? node.name).value;
    const representations = representationsOf(node, variables);
    root[key] = representations.map((each) => gatherSupplied(supergraph, each));
    const byType = new Map<string, SelectionSetNode>();
    for (const { __typename: type, ...fields } of representations) {
      const known = byType.get(String(type));
      const set = selectionOf([fields]);
      byType.set(String(type), known ? common(known, set) : set);
    }
    supplied ??= new Map();
    supplied.set(key, byType);
  }
  return supplied;
}

function representationsOf(node: FieldNode, variables: Readonly<Record<string, unknown>>): Representation[] {
  const value = node.arguments?.find(({ name }) => name.value === "representations")?.value;
  const list = value && valueFromASTUntyped(value, variables);
  return Array.isArray(list) ? list : [];
}

function gatherSupplied(supergraph: Supergraph, value: unknown, type?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => gatherSupplied(supergraph, item, type));
  if (typeof value !== "object" || value === null || "rawJSON" in value) return value;
  const { __typename: named, ...fields } = value as Representation;
  const typename = typeof named === "string" ? named : type;
  const object = newGathered(typename !== undefined && supergraph.isObject(typename) ? typename : undefined);
  for (const [name, item] of Object.entries(fields))
    object[name] = gatherSupplied(supergraph, item, typename && supergraph.namedFieldType(typename, name));
  return object;
}

function selectionOf(values: readonly unknown[]): SelectionSetNode {
  const byName = new Map<string, unknown[]>();
  for (const value of values.flat(9))
    if (typeof value === "object" && value !== null && !("rawJSON" in value))
      for (const [name, item] of Object.entries(value)) byName.set(name, [...(byName.get(name) ?? []), item]);
  const selections = [...byName].map(([name, items]): FieldNode => {
    const selectionSet = selectionOf(items);
    const isObject = selectionSet.selections.length > 0;
    return {
      kind: Kind.FIELD,
      name: { kind: Kind.NAME, value: name },
      ...(isObject ? { selectionSet } : {}),
    };
  });
  return { kind: Kind.SELECTION_SET, selections };
}

/** What both have. */
function common(a: SelectionSetNode, b: SelectionSetNode): SelectionSetNode {
  const names = new Set(b.selections.flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : [])));
  const selections = a.selections.filter((node) => node.kind === Kind.FIELD && names.has(node.name.value));
  return { kind: Kind.SELECTION_SET, selections };
}
