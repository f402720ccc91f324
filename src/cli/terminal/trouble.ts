/** What is wrong with something, as one line for a terminal. Knows its parts; not where it comes from. */

/** Why something is not as its author wants it. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly step?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** `file:line:column: step: message (CODE)` in one line, as editors and terminals make a link of. */
export function troubleLine({ code, message, step, file, line, column }: Trouble): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  // Most messages begin with what stands before them here.
  const text = without(step, without(file, message)).replace(/\s*\n\s*/g, " ");
  return [place, step, `${text} (${code})`].filter(Boolean).join(": ");
}

/** The message without the word that it begins with, be it followed by a place in it or not. */
function without(word: string | undefined, message: string): string {
  const rest = word && message.startsWith(word) ? message.slice(word.length) : "";
  const [separator] = /^(?::\d+)*:?\s+/.exec(rest) ?? [];
  return separator ? rest.slice(separator.length) : message;
}
