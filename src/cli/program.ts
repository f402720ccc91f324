/**
 * The command line as a whole: its commands, and the one that is meant where none is named.
 * Knows what can be asked for; not how it is done.
 */
import { Command, Option } from "commander";
import { OPTIONS } from "../config.ts";
import { version } from "../version.ts";
import { addGraphCommands } from "./graph/commands.ts";
import { explain } from "./help.ts";
import { withoutHelp } from "./help-words.ts";
import { misplacedFlag } from "./misplaced-flag.ts";
import { addPluginCommands } from "./plugins/commands.ts";
import type { Run } from "./run-command.ts";
import { addServiceCommands } from "./services/commands.ts";
import { addTokenCommands } from "./token-commands.ts";
import { addUpkeepCommands } from "./upkeep/commands.ts";

export interface Surroundings {
  serve: (flags: Record<string, string | boolean>) => Promise<void>;
  run: Run;
  /** Called instead of the end of the process: after help or the version with 0, after a wrong word with another. */
  exit: (status: number) => never;
}

const WHOLE_EXITS = `
Exit status of every command:
  0  done, or yes
  1  not done, or no: standard error says why
  2  the command line or the environment is wrong; health: nobody answers`;

export function createProgram(surroundings: Surroundings): Command {
  const { serve, run, exit } = surroundings;
  const program = new Command("bobbin")
    .description("A service registry, health scheduler, GraphQL gateway and plugin host in one binary.")
    .version(version, "-v, --version")
    .configureHelp({ helpWidth: 80 })
    .exitOverride(({ exitCode }) => exit(exitCode))
    .showSuggestionAfterError()
    .showHelpAfterError("(with --help it shows examples, and what there is)")
    .enablePositionalOptions();
  explain(program, {
    examples: [
      ["bobbin", "start with the defaults"],
      ["bobbin --gateway-port 8080 --plugins ./code", "start on another port"],
      ["bobbin services", "what is registered"],
      ["bobbin query '{ getServices { name } }'", "ask the graph"],
      ["bobbin plugin new greeting", "a plugin to start from"],
      ["bobbin COMMAND --help", "examples and options of each"],
    ],
  }).addHelpText("after", WHOLE_EXITS);
  program.commandsGroup("The server:");
  addServe(program, serve);
  addServiceCommands(program, run);
  addGraphCommands(program, run);
  addUpkeepCommands(program, run);
  program.commandsGroup("Plugins and tokens:");
  addPluginCommands(program, run);
  addTokenCommands(program, run);
  program.commandsGroup("Help:").helpCommand("help [command...]", "the help of a command");
  return program;
}

/** Runs the command that the words name. Without a command, they are flags of `serve`. */
export async function runProgram(program: Command, given: readonly string[]): Promise<void> {
  const words = withoutHelp(program, given);
  const [first = ""] = words;
  const isServe = first === "" || (first.startsWith("-") && !/^(-h|--help|-v|--version)$/.test(first));
  const misplaced = isServe ? misplacedFlag(program, words) : undefined;
  if (misplaced) program.error(misplaced);
  await program.parseAsync(isServe ? ["serve", ...words] : words, { from: "user" });
}

function addServe(program: Command, serve: Surroundings["serve"]): void {
  const command = explain(program.command("serve"), {
    examples: [
      ["bobbin", "the same"],
      "bobbin serve --gateway-port 8080 --registry-port 8081 --core-port 8082",
      "JWT_SECRET=… bobbin serve --host 0.0.0.0",
    ],
    ok: "it was ended by a signal, in order",
    more: `Set by the environment alone:\n${environmentOnly()}`,
    no: "it could not start",
  }).description("start the server (the default)");
  for (const { flag, help, env, shown } of Object.values(OPTIONS))
    if (flag) command.addOption(new Option(flag, `${help} [${env}] (default: ${shown})`));
  // Another word is said to be no command, rather than that this one takes no arguments.
  command.allowExcessArguments();
  command.action((flags, { args: [word] }) => {
    const isCommand = program.commands.some((each) => each.name() === word);
    if (isCommand) command.error(`error: one command at a time: 'serve' or '${word}'`);
    if (word !== undefined) command.error(`error: unknown command '${word}'`);
    return serve(flags);
  });
}

const WIDTH = 80;
const NAME_WIDTH = 27;

function environmentOnly(): string {
  return Object.values(OPTIONS)
    .filter(({ flag }) => !flag)
    .map(({ env, help, shown }) => {
      const lines = [
        ...wrapped(help, WIDTH - NAME_WIDTH),
        ...wrapped(`(default: ${shown})`, WIDTH - NAME_WIDTH),
      ];
      return lines.map((line, i) => `${(i === 0 ? `  ${env}` : "").padEnd(NAME_WIDTH)}${line}`).join("\n");
    })
    .join("\n");
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
