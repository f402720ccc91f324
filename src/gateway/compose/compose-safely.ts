/**
 * Composes, and holds back what would break the graph's clients. Pure: subgraphs in, schema, changes and reasons out.
 * Knows what breaks clients; not who may break them all the same, nor for how long something waits.
 */
import type { SchemaChange } from "../../events.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { changedServices, type Graph } from "./changed-services.ts";
import { type Candidate, type Composition, compose } from "./compose.ts";
import { type Memory, Unready } from "./memory.ts";
import type { Reason } from "./ownership.ts";
import type { Slices } from "./slices.ts";

export interface SafeComposition extends Composition {
  /** Service → what its other schema, its first one, or that it is gone, changes in the graph. */
  readonly changes: ReadonlyMap<string, readonly SchemaChange[]>;
  /** Service → its newest schema, which waits, and what that would change. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}

export interface Waiting {
  readonly schema: Subgraph;
  /** Whether the graph has none of the service that stays. */
  readonly isFirst: boolean;
  readonly changes: readonly SchemaChange[];
}

/**
 * Everything new is tried together first, and in every composition anew: what one service gives up another may bring,
 * at the same time or later. Then those that are to blame for what breaks are held back, except where one `mayBreak`.
 * With pauses, for composing and comparing many services takes a while each.
 */
export function* composeSafely(
  before: Graph | undefined,
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  mayBreak: (candidate: Candidate) => boolean,
  memory?: Memory,
): Slices<SafeComposition> {
  const waiting = new Map<string, Waiting>();
  for (;;) {
    const composition = yield* whenReady(() => tryAll(incumbents, candidates, waiting, memory));
    yield;
    const changes = before ? changedServices(before, composition) : new Map<string, SchemaChange[]>();
    const breaking = candidates.filter((candidate) => {
      const { name } = candidate.latest;
      return !waiting.has(name) && isBreaking(changes.get(name)) && !mayBreak(candidate);
    });
    if (breaking.length === 0) {
      for (const prepare of composition.group?.preparations ?? []) {
        yield;
        prepare();
      }
      yield;
      return { ...composition, changes, waiting };
    }
    for (const { latest, previous } of breaking) {
      const list = changes.get(latest.name) ?? [];
      waiting.set(latest.name, { schema: latest, isFirst: previous === undefined, changes: list });
    }
  }
}

/** Tries again when the part is there that is being made. */
function* whenReady<T>(attempt: () => T): Slices<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof Unready)) throw error;
      yield error.ready;
    }
  }
}

/** Composes without the schemas that wait: those before them, where there are any, count as unchanged. */
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
  const reasons = [...waiting].map(([name, each]) => [name, breaksClients(name, each)] as const);
  return { ...composition, rejected: new Map([...reasons, ...composition.rejected]) };
}

function isBreaking(changes: readonly SchemaChange[] = []): boolean {
  return changes.some(({ criticality }) => criticality === "BREAKING");
}

/** How many changes the reason names. */
const NAMED = 3;

function breaksClients(name: string, { changes, isFirst }: Waiting): Reason {
  const breaking = changes.filter(({ criticality }) => criticality === "BREAKING");
  const named = breaking.slice(0, NAMED).map(({ message }) => message);
  if (breaking.length > NAMED) named.push(`and ${breaking.length - NAMED} more`);
  const [which, until] = isFirst
    ? ["schema", `${name} is left out, because there is no schema of it before, until this one is accepted`]
    : ["new schema", "The one before it stays until this one is accepted"];
  const message = `The ${which} of ${name} breaks clients: ${named.join("; ")}. ${until}: POST /gateway/services/${name}/accept.`;
  return { code: "BREAKING_CHANGE", message };
}
