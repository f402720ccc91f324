/**
 * Tables in plain text: columns that are aligned, lines that are cut to the terminal where there is one.
 * Knows texts and widths; nothing of what they say.
 */
import { type Colour, painted, type Terminal } from "./terminal.ts";

export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

const GAP = 2;

/** The head and the rows, one line each. */
export function table(head: readonly string[], rows: readonly Cell[][], terminal: Terminal): string[] {
  const texts = [head, ...rows].map((row) => row.map((cell) => oneLine(textOf(cell))));
  const widths = head.map((_, column) =>
    texts.reduce((widest, row) => Math.max(widest, Bun.stringWidth(row[column] ?? "")), 0),
  );
  return [head, ...rows].map((row, i) => {
    let left = terminal.columns ?? Number.POSITIVE_INFINITY;
    let line = "";
    for (const [column, cell] of row.entries()) {
      const text = cut(texts[i]?.[column] ?? "", left);
      const padding = Math.min((widths[column] ?? 0) + GAP, left) - Bun.stringWidth(text);
      const colour = i === 0 ? "bold" : typeof cell === "string" ? undefined : cell.colour;
      line += painted(text, text ? colour : undefined, terminal);
      left -= Bun.stringWidth(text) + Math.max(padding, 0);
      if (column < row.length - 1) line += " ".repeat(Math.max(padding, 0));
    }
    return line.trimEnd();
  });
}

/** Names and what they stand for, below each other. */
export function listing(entries: readonly (readonly [string, Cell])[], terminal: Terminal): string[] {
  const width = entries.reduce((widest, [name]) => Math.max(widest, name.length), 0) + GAP;
  return entries.map(([name, cell]) => {
    const colour = typeof cell === "string" ? undefined : cell.colour;
    return `${name.padEnd(width)}${painted(oneLine(textOf(cell)), colour, terminal)}`.trimEnd();
  });
}

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Services write these texts: what would move the cursor, or end the line, does not reach the terminal. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, " ");
}

function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  for (const character of text) {
    if (Bun.stringWidth(kept + character) >= width) break;
    kept += character;
  }
  return `${kept}…`;
}
