/**
 * Numbers as they were written, where a double would be printed otherwise: 1.10, 1e400, -0, 12345678901234567890.
 * Knows JSON only; nothing of GraphQL or of who asks.
 */

// TypeScript's library does not have it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/** A number that JSON.stringify gives back digit by digit. */
export class ExactNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether it is written without fraction and exponent. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.#text);
  }

  toString(): string {
    return this.#text;
  }

  valueOf(): number {
    return Number(this.#text);
  }

  toJSON(): object {
    return rawJSON(this.#text);
  }
}

/** A number as JSON or GraphQL writes it: an ordinary one wherever that is printed in the same way. */
export function numberOf(text: string): number | ExactNumber {
  const number = Number(text);
  return String(number) === text ? number : new ExactNumber(text);
}

/** Stands before a number that is kept; nobody outside can guess it. */
const MARK = `${crypto.randomUUID()}:`;

/**
 * The text that JSON.parse has taken already, parsed again with its numbers as they are written; undefined where that
 * makes no difference. (JSON.parse shows nobody how a number is written, so those that would change go through it as
 * marked strings.)
 */
export function parseExactly(text: string): unknown {
  const marked = markNumbers(text);
  if (marked === undefined) return undefined;
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  );
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function markNumbers(text: string): string | undefined {
  let marks = 0;
  const mark = (number: string): string => {
    if (String(Number(number)) === number) return number;
    marks += 1;
    return `"${MARK}${number}"`;
  };
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const between = text.slice(at, quote < 0 ? undefined : quote);
    parts.push(between.length > 1 ? between.replace(NUMBER, mark) : between);
    if (quote < 0) break;
    at = afterString(text, quote);
    parts.push(text.slice(quote, at));
  }
  return marks > 0 ? parts.join("") : undefined;
}

/** Where the string that begins at `quote` is over. */
function afterString(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

/** The value with ordinary numbers throughout, for code that reckons with them. Objects of a class are left alone. */
export function withPlainNumbers<T>(value: T): T {
  return plain(value) as T;
}

function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ExactNumber) return value.valueOf();
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  const members = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const [key, before] of Object.entries(members)) {
    const after = plain(before);
    if (after === before) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = after;
  }
  return copy ?? value;
}
