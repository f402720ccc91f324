/**
 * The core's schema as text, in parts by who is shown them: :3001 all of it, the graph no events, and mutations where
 * they are asked for. What a part leads to is in it or in the queries. Knows nothing of who resolves it.
 */
import events from "./core-events.graphql" with { type: "text" };
import mutations from "./core-mutations.graphql" with { type: "text" };
import queries from "./core-queries.graphql" with { type: "text" };

export const CORE_SDL = [queries, mutations, events].join("\n");

/** What the graph shows of it. */
export function coreSdlInGraph(withMutations: boolean): string {
  return withMutations ? [queries, mutations].join("\n") : queries;
}
