/**
 * Fewer and later requests for the same answer: what one subgraph is asked of the same objects is asked at once, and
 * what can wait goes along with a later request to the same subgraph, for the answer is complete with the last one.
 * What fails costs more so: it is for answers of which nothing fails. Knows a planner's parts; nothing of documents.
 */
import type { RepresentationField, Selection } from "./plan.ts";
import type { DraftFetch } from "./spot.ts";

/** The parts with those left out that others can do along; of these, what they are asked is changed. */
export function joinedDrafts(drafts: readonly DraftFetch[]): DraftFetch[] {
  const needed = new Set(drafts.flatMap(({ after }) => [...after]));
  const kept = new Set(drafts);
  for (const draft of drafts) {
    if (!draft.entity || needed.has(draft)) continue;
    const other = drafts.find((each) => each !== draft && kept.has(each) && canTake(each, draft));
    if (!other) continue;
    for (const [condition, fields] of draft.selection.branches) {
      const known = other.selection.branches.get(condition) ?? new Map();
      other.selection.branches.set(condition, new Map([...known, ...fields]));
    }
    kept.delete(draft);
  }
  return [...kept];
}

/** Whether `other` asks the same subgraph for the same objects, with a representation that has all that `draft` needs. */
function canTake(other: DraftFetch, draft: DraftFetch): boolean {
  const [a, b] = [other.entity, draft.entity];
  if (!a || !b || other.graph !== draft.graph || other.after.has(draft)) return false;
  if (a.typename !== b.typename || a.type !== b.type || pathText(a.path) !== pathText(b.path)) return false;
  const has = (field: RepresentationField) =>
    a.fields.some(({ name, key }) => name === field.name && key === field.key);
  return b.fields.every(has) && !contradict(other.selection, draft.selection);
}

function pathText(path: readonly { type: string; key: string }[]): string {
  return path.map(({ type, key }) => `${type}.${key}`).join(" ");
}

function contradict(a: Selection, b: Selection): boolean {
  if (a.isAbstract !== b.isAbstract || a.typename !== b.typename) return true;
  for (const [condition, fields] of b.branches)
    for (const alias of fields.keys()) if (a.branches.get(condition)?.has(alias)) return true;
  return false;
}

/**
 * Moves parts that nothing waits for to a later level where their subgraph is asked anyway. `levels` is changed:
 * parts by when they can be asked at the earliest.
 */
export function sink(drafts: readonly DraftFetch[], levels: Map<DraftFetch, number>): void {
  const last = Math.max(0, ...levels.values());
  const levelOf = (draft: DraftFetch) => levels.get(draft) ?? 0;
  const users = new Map<DraftFetch, DraftFetch[]>();
  for (const draft of drafts)
    for (const before of draft.after) users.set(before, [...(users.get(before) ?? []), draft]);
  const callOf = (draft: DraftFetch) => `${levelOf(draft)} ${draft.graph}`;
  const latestFirst = [...drafts].sort((a, b) => levelOf(b) - levelOf(a));
  for (const call of new Set(latestFirst.map(callOf))) {
    const parts = drafts.filter((draft) => callOf(draft) === call);
    const moves = parts.map((draft) => {
      const limit = Math.min(last, ...(users.get(draft) ?? []).map((user) => levelOf(user) - 1));
      const later = drafts
        .filter((other) => other.entity && other.graph === draft.graph)
        .map(levelOf)
        .filter((level) => level > levelOf(draft) && level <= limit);
      return draft.entity && later.length > 0 ? Math.max(...later) : undefined;
    });
    // A request that is made all the same is the better place: what comes later may turn out not to be needed.
    if (moves.includes(undefined)) continue;
    for (const [i, draft] of parts.entries()) levels.set(draft, moves[i] as number);
  }
}
