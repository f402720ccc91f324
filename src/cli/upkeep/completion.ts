/**
 * `bobbin completion`: what shells need to complete the command line, made of its own declarations.
 * Knows how each shell is told; no command.
 */
import type { Command, Option } from "commander";
import { done, type Outcome } from "../terminal/outcome.ts";

/** What may follow the words of one command. */
interface Place {
  /** The words that lead there: "plugin check"; "" for none. */
  readonly path: string;
  /** Words with what they mean. */
  readonly words: readonly (readonly [word: string, meaning: string])[];
  /** Options after which a value comes, which the shell completes as a file. */
  readonly valued: readonly string[];
}

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function completion(program: Command, shell: keyof typeof SCRIPTS): Outcome {
  const places = placesOf(program, "");
  const serve = places.find(({ path }) => path === "serve");
  // Without a command, flags are those of the server.
  const whole = places.map((place) =>
    place.path === "" && serve
      ? { ...place, words: [...place.words, ...serve.words.filter(isOption)], valued: serve.valued }
      : place,
  );
  return done(SCRIPTS[shell](whole).trimEnd());
}

function placesOf(command: Command, path: string): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const options = help.visibleOptions(command);
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const words = [
    ...commands.map((each) => [each.name(), each.description()] as const),
    ...choices.map((choice) => [choice, ""] as const),
    ...options.flatMap((option) => namesOf(option).map((name) => [name, option.description] as const)),
  ];
  const valued = options.filter(({ required, optional }) => required || optional).flatMap(namesOf);
  const below = command.commands.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trim()));
  const unique = [...new Map(words)].filter(([word]) => word !== "-h");
  return [{ path, words: unique, valued }, ...below];
}

const namesOf = ({ short, long }: Option): string[] => [long, short].filter((name) => name !== undefined);
const isOption = ([word]: readonly [string, string]): boolean => word.startsWith("-");
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const quotedForFish = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
const pathsOf = (places: readonly Place[]): string[] => places.map(({ path }) => path).filter(Boolean);

/** The branches of a `case` that are worth one. */
function branches(places: readonly Place[], branch: (place: Place) => string | undefined): string {
  return places.flatMap((place) => branch(place) ?? []).join("\n");
}

const valuedPattern = ({ path, valued }: Place): string =>
  valued.map((option) => quoted(`${path}:${option}`)).join("|");

function bashScript(places: readonly Place[]): string {
  return `# Completion of bobbin in bash: source <(bobbin completion bash)
_bobbin() {
  local path="" words="" i
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
      ${pathsOf(places).map(quoted).join("|")})
        path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$path:$before" in
${branches(places, (place) => (place.valued.length > 0 ? `    ${valuedPattern(place)}) return ;;` : undefined))}
  esac
  case "$path" in
${branches(places, ({ path, words }) => `    ${quoted(path)}) words=${quoted(words.map(([word]) => word).join(" "))} ;;`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _bobbin bobbin
`;
}

function zshScript(places: readonly Place[]): string {
  const described = ({ words }: Place) =>
    words.map(([word, meaning]) => quoted(`${word.replaceAll(":", "\\:")}:${meaning}`)).join(" ");
  return `#compdef bobbin
# Completion of bobbin in zsh: source <(bobbin completion zsh), after compinit
_bobbin() {
  local at="" i
  local -a candidates
  for ((i = 2; i < CURRENT; i++)); do
    case "\${at:+$at }\${words[i]}" in
      (${pathsOf(places).map(quoted).join("|")})
        at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${branches(places, (place) => (place.valued.length > 0 ? `    (${valuedPattern(place)}) _files; return ;;` : undefined))}
  esac
  case "$at" in
${branches(places, (place) => `    (${quoted(place.path)}) candidates=(${described(place)}) ;;`)}
  esac
  _describe bobbin candidates || _files
}
if [ "$funcstack[1]" = "_bobbin" ]; then _bobbin "$@"; else compdef _bobbin bobbin; fi
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, valued }) => {
    const at = `complete -c bobbin -n ${quotedForFish(`__bobbin_at ${quotedForFish(path)}`)}`;
    return words.map(([word, meaning]) => {
      const what = meaning ? ` -d ${quotedForFish(meaning)}` : "";
      if (!word.startsWith("-")) return `${at} -f -a ${quotedForFish(word)}${what}`;
      const name = word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
      return `${at} ${name}${valued.includes(word) ? " -r" : ""}${what}`;
    });
  });
  return `# Completion of bobbin in fish: bobbin completion fish | source
function __bobbin_at
    set -l at
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        set -l next (string join ' ' -- $at $word)
        if contains -- "$next" ${pathsOf(places).map(quotedForFish).join(" ")}
            set -a at $word
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}
