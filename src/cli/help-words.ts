/**
 * `help` as a word: `help plugin new` is `plugin new --help`. The parser's own help command looks at one word only, and
 * shows the help of the whole where that is none. Knows what commands declare; nothing of what they do.
 */
import type { Command } from "commander";

/** The words without `help`. Of a command that is not there only its name is left, for the parser to refuse it. */
export function withoutHelp(program: Command, words: readonly string[]): readonly string[] {
  const path: string[] = [];
  let command = program;
  let isAsked = false;
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word);
    if (next) {
      path.push(word);
      command = next;
    } else if (word === "help" && !isAsked && command.commands.length > 0) isAsked = true;
    else if (isAsked && command.commands.length > 0 && !word.startsWith("-")) return [...path, word];
    else break;
  }
  return isAsked ? [...path, "--help"] : words;
}
