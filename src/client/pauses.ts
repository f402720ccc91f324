/**
 * How long to wait before the next attempt: longer each time up to a bound, and never as long as others wait.
 * Knows numbers only.
 */

const FIRST_MS = 250;

/** `attempt`: how many failed so far, from 1 on. Between half of the pause and all of it. */
export function pauseAfter(attempt: number, mostMs: number): number {
  const pauseMs = Math.min(FIRST_MS * 2 ** Math.min(attempt - 1, 20), mostMs);
  return pauseMs * (0.5 + 0.5 * Math.random());
}
