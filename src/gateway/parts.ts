/**
 * What a composition is made of. Pure. Knows what is in the graph and which schemas are newer; composes nothing.
 */
import type { Service } from "../registry/service.ts";
import type { Candidate } from "./compose/compose.ts";
import type { Schemas } from "./schemas.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Subgraph } from "./subgraph/subgraph.ts";

export interface Parts {
  readonly incumbents: readonly Subgraph[];
  readonly candidates: readonly Candidate[];
}

/** Those whose newest schema is in the graph already, and the others in the order of their registration. */
export function partsOf(before: Snapshot | undefined, schemas: Schemas, services: readonly Service[]): Parts {
  const present = [...(before?.subgraphs.values() ?? [])];
  const incumbents = present.filter((subgraph) => schemas.latest(subgraph.name) === subgraph);
  // The first composition keeps the order of the last composed set.
  const order = before ? services.map(({ name }) => name) : schemas.names();
  const candidates: Candidate[] = [];
  for (const name of order) {
    const latest = schemas.latest(name);
    const previous = before?.subgraphs.get(name);
    if (latest && latest !== previous) candidates.push({ latest, previous });
  }
  return { incumbents, candidates };
}

export function isSame(a: Parts, b: Parts): boolean {
  return (
    a.incumbents.length === b.incumbents.length &&
    a.candidates.length === b.candidates.length &&
    a.incumbents.every((subgraph, i) => subgraph === b.incumbents[i]) &&
    a.candidates.every(
      ({ latest, previous }, i) =>
        latest === b.candidates[i]?.latest && previous === b.candidates[i]?.previous,
    )
  );
}
