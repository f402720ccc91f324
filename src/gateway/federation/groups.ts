/**
 * Compositions of federated services, each made once: what did not change is not composed again.
 * Knows members by identity; nothing of why they are tried together.
 */
import { composeGroup, type Group, type Member } from "./group.ts";

export type GroupOf = (members: readonly Member[]) => Group;

/** Sets of members whose outcome is remembered: a composition tries the same few again while one of them is refused. */
const REMEMBERED = 16;

/** `composeGroup` with a memory. Throws what it throws. */
export function rememberingGroups(): GroupOf {
  const outcomes: { members: readonly Member[]; outcome: { group: Group } | { error: unknown } }[] = [];
  return (members) => {
    const at = outcomes.findIndex((each) => isSame(each.members, members));
    const known = outcomes[at] ?? { members, outcome: attempt(members) };
    if (at >= 0) outcomes.splice(at, 1);
    outcomes.unshift(known);
    outcomes.splice(REMEMBERED);
    if ("error" in known.outcome) throw known.outcome.error;
    return known.outcome.group;
  };
}

function attempt(members: readonly Member[]): { group: Group } | { error: unknown } {
  try {
    return { group: composeGroup(members) };
  } catch (error) {
    return { error };
  }
}

function isSame(a: readonly Member[], b: readonly Member[]): boolean {
  return a.length === b.length && a.every((member, i) => member === b[i]);
}
