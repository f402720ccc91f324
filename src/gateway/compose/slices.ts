/**
 * Work in slices, so that a thread which does it serves requests in between. Knows nothing of what is done.
 */
import { setImmediate } from "node:timers/promises";

/** Stops where a pause does no harm; with a promise, where there is nothing to do before that resolves. */
export type Slices<T> = Generator<Promise<void> | undefined, T>;

export interface Done<T> {
  readonly value: T;
  /** How long was worked for it, without the pauses. */
  readonly ms: number;
}

/** Does work without a pause that nothing has to be awaited for. */
export function atOnce<T>(slices: Slices<T>): Done<T> {
  const startedAt = performance.now();
  for (;;) {
    const slice = slices.next();
    if (slice.done) return { value: slice.value, ms: performance.now() - startedAt };
    if (slice.value) throw new Error("what has to wait cannot be done at once");
  }
}

/** Does it with a pause after each slice. Undefined where it is not wanted any more after one of them. */
export async function inSlices<T>(slices: Slices<T>, isWanted: () => boolean): Promise<Done<T> | undefined> {
  for (let ms = 0; isWanted(); ) {
    const startedAt = performance.now();
    const slice = slices.next();
    ms += performance.now() - startedAt;
    if (slice.done) return { value: slice.value, ms };
    await (slice.value ?? setImmediate());
  }
  return undefined;
}
