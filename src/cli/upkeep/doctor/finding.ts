/** What the doctor says of one thing. Knows words; not what is looked at. */

/** What one check found. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do about it, where something is to be done. */
  readonly advice?: string;
}
