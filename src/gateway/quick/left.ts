/**
 * How the quick road is left: where an answer is not as it should be, which the reference road says more of. Knows
 * nothing.
 */

export const LEFT = Symbol("left the quick road");

/** Throws LEFT. */
export function leave(): never {
  throw LEFT;
}
