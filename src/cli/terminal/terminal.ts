/**
 * The process as a command sees it: environment, standard streams, signals. main.ts supplies it.
 * Knows nothing of what is written.
 */
import { styleText } from "node:util";
import type { Environment } from "../settings.ts";

export interface Terminal {
  readonly env: Environment;
  /** How wide standard output is; undefined where it is no terminal. */
  readonly columns: number | undefined;
  /** Whether standard output takes colours. */
  readonly hasColours: boolean;
  /** Whether somebody watches standard error. */
  readonly showsProgress: boolean;
  /** A line to standard output, for a command that has more to say later. */
  print(line: string): Promise<void>;
  /** A file to standard output, byte for byte. Throws where not all of it was taken. */
  printFile(path: string): Promise<void>;
  /** To standard error, as it is. */
  say(text: string): Promise<void>;
  /** Standard input, whole. */
  readInput(): Promise<string>;
  /** Aborts when the command is to end; a command that does not ask for it ends at once. */
  interrupted(): AbortSignal;
}

export type Colour = "green" | "yellow" | "red" | "cyan" | "bold" | "dim";

export function painted(text: string, colour: Colour | undefined, { hasColours }: Terminal): string {
  return hasColours && colour ? styleText(colour, text, { validateStream: false }) : text;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  ACTIVE: "green",
  ok: "green",
  DEGRADED: "yellow",
  INACTIVE: "yellow",
  degraded: "yellow",
  warn: "yellow",
  DANGEROUS: "yellow",
  MAINTENANCE: "cyan",
  ERROR: "red",
  unhealthy: "red",
  fail: "red",
  BREAKING: "red",
};

/** What a word for a state is painted in. */
export function colourOf(state: string): Colour | undefined {
  return COLOURS[state];
}
