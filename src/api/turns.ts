/**
 * Turns of the event loop for long work in slices: one slice in each, whoever's it is, so that many who have long work
 * at the same time hold up others no longer than one does. Knows nothing of what is done.
 */
import { setImmediate } from "node:timers/promises";

let last: Promise<void> = Promise.resolve();

/** Resolves in a turn in which no one else does a slice. */
export function nextTurn(): Promise<void> {
  last = last.then(() => setImmediate());
  return last;
}
