/**
 * Flags that stand before a command, where they are taken for the server's: says which command has them, or has not.
 * Knows what commands declare; nothing of what they do.
 */
import type { Command, Option } from "commander";

/** What is wrong with the first flag; undefined where no command follows, or where neither has such a flag. */
export function misplacedFlag(program: Command, words: readonly string[]): string | undefined {
  const [flag = ""] = words[0]?.split("=") ?? [];
  const serve = commandOf(program, "serve");
  const named = namedCommand(program, words.slice(endOfFlags(program, serve, words)));
  if (!named) return undefined;
  const { path, command } = named;
  if (optionOf(command, flag)) return `error: '${flag}' goes after the command: bobbin ${path} ${flag}`;
  if (!optionOf(serve, flag)) return undefined;
  return `error: '${flag}' is a flag of 'serve', not of '${path}', whose flags go after it`;
}

/** Where the first word is that is a command, and not the value of one of the server's flags. */
function endOfFlags(program: Command, serve: Command | undefined, words: readonly string[]): number {
  let isValue = false;
  const index = words.findIndex((word) => {
    const isCommand = !isValue && commandOf(program, word) !== undefined;
    isValue = optionOf(serve, word)?.required === true;
    return isCommand;
  });
  return index < 0 ? words.length : index;
}

/** The command that the words begin with, with all the words that lead to it. */
function namedCommand(
  program: Command,
  words: readonly string[],
): { path: string; command: Command } | undefined {
  const path: string[] = [];
  let command = program;
  for (const word of words) {
    const next = commandOf(command, word);
    if (!next) break;
    path.push(word);
    command = next;
  }
  return path.length > 0 ? { path: path.join(" "), command } : undefined;
}

/** The commands that help shows: `help` itself is one of them. */
const commandOf = (command: Command, name: string): Command | undefined =>
  command
    .createHelp()
    .visibleCommands(command)
    .find((each) => each.name() === name);

const optionOf = (command: Command | undefined, flag: string): Option | undefined =>
  command?.options.find(({ long, short }) => flag === long || flag === short);
