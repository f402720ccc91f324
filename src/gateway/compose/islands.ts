/**
 * Which services belong together because they make up types in common: each such island is stitched for itself, so
 * that a change costs what its island costs. Pure. Knows who has which types; nothing of schemas.
 */
import type { Group } from "../federation/group.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";

/** The services of one island; `group`: the federated ones are part of it, as one. */
export interface IslandParts {
  readonly subgraphs: readonly Subgraph[];
  readonly group: Group | undefined;
}

/**
 * Two services are in one island where one of them has types that are merged, and the other has one of its types. The
 * federated services (`members`, composed to `group`) are one. Islands are in the order of their first services.
 */
export function islandsOf(
  subgraphs: readonly Subgraph[],
  members: readonly Subgraph[],
  group: Group | undefined,
): IslandParts[] {
  const nodes = [...(group ? [members] : []), ...subgraphs.map((subgraph) => [subgraph])];
  const parent = nodes.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] ?? at;
    return at;
  };
  const join = (i: number, types: Iterable<string>, isHolder: boolean) => {
    for (const type of types) {
      const holder = holders.get(type);
      if (holder !== undefined) parent[root(i)] = root(holder);
      else if (isHolder) holders.set(type, i);
    }
  };
  // Others are only looked at for the types of those that merge: few, as a rule, of thousands.
  const holders = new Map<string, number>();
  const merges = nodes.map((node) => node.some(({ mergeable }) => mergeable.size > 0));
  for (const [i, node] of nodes.entries()) if (merges[i]) join(i, typesWithFields(node), true);
  for (const [i, node] of nodes.entries())
    if (!merges[i] && holders.size > 0) join(i, typesWithFields(node), false);
  const islands = new Map<number, { subgraphs: Subgraph[]; group: Group | undefined }>();
  for (const [i, node] of nodes.entries()) {
    const id = root(i);
    const island = islands.get(id) ?? { subgraphs: [], group: undefined };
    islands.set(id, island);
    if (group && i === 0) island.group = group;
    else island.subgraphs.push(...node);
  }
  return [...islands.values()];
}

/** Leaves are alike wherever they are. */
function* typesWithFields(node: readonly Subgraph[]): Iterable<string> {
  for (const { types } of node) for (const [type, { fields }] of types) if (fields) yield type;
}
