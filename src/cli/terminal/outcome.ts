/** What came of a command: what it has to say, and whether it went well. A command line that is wrong is thrown. */

/** What every command ends with, and scripts rely on. */
export const EXITS = { ok: 0, no: 1, usage: 2 } as const;

export interface Outcome {
  /** Of the process, when it ends. */
  readonly status: (typeof EXITS)[keyof typeof EXITS];
  /** For standard output. */
  readonly out: readonly string[];
  /** For standard error. */
  readonly err: readonly string[];
}

export const done = (...out: string[]): Outcome => ({ status: EXITS.ok, out, err: [] });

export const failed = (...err: string[]): Outcome => ({ status: EXITS.no, out: [], err });
