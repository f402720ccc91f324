/**
 * Composes, and holds back what would break the graph's clients. Pure: subgraphs in, schema, changes and reasons out.
 * Knows what breaks clients; not who may break them all the same, nor for how long something waits.
 */
import type { SchemaChange } from "../../events.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { changedServices, type Graph } from "./changed-services.ts";
import { type Candidate, type Composition, compose } from "./compose.ts";
import type { Memory } from "./memory.ts";
import type { Reason } from "./ownership.ts";

export interface SafeComposition extends Composition {
  /** Service → what its other schema, or that it is gone, changes in the graph. */
  readonly changes: ReadonlyMap<string, readonly SchemaChange[]>;
  /** Service → its newest schema, which waits, and what that would change. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}

export interface Waiting {
  readonly schema: Subgraph;
  readonly changes: readonly SchemaChange[];
}

/**
 * Everything new is tried together first, and in every composition anew: what one service gives up another may bring,
 * at the same time or later. Then those that are to blame for what breaks are held back, except where one `mayBreak`.
 */
export function composeSafely(
  before: Graph | undefined,
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  mayBreak: (candidate: Candidate) => boolean,
  memory?: Memory,
): SafeComposition {
  const waiting = new Map<string, Waiting>();
  for (;;) {
    const composition = tryAll(incumbents, candidates, waiting, memory);
    const changes = before ? changedServices(before, composition) : new Map<string, SchemaChange[]>();
    const breaking = candidates.filter((candidate) => {
      const { name } = candidate.latest;
      return (
        candidate.previous && !waiting.has(name) && isBreaking(changes.get(name)) && !mayBreak(candidate)
      );
    });
    if (breaking.length === 0) return { ...composition, changes, waiting };
    for (const { latest } of breaking) {
      waiting.set(latest.name, { schema: latest, changes: changes.get(latest.name) ?? [] });
    }
  }
}

/** Composes without the schemas that wait: those before them count as unchanged. */
function tryAll(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  waiting: ReadonlyMap<string, Waiting>,
  memory: Memory | undefined,
): Composition {
  if (waiting.size === 0) return compose(incumbents, candidates, memory);
  const isWaiting = ({ latest }: Candidate) => waiting.has(latest.name);
  const kept = candidates.filter(isWaiting).flatMap(({ previous }) => previous ?? []);
  const composition = compose(
    [...incumbents, ...kept],
    candidates.filter((candidate) => !isWaiting(candidate)),
    memory,
  );
  const reasons = [...waiting].map(([name, { changes }]) => [name, breaksClients(name, changes)] as const);
  return { ...composition, rejected: new Map([...reasons, ...composition.rejected]) };
}

function isBreaking(changes: readonly SchemaChange[] = []): boolean {
  return changes.some(({ criticality }) => criticality === "BREAKING");
}

/** How many changes the reason names. */
const NAMED = 3;

function breaksClients(name: string, changes: readonly SchemaChange[]): Reason {
  const breaking = changes.filter(({ criticality }) => criticality === "BREAKING");
  const named = breaking.slice(0, NAMED).map(({ message }) => message);
  if (breaking.length > NAMED) named.push(`and ${breaking.length - NAMED} more`);
  const message = `The new schema of ${name} breaks clients: ${named.join("; ")}. The one before it stays until this one is accepted: POST /gateway/services/${name}/accept.`;
  return { code: "BREAKING_CHANGE", message };
}
