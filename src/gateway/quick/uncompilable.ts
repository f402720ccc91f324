/**
 * Why an operation is not answered by code made for it: the reference road takes it. Knows nothing.
 */

/** Closed, for they are counted by name. The README's table is checked against this one. */
export const REASONS = [
  "media type not answered yet",
  "not one plain question",
  "seldom asked",
  "document too long",
  "document that is not valid",
  "variables for the reference road",
  "introspection",
  "subscription",
  "too many variables decide",
  "stitched services",
  "service of this process",
  "progressive override",
  "interface object",
  "one position of several services",
  "key of an abstract type",
  "key in parts",
  "field of no service",
  "type that clients do not see",
  "name with a meaning in JavaScript",
] as const;

export type Reason = (typeof REASONS)[number];

export class Uncompilable extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}
