/** What came of a command: what it has to say, and whether it went well. A command line that is wrong is thrown. */

export interface Outcome {
  /** Of the process, when it ends. */
  readonly status: 0 | 1;
  /** For standard output. */
  readonly out: readonly string[];
  /** For standard error. */
  readonly err: readonly string[];
}

export const done = (...out: string[]): Outcome => ({ status: 0, out, err: [] });

export const failed = (...err: string[]): Outcome => ({ status: 1, out: [], err });
