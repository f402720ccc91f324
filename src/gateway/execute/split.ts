/**
 * An operation taken apart by who executes its root fields. Pure: documents in, documents out.
 * Knows documents; nothing of services.
 */
import { collectFields } from "@graphql-tools/utils";
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from "graphql";

/** The root fields of an operation, those in fragments among them, in the document's order. */
export function rootFieldsOf(document: DocumentNode, operation: OperationDefinitionNode): FieldNode[] {
  const fragments = fragmentsOf(document);
  const collect = ({ selections }: SelectionSetNode): FieldNode[] =>
    selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      if (node.kind === Kind.INLINE_FRAGMENT) return collect(node.selectionSet);
      const fragment = fragments.get(node.name.value);
      return fragment ? collect(fragment.selectionSet) : [];
    });
  return collect(operation.selectionSet);
}

/** The names that the operation's answer has, in their order. `variables`: coerced. */
export function answerKeys(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operation, selectionSet }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): string[] {
  const root = schema.getRootType(operation);
  if (!root) return [];
  const fragments = Object.fromEntries(fragmentsOf(document));
  const values = { coerced: variables, sources: {} };
  return [...collectFields(schema, fragments, values, root, selectionSet).fields.keys()];
}

/** The document with this operation alone, of whose root fields only some are kept. */
export function withRootFields(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  isKept: (field: FieldNode) => boolean,
): DocumentNode {
  const fragments = fragmentsOf(document);
  const filter = ({ selections }: SelectionSetNode): SelectionNode[] =>
    selections.flatMap((node): SelectionNode[] => {
      if (node.kind === Kind.FIELD) return isKept(node) ? [node] : [];
      const spread = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      const kept = spread ? filter(spread.selectionSet) : [];
      if (kept.length === 0) return [];
      const { directives = [] } = node;
      return [{ kind: Kind.INLINE_FRAGMENT, directives, selectionSet: setOf(kept) }];
    });
  const selectionSet = setOf(filter(operation.selectionSet));
  const used = usedFragments(selectionSet, fragments);
  const variables = new Set<string>();
  for (const node of [selectionSet, ...used])
    visit(node, { Variable: ({ name: { value } }) => void variables.add(value) });
  const variableDefinitions =
    operation.variableDefinitions?.filter(({ variable }) => variables.has(variable.name.value)) ?? [];
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, variableDefinitions, selectionSet }, ...used] };
}

const setOf = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});

function fragmentsOf({ definitions }: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  return fragments;
}

function usedFragments(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): FragmentDefinitionNode[] {
  const used = new Set<FragmentDefinitionNode>();
  const search = (node: SelectionSetNode | FragmentDefinitionNode): void => {
    visit(node, {
      FragmentSpread: ({ name: { value } }) => {
        const fragment = fragments.get(value);
        if (!fragment || used.has(fragment)) return;
        used.add(fragment);
        search(fragment);
      },
    });
  };
  search(set);
  return [...used];
}
