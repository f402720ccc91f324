/**
 * Plugins and what is wrong with them as texts for a terminal. Knows what is said of them; not where it comes from.
 */

/** Why something is not as its author wants it. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly step?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A plugin as a running bobbin describes it. */
export interface PluginView {
  readonly name: string;
  readonly file: string;
  readonly version: string | null;
  readonly isolation: string | null;
  readonly status: string;
  readonly statusReason: string | null;
  readonly reason: Trouble | null;
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

const HEAD = ["NAME", "STATUS", "ISOLATION", "VERSION", "FILE"];

/** A table, with what is wrong below each plugin that something is wrong with. */
export function pluginTable(plugins: readonly PluginView[]): string[] {
  const rows = plugins.map(({ name, status, isolation, version, file }) => [
    name,
    status,
    isolation ?? "-",
    version ?? "-",
    file,
  ]);
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const body = plugins.flatMap(({ reason, statusReason }, index) => {
    const trouble = reason ? troubleLine(reason) : statusReason;
    return [lineOf(rows[index] ?? []), ...(trouble ? [`  ${trouble}`] : [])];
  });
  return [lineOf(HEAD), ...body];
}
