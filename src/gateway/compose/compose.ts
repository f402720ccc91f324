/**
 * Many subgraphs as one schema. Pure: subgraphs in, schema and reasons out.
 * Knows the rules of who owns what; nothing of services, fetching or time.
 */
import type { GraphQLSchema } from "graphql";
import type { Group } from "../federation/group.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { type Built, build, buildMost, type Failure } from "./build.ts";
import type { Island } from "./island.ts";
import { compositionMemory, type Memory } from "./memory.ts";
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
 * precedence. A candidate that collides, or with which the others do not compose, is left out alone: its previous
 * schema stays where it has one. Throws Unready where the memory does.
 */
export function compose(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  memory: Memory = compositionMemory(),
): Composition {
  const attempt = (heldBack: HeldBack, without: ReadonlySet<string> = NOBODY): Attempt => {
    const choice = choose(incumbents, candidates, heldBack);
    const subgraphs = choice.subgraphs.filter(({ name }) => !without.has(name));
    return { choice, built: build(subgraphs, memory) };
  };
  const whole = attempt(new Map());
  if (!("failure" in whole.built)) return composed(whole.choice, whole.built, memory);
  return admit(attempt, whole.choice, whole.built.failure, memory);
}

type HeldBack = ReadonlyMap<Candidate, Reason>;

interface Attempt {
  readonly choice: Choice;
  readonly built: Built | { readonly failure: Failure };
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Where not all goes together, the graph as it was is the beginning, and what is new is added as far as everything
 * that is there still composes with it: by halves, so that few that do not fit are found among many that do.
 */
function admit(
  attempt: (heldBack: HeldBack, without?: ReadonlySet<string>) => Attempt,
  { newest }: Choice,
  { reason }: Failure,
  memory: Memory,
): Composition {
  let heldBack = new Map([...newest.values()].map((candidate) => [candidate, reason]));
  const before = attempt(heldBack).choice;
  // What fails without anything new fails because somebody is gone whose types completed its own.
  const { failed, ...kept } = buildMost(before.subgraphs, memory);
  const orphans = new Map([...failed].map(([{ name }, reason]) => [name, reason]));
  let best: { choice: Choice; built: Built } = { choice: before, built: kept };

  const tryWith = (fewer: HeldBack, without: ReadonlySet<string>): Failure | undefined => {
    const tried = attempt(fewer, without);
    if ("failure" in tried.built) return tried.built.failure;
    best = { choice: tried.choice, built: tried.built };
    return undefined;
  };
  const add = (some: readonly Candidate[]): void => {
    const fewer = new Map([...heldBack].filter(([candidate]) => !some.includes(candidate)));
    const problem = tryWith(fewer, new Set(orphans.keys()));
    const [first] = some;
    if (!problem) heldBack = fewer;
    else if (some.length > 1) {
      const middle = some.length >> 1;
      add(some.slice(0, middle));
      add(some.slice(middle));
    } else if (first) heldBack.set(first, blamed(first, problem));
  };
  // One that needs another which was not there yet is tried once more, as long as that helps.
  for (let left = Number.POSITIVE_INFINITY; heldBack.size > 0 && heldBack.size < left; ) {
    left = heldBack.size;
    add([...heldBack.keys()]);
  }
  for (const name of [...orphans.keys()]) {
    const others = new Set([...orphans.keys()].filter((each) => each !== name));
    if (!tryWith(heldBack, others)) orphans.delete(name);
  }
  for (const [{ latest }, reason] of heldBack) best.choice.rejected.set(latest.name, reason);
  for (const [name, reason] of orphans) best.choice.rejected.set(name, reason);
  return composed(best.choice, best.built, memory, orphans);
}

/** Why a candidate alone is to blame, where the others compose without it. */
function blamed({ latest }: Candidate, { reason, subgraphs }: Failure): Reason {
  if (subgraphs.includes(latest)) return reason;
  const message = `With the new schema of ${latest.name}, others do not compose: ${reason.message}`;
  return { ...reason, message };
}

function composed(
  { subgraphs, rejected }: Choice,
  { islands, group }: Built,
  memory: Memory,
  without: ReadonlyMap<string, Reason> = new Map(),
): Composition {
  return {
    schema: memory.join(islands),
    islands,
    group,
    subgraphs: subgraphs.filter(({ name }) => !without.has(name)),
    rejected,
  };
}

interface Choice {
  readonly subgraphs: readonly Subgraph[];
  readonly rejected: Map<string, Reason>;
  /** Those of `subgraphs` that are new. */
  readonly newest: ReadonlyMap<Subgraph, Candidate>;
}

/** Chooses a version of each candidate, the previous one of those that take what others have and keep. */
function choose(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  heldBack: HeldBack,
): Choice {
  const all = new Map(heldBack);
  for (;;) {
    const choice = chooseOnce(incumbents, candidates, all);
    if (!("taker" in choice)) return choice;
    all.set(choice.taker.candidate, choice.taker.reason);
  }
}

/**
 * The newest ones are tried against each other first, so that services which change a shared type in step get through
 * together. Or the candidate whose newest schema takes what another has in the graph and keeps: it has to be held back.
 */
function chooseOnce(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  heldBack: HeldBack,
): Choice | { taker: { candidate: Candidate; reason: Reason } } {
  const graph = new Ownership(
    candidates.flatMap(({ latest, previous }) => (previous ? [latest, previous] : [latest])),
  );
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
      return { taker };
    }
    if (previous) graph.add(previous);
  }
  return { subgraphs: graph.subgraphs, rejected, newest };
}
