/**
 * What would become of the graph with a schema that nobody registered: composed beside it, and then left.
 * Knows how a candidate is composed; nothing of doors, or of what is served meanwhile.
 */
import type { SchemaChanges } from "../events.ts";
import type { SchemaKind } from "../registry/metadata.ts";
import type { Graph } from "./compose/changed-services.ts";
import type { Reason } from "./compose/compose.ts";
import { composeSafely } from "./compose/compose-safely.ts";
import { GraphSchemas } from "./compose/graph-schema.ts";
import type { Memory } from "./compose/memory.ts";
import { summary } from "./compose/schema-changes.ts";
import type { Slices } from "./compose/slices.ts";
import { buildSubgraph, type SubgraphSource } from "./subgraph/subgraph.ts";

export interface Trial {
  /** Whether it would be in the graph at once. */
  readonly composes: boolean;
  /** As what kind of service it was taken; null for one of this process. */
  readonly kind: SchemaKind | null;
  /** Whether the service has another schema in the graph. */
  readonly isNew: boolean;
  /** Why it would not be, or who else would not. */
  readonly reasons: readonly (Reason & { readonly service: string })[];
  readonly changes: SchemaChanges;
}

const LISTED = 100;

/**
 * Throws SCHEMA_INVALID. What is known of the graph's own parts is used; what is joined of them is not kept, because
 * joining remembers what was joined last.
 */
export function* trial(
  graph: Graph,
  source: SubgraphSource,
  policy: "any" | "safe",
  memory: Memory,
): Slices<Trial> {
  const schemas = new GraphSchemas();
  const apart: Memory = {
    group: (members) => memory.group(members),
    island: (parts, members) => memory.island(parts, members),
    join: (islands) => schemas.join(islands.map(({ schema }) => schema)),
    settle() {},
    prepare() {},
  };
  const latest = buildSubgraph(source, async () => ({}));
  yield;
  const previous = graph.subgraphs.find(({ name }) => name === source.name);
  const incumbents = graph.subgraphs.filter((subgraph) => subgraph !== previous);
  const mayBreak = () => policy === "any";
  const { rejected, changes, waiting } = yield* composeSafely(
    graph,
    incumbents,
    [{ latest, previous }],
    mayBreak,
    apart,
  );
  const list = waiting.get(source.name)?.changes ?? [...changes.values()].flat();
  return {
    composes: rejected.size === 0,
    kind: source.kind ?? null,
    isNew: previous === undefined,
    reasons: [...rejected].map(([service, reason]) => ({ service, ...reason })),
    changes: summary(list, LISTED),
  };
}
