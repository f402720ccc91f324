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

export const REGISTRY_OPTION = ["--registry <url>", "where the running bobbin's registry is"] as const;
export const GATEWAY_OPTION = ["--gateway <url>", "where the running bobbin's gateway is"] as const;
export const CORE_OPTION = ["--core <url>", "where the running bobbin's core is"] as const;
export const TOKEN_OPTION = ["--token <token>", "what opens its writes"] as const;
export const JSON_OPTION = ["--json", "print JSON"] as const;

export const REGISTRY_HELP = `Without --registry it is looked for at SERVICE_REGISTRY_URL, else where HOST and
SERVICE_REGISTRY_PORT say, or else on http://localhost:3999.`;

export const GATEWAY_HELP = `Without --gateway it is looked for where HOST and GATEWAY_PORT say, or else on
http://localhost:3000.`;

export const CORE_HELP = `Without --core it is looked for where HOST and CORE_PORT say, or else on
http://localhost:3001.`;

export const TOKEN_HELP = `Where that bobbin wants a token, say --token, or set BOBBIN_TOKEN or
SERVICE_REGISTRY_TOKEN to one, or JWT_SECRET to its secret, of which a token of
one minute is made.`;
