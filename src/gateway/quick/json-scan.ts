/**
 * Goes over JSON text without parsing it: from the beginning of a value to what follows it, or to -1 where the text is
 * something else. Texts are bytes as Latin-1, so that a position is one of a byte. Knows JSON's grammar only.
 */

const QUOTE = 34;
const BACKSLASH = 92;

/** A string. */
export function scanString(text: string, start: number): number {
  if (text.charCodeAt(start) !== QUOTE) return -1;
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
  } while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let first = quote - 1;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

/** A number that GraphQL's Int can be: no fraction, no exponent, and certainly within 32 bits. */
export function scanInt(text: string, start: number): number {
  const first = text.charCodeAt(start) === 45 ? start + 1 : start;
  let end = first;
  for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) end += 1;
  const digits = end - first;
  if (digits === 0 || digits > 9 || (digits > 1 && text.charCodeAt(first) === 48)) return -1;
  const next = text.charCodeAt(end);
  // Of the others, parsing says what they are.
  return next === 46 || next === 69 || next === 101 ? -1 : end;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

export function scanNumber(text: string, start: number): number {
  NUMBER.lastIndex = start;
  return NUMBER.test(text) ? NUMBER.lastIndex : -1;
}

export function scanBoolean(text: string, start: number): number {
  if (text.startsWith("true", start)) return start + 4;
  return text.startsWith("false", start) ? start + 5 : -1;
}

/** What follows a whole answer: nothing but white space. */
export function isEnd(text: string, start: number): boolean {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return false;
  }
  return true;
}
