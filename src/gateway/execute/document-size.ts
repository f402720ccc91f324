/**
 * Refuses documents that are longer than any real one, and those that are short as they stand and endless when read:
 * fragments that spread others twice, which spread others twice. Every door and every plugin asks within these bounds.
 * Knows documents only.
 */
import { type DocumentNode, Kind, type SelectionSetNode } from "graphql";

/** More than any person or generator writes; a longer document is there to keep the server busy. */
export const MAX_TOKENS = 15_000;

/** Fields and fragments, with each fragment counted wherever it is spread. Stitching reads documents that way. */
const MOST_SELECTIONS = 50_000;

/** What is wrong with the size of a document that is valid: its fragments lead in no circle. */
export function sizeProblem({ definitions }: DocumentNode): string | undefined {
  const fragments = new Map<string, SelectionSetNode>();
  for (const node of definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node.selectionSet);
  if (fragments.size === 0) return undefined;
  const sizes = new Map<string, number>();

  const sizeOf = (set: SelectionSetNode | undefined): number => {
    let size = 0;
    for (const node of set?.selections ?? [])
      size +=
        1 + (node.kind === Kind.FRAGMENT_SPREAD ? fragmentSize(node.name.value) : sizeOf(node.selectionSet));
    return size;
  };
  const fragmentSize = (name: string): number => {
    const size = sizes.get(name) ?? sizeOf(fragments.get(name));
    sizes.set(name, size);
    return size;
  };

  const isTooLarge = definitions.some(
    (node) => node.kind === Kind.OPERATION_DEFINITION && sizeOf(node.selectionSet) > MOST_SELECTIONS,
  );
  return isTooLarge
    ? `The document asks for more than ${MOST_SELECTIONS} fields, fragments counted where they are spread.`
    : undefined;
}
