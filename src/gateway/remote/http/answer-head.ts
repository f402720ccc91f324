/**
 * Reads the head of an answer: its status, where its body ends, and the few headers that callers look at. Strict,
 * because who reads an end differently from who wrote it takes one answer for another. Knows text only.
 */
import { BobbinError } from "../../../errors.ts";
import { DOOR_HEADER } from "../../../http.ts";
import type { AnswerFacts } from "./http-answer.ts";

/** Shared by all answers with these lines. */
export interface AnswerHead extends AnswerFacts {
  /** The length of the body in bytes, or how its end is told. */
  readonly body: number | "chunked" | "until close";
  /** No further answer comes on this connection. */
  readonly isLast: boolean;
  /** How long the server says that it keeps a connection without calls. */
  readonly keptMs: number | undefined;
}

export const MAX_HEAD_BYTES = 64 * 1024;

/** How a header's line begins, in lower case. */
const CONTENT_LENGTH = "\r\ncontent-length:";
const TRANSFER_ENCODING = "\r\ntransfer-encoding:";
const CONNECTION = "\r\nconnection:";
const KEEP_ALIVE = "\r\nkeep-alive:";
const CONTENT_TYPE = "\r\ncontent-type:";
const CONTENT_ENCODING = "\r\ncontent-encoding:";
const DOOR = `\r\n${DOOR_HEADER}:`;

/** Of the lines up to the empty one: a status line, then names directly before their colon, one header a line. */
const HEAD =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [^\0\r\n]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\0\r\n]*){0,256}$/;
const CLOSE = /(?:^|,)\s*close\s*(?:,|$)/i;
const LENGTH = /^\d{1,15}$/;

/** Heads by their text: those of one server differ in the date and the length at most. */
const known = new Map<string, AnswerHead>();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 1_024;

/** A head that was read before. `text` is without the empty line. */
export function knownHead(text: string): AnswerHead | undefined {
  return known.get(text);
}

/** `text` is without the empty line. Throws INVALID_SERVICE_RESPONSE. */
export function readHead(text: string): AnswerHead {
  const before = known.get(text);
  if (before) return before;
  const head = parseHead(text);
  if (text.length > LONGEST_KNOWN) return head;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, head);
  return head;
}

function parseHead(text: string): AnswerHead {
  if (!HEAD.test(text)) throw notHttp("its head is malformed or has more than 256 headers");
  // Each header is looked for by itself: most are none of ours, and cutting all of them out takes three times as long.
  const names = text.toLowerCase();
  const status = Number(text.slice(9, 12));
  const isOld = text.startsWith("HTTP/1.0");
  const body = status < 200 || status === 204 || status === 304 ? 0 : bodyOf(text, names, isOld);
  const connection = headerValue(text, names, CONNECTION);
  const kept = headerValue(text, names, KEEP_ALIVE);
  return {
    status,
    body,
    isLast: isOld || body === "until close" || (connection !== undefined && CLOSE.test(connection)),
    keptMs: kept === undefined ? undefined : keptMs(kept),
    contentType: headerValue(text, names, CONTENT_TYPE) ?? "",
    encoding: headerValue(text, names, CONTENT_ENCODING)?.toLowerCase() ?? "",
    door: headerValue(text, names, DOOR) ?? null,
  };
}

function bodyOf(text: string, names: string, isOld: boolean): AnswerHead["body"] {
  const length = headerValue(text, names, CONTENT_LENGTH);
  const coding = headerValue(text, names, TRANSFER_ENCODING);
  const isTwice = isRepeated(names, CONTENT_LENGTH) || isRepeated(names, TRANSFER_ENCODING);
  if (coding !== undefined) {
    if (coding.toLowerCase() === "chunked" && length === undefined && !isTwice && !isOld) return "chunked";
  } else if (length === undefined) return "until close";
  else if (LENGTH.test(length) && !isTwice) return Number(length);
  throw notHttp("it is not clear where it ends");
}

/** The value of the first line that begins like this. `names`: the text in lower case. */
function headerValue(text: string, names: string, beginning: string): string | undefined {
  const line = names.indexOf(beginning);
  if (line < 0) return undefined;
  const end = text.indexOf("\r\n", line + 2);
  return text.slice(line + beginning.length, end < 0 ? undefined : end).trim();
}

function isRepeated(names: string, beginning: string): boolean {
  return names.indexOf(beginning) !== names.lastIndexOf(beginning);
}

function keptMs(value: string): number | undefined {
  const [, seconds] = /(?:^|[,\s])timeout\s*=\s*(\d{1,6})/i.exec(value) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

export function notHttp(why: string): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", `The service's answer is not HTTP: ${why}.`);
}

export function tooLarge(maxBytes: number): BobbinError {
  return new BobbinError(
    "INVALID_SERVICE_RESPONSE",
    `The service's answer is larger than ${maxBytes} bytes.`,
  );
}
