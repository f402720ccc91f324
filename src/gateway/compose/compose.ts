/**
 * Many subgraphs as one schema. Pure: subgraphs in, schema and reasons out.
 * Knows the rules of who owns what; nothing of services, fetching or time.
 */
import type { GraphQLSchema } from "graphql";
import { messageOf } from "../../errors.ts";
import type { Group, Member } from "../federation/group.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import type { Island } from "./island.ts";
import { islandsOf } from "./islands.ts";
import { compositionMemory, type Memory, Unready } from "./memory.ts";
import { collisionOf, Ownership, type Reason } from "./ownership.ts";

export type { Reason } from "./ownership.ts";

/** A service whose newest schema is not in the graph yet, with the one of it that is, if any. */
export interface Candidate {
  readonly latest: Subgraph;
  readonly previous: Subgraph | undefined;
}

export interface Composition {
  /** What clients see; it executes nothing. */
  readonly schema: GraphQLSchema;
  /** What executes it, part by part. */
  readonly islands: readonly Island[];
  /** The federated services among them, as one. */
  readonly group: Group | undefined;
  /** What the schema consists of. */
  readonly subgraphs: readonly Subgraph[];
  /** Service → why its newest schema is not in the graph; its previous one may be. */
  readonly rejected: ReadonlyMap<string, Reason>;
}

/**
 * `incumbents` are in the graph already, unchanged, and keep what they own; `candidates` follow in order of
 * precedence. A candidate that collides is left out alone: its previous schema stays where it has one. Throws Unready
 * where the memory does.
 */
export function compose(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  memory: Memory = compositionMemory(),
): Composition {
  const heldBack = new Map<Candidate, Reason>();
  for (;;) {
    const { subgraphs, rejected, newest, taker } = choose(incumbents, candidates, heldBack);
    if (taker) {
      heldBack.set(taker.candidate, taker.reason);
      continue;
    }
    const { islands, group, failed } = buildMost(subgraphs, newest, memory);
    const failedNewest = [...newest].flatMap(([subgraph, candidate]) => {
      const reason = failed.get(subgraph);
      return reason ? [{ candidate, reason }] : [];
    });
    if (failedNewest.length === 0) {
      // What was in the graph fails where a service is gone whose types completed its own.
      for (const [{ name }, reason] of failed) rejected.set(name, reason);
      return {
        schema: memory.join(islands),
        islands,
        group,
        subgraphs: subgraphs.filter((subgraph) => !failed.has(subgraph)),
        rejected,
      };
    }
    for (const { candidate, reason } of failedNewest) heldBack.set(candidate, reason);
  }
}

interface Choice {
  readonly subgraphs: readonly Subgraph[];
  readonly rejected: Map<string, Reason>;
  /** Those of `subgraphs` that are new. */
  readonly newest: ReadonlyMap<Subgraph, Candidate>;
  /** A candidate whose newest schema takes what another has in the graph and keeps: it has to be held back. */
  readonly taker: { candidate: Candidate; reason: Reason } | undefined;
}

/**
 * Chooses a version of each candidate. The newest ones are tried against each other first, so that services which
 * change a shared type in step get through together.
 */
function choose(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  heldBack: ReadonlyMap<Candidate, Reason>,
): Choice {
  const graph = new Ownership();
  const rejected = new Map<string, Reason>();
  const newest = new Map<Subgraph, Candidate>();
  for (const incumbent of incumbents) graph.add(incumbent);
  for (const [{ latest, previous }, reason] of heldBack) {
    rejected.set(latest.name, reason);
    if (previous) graph.add(previous);
  }
  for (const candidate of candidates) {
    const { latest, previous } = candidate;
    if (heldBack.has(candidate)) continue;
    const collision = graph.collision(latest);
    if (!collision) {
      newest.set(latest, candidate);
      graph.add(latest);
      continue;
    }
    rejected.set(latest.name, collision.reason);
    const loss = previous && graph.collision(previous);
    const winner = loss?.owner && newest.get(loss.owner);
    // What the graph has already fits together, so only a newest schema can be in the way of a previous one.
    if (previous && winner) {
      const taker = { candidate: winner, reason: collisionOf(winner.latest, previous) ?? loss.reason };
      return { subgraphs: graph.subgraphs, rejected, newest, taker };
    }
    if (previous) graph.add(previous);
  }
  return { subgraphs: graph.subgraphs, rejected, newest, taker: undefined };
}

interface Built {
  readonly islands: readonly Island[];
  readonly group: Group | undefined;
  /** What composing fails with. */
  readonly failed: ReadonlyMap<Subgraph, Reason>;
}

/** Composes the federated services, and builds the islands that they and the others make, as far as they go together. */
function buildMost(
  subgraphs: readonly Subgraph[],
  newest: ReadonlyMap<Subgraph, Candidate>,
  memory: Memory,
): Built {
  const federated = most(subgraphs.filter(isMember), newest, (members) => memory.group(members));
  const { result: group, kept: members } = federated;
  const failed = new Map<Subgraph, Reason>(federated.failed);
  const islands: Island[] = [];
  const others = subgraphs.filter((subgraph) => !isMember(subgraph));
  for (const parts of islandsOf(others, members, group)) {
    const own = parts.group ? members : [];
    const built = most(parts.subgraphs, newest, (some) =>
      memory.island({ subgraphs: some, group: parts.group }, own),
    );
    for (const [subgraph, reason] of built.failed) failed.set(subgraph, reason);
    // Where none of the others goes with the federated services, those are an island for themselves.
    const island = built.result ?? (parts.group && memory.island({ subgraphs: [], group: parts.group }, own));
    if (island) islands.push(island);
  }
  return { islands, group, failed };
}

function isMember(subgraph: Subgraph): subgraph is Subgraph & Member {
  return subgraph.document !== undefined;
}

interface Most<Item, Result> {
  readonly result: Result | undefined;
  readonly kept: readonly Item[];
  readonly failed: ReadonlyMap<Item, Reason>;
}

/**
 * What can be made of all items; where that fails, of as many as go together, what was in the graph before what is
 * new. One that needs another which was not there yet is tried once more.
 */
function most<Item extends Subgraph, Result>(
  items: readonly Item[],
  newest: ReadonlyMap<Subgraph, Candidate>,
  make: (items: readonly Item[]) => Result,
): Most<Item, Result> {
  let kept: readonly Item[] = [];
  let result: Result | undefined;
  const failed = new Map<Item, Reason>();
  const add = (some: readonly Item[]): void => {
    try {
      const all = items.filter((item) => kept.includes(item) || some.includes(item));
      result = make(all);
      kept = all;
      for (const item of some) failed.delete(item);
    } catch (cause) {
      if (cause instanceof Unready) throw cause;
      const [first] = some;
      if (some.length > 1) {
        const inOrder = [...some].sort((a, b) => Number(newest.has(a)) - Number(newest.has(b)));
        const middle = some.length >> 1;
        add(inOrder.slice(0, middle));
        add(inOrder.slice(middle));
      } else if (first) {
        failed.set(first, { code: "COMPOSITION_FAILED", message: messageOf(cause) });
      }
    }
  };
  if (items.length > 0) add(items);
  for (let before = Number.POSITIVE_INFINITY; failed.size > 0 && failed.size < before; ) {
    before = failed.size;
    add([...failed.keys()]);
  }
  return { result, kept, failed };
}
