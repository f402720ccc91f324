/**
 * Builds what executes a set of subgraphs: the federated ones as a group, and the islands that all make.
 * Knows what goes together and what does not; nothing of versions, or of who was there first.
 */
import { messageOf } from "../../errors.ts";
import type { Group, Member } from "../federation/group.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import type { Island } from "./island.ts";
import { islandsOf } from "./islands.ts";
import { type Memory, Unready } from "./memory.ts";
import type { Reason } from "./ownership.ts";

export interface Built {
  readonly islands: readonly Island[];
  readonly group: Group | undefined;
}

/** What does not compose together, and why. */
export interface Failure {
  readonly reason: Reason;
  readonly subgraphs: readonly Subgraph[];
}

/** All of them, or what is in the way. */
export function build(subgraphs: readonly Subgraph[], memory: Memory): Built | { failure: Failure } {
  const members = subgraphs.filter(isMember);
  const others = subgraphs.filter((subgraph) => !isMember(subgraph));
  const group = attempt(members, () => (members.length > 0 ? memory.group(members) : undefined));
  if ("failure" in group) return group;
  const islands: Island[] = [];
  for (const parts of islandsOf(others, members, group.made)) {
    const own = parts.group ? members : [];
    const island = attempt([...own, ...parts.subgraphs], () => memory.island(parts, own));
    if ("failure" in island) return island;
    islands.push(island.made);
  }
  return { islands, group: group.made };
}

/** As many of them as go together. `failed`: the others, and why. */
export function buildMost(
  subgraphs: readonly Subgraph[],
  memory: Memory,
): Built & { readonly failed: ReadonlyMap<Subgraph, Reason> } {
  const failed = new Map<Subgraph, Reason>();
  let left = subgraphs;
  for (;;) {
    const built = build(left, memory);
    if (!("failure" in built)) return { ...built, failed };
    const { subgraphs: concerned } = built.failure;
    const others = left.filter((subgraph) => !concerned.includes(subgraph));
    const { kept, reasons } = oneByOne(others, concerned, memory);
    for (const subgraph of concerned) {
      const reason = reasons.get(subgraph);
      if (reason && !kept.has(subgraph)) failed.set(subgraph, reason);
    }
    left = left.filter((subgraph) => !failed.has(subgraph));
  }
}

/** Those that go with `others` when one after the other is added; one that needs a later one has another turn. */
function oneByOne(others: readonly Subgraph[], concerned: readonly Subgraph[], memory: Memory) {
  const kept = new Set<Subgraph>();
  const reasons = new Map<Subgraph, Reason>();
  for (let before = -1; kept.size > before; ) {
    before = kept.size;
    for (const subgraph of concerned) {
      if (kept.has(subgraph)) continue;
      const tried = build([...others, ...kept, subgraph], memory);
      // Others that fail have their own turn.
      const isItself = "failure" in tried && tried.failure.subgraphs.includes(subgraph);
      if (isItself) reasons.set(subgraph, tried.failure.reason);
      else kept.add(subgraph);
    }
  }
  return { kept, reasons };
}

function isMember(subgraph: Subgraph): subgraph is Subgraph & Member {
  return subgraph.document !== undefined;
}

function attempt<T>(subgraphs: readonly Subgraph[], make: () => T): { made: T } | { failure: Failure } {
  try {
    return { made: make() };
  } catch (cause) {
    if (cause instanceof Unready) throw cause;
    return { failure: { subgraphs, reason: { code: "COMPOSITION_FAILED", message: messageOf(cause) } } };
  }
}
