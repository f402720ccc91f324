/** The form of every command's help: examples first, then usage and options, then how it ends. Knows no command. */
import type { Command } from "commander";

export interface Help {
  /** Each a command line, or one and what it does. */
  readonly examples: readonly (string | readonly [command: string, effect: string])[];
  /** What there is to know beside the options; lines of 80 columns at most. */
  readonly more?: string;
  /** What status 1 stands for; 0 is the opposite. Absent for what only groups commands. */
  readonly no?: string;
  readonly ok?: string;
  readonly usage?: string;
}

const USAGE = "the command line or the environment is wrong";

export function explain(command: Command, { examples, more, ok, no, usage = USAGE }: Help): Command {
  const width = Math.max(...examples.map((each) => (typeof each === "string" ? 0 : each[0].length)));
  const lines = examples.map((each) =>
    typeof each === "string" ? `  $ ${each}` : `  $ ${each[0].padEnd(width)}  ${each[1]}`,
  );
  command.addHelpText("before", `Examples:\n${lines.join("\n")}\n`);
  if (more) command.addHelpText("after", `\n${more}`);
  if (no) command.addHelpText("after", `\nExit status:\n  0  ${ok ?? "done"}\n  1  ${no}\n  2  ${usage}`);
  return command;
}
