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

/** A number that GraphQL's Int can be: no fraction, no exponent, and within 32 bits. */
export function scanInt(text: string, start: number): number {
  const first = text.charCodeAt(start) === 45 ? start + 1 : start;
  let end = first;
  for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) end += 1;
  const digits = end - first;
  if (digits === 0 || digits > 10 || (digits > 1 && text.charCodeAt(first) === 48)) return -1;
  if (digits === 10 && (Number(text.slice(start, end)) | 0) !== Number(text.slice(start, end))) return -1;
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

const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
/** Of lists and objects in each other; what is deeper is for the parser. */
const MAX_DEPTH = 64;

/** Any value. */
export function scanValue(text: string, start: number, depth = 0): number {
  switch (text.charCodeAt(start)) {
    case QUOTE:
      return scanString(text, start);
    case OPEN_OBJECT:
      return depth < MAX_DEPTH ? scanMembers(text, start + 1, CLOSE_OBJECT, depth + 1) : -1;
    case OPEN_LIST:
      return depth < MAX_DEPTH ? scanMembers(text, start + 1, CLOSE_LIST, depth + 1) : -1;
    case 110:
      return text.startsWith("null", start) ? start + 4 : -1;
    case 116:
    case 102:
      return scanBoolean(text, start);
    default:
      return scanNumber(text, start);
  }
}

/** The rest of a list or of an object, from its first member on, without white space. */
function scanMembers(text: string, start: number, close: number, depth: number): number {
  if (text.charCodeAt(start) === close) return start + 1;
  for (let at = start; ; at += 1) {
    if (close === CLOSE_OBJECT) {
      const colon = scanString(text, at);
      if (colon < 0 || text.charCodeAt(colon) !== 58) return -1;
      at = colon + 1;
    }
    at = scanValue(text, at, depth);
    if (at < 0) return -1;
    const next = text.charCodeAt(at);
    if (next === close) return at + 1;
    if (next !== 44) return -1;
  }
}
