/**
 * How keys are written for the next service: of values that were parsed, and of texts that were read. Each may leave
 * the quick road. Knows JSON; nothing of requests.
 */
import { leave } from "./left.ts";

/** What nearly every key consists of, and needs no escaping. */
const PLAIN_TEXT = /^[\w .:@/+=-]*$/;

/** A key's value as JSON; undefined where it has none. */
export function valueText(value: unknown): string | undefined {
  if (typeof value === "string") return PLAIN_TEXT.test(value) ? `"${value}"` : JSON.stringify(value);
  if (value === null) return "null";
  if (value === undefined) return undefined;
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  return leave();
}

/**
 * The text of a value in an answer that has escapes, with the fewest that JSON needs: the same key is the same text
 * whoever wrote it.
 */
export function unescaped(text: string, start: number, end: number): string {
  const token = text.slice(start, end);
  if (token.charCodeAt(0) !== 34 || !token.includes("\\")) return token;
  const value: unknown = JSON.parse(Buffer.from(token, "latin1").toString("utf8"));
  return Buffer.from(JSON.stringify(value)).toString("latin1");
}

/** A key's text as JSON; undefined where it has none. */
export function tokenText(text: string | null | undefined): string | undefined {
  return text === null ? "null" : text;
}

/** The same of keys whose text is parsed, which may lose digits. */
export function safeText(text: string | null | undefined): string | undefined {
  if (!text || text.charCodeAt(0) === 34) return tokenText(text);
  const value: unknown = JSON.parse(text);
  return typeof value === "boolean" || Number.isSafeInteger(value) ? text : leave();
}
