/**
 * Why an operation is not answered by code made for it: the reference road takes it. Knows nothing.
 */

/** Closed, for they are counted by name. */
export type Reason =
  | "introspection"
  | "subscription"
  | "too many variables decide"
  | "stitched services"
  | "service of this process"
  | "progressive override"
  | "interface object"
  | "one position of several services"
  | "key of an abstract type"
  | "key in parts"
  | "field of no service"
  | "type that clients do not see"
  | "name with a meaning in JavaScript";

export class Uncompilable extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}
