/**
 * Reads the head of a question in the plain form: a POST of JSON to /graphql, of a told length, on a connection that is
 * kept. Strict: what is written in any other way is not taken, and somebody else reads it. Knows text only.
 */
import type { SubgraphHeaders } from "../../gateway/remote/request-context.ts";
import { JSON_TYPE } from "./plain-post.ts";

/** Shared by all requests with these lines. */
export interface PlainHead {
  readonly url: string;
  /** Bytes. */
  readonly bodyLength: number;
  readonly headers: PlainHeaders;
}

/** Longer ones are seldom questions, and somebody else bounds them. */
export const MOST_HEAD_BYTES = 8 * 1024;

const REQUEST_LINE = "POST /graphql HTTP/1.1\r\n";
/** Names directly before their colon and values of visible characters, one header a line. */
const LINES = /^(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e]*){1,64}$/;
const LENGTH = /^\d{1,8}$/;
const HOST = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-fA-F:.]+\](?::\d{1,5})?$/;
/** Those that say that a request ends otherwise, or that something else becomes of the connection or the body. */
const OF_OTHER_FORMS = ["transfer-encoding", "content-encoding", "upgrade", "expect", "te", "trailer"];

/** What is answered bit by bit. */
const STREAM = /text\/event-stream|multipart\//i;

/** Heads by their text: those of one client differ in the length of the body at most. */
const known = new Map<string, PlainHead>();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 4_096;

/** Whether these first bytes of a request can be those of the plain form. */
export function mayBePlain(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, REQUEST_LINE.length);
  return bytes.toString("latin1", 0, length) === REQUEST_LINE.slice(0, length);
}

/** A head that was read before. `text` is without the empty line. */
export function knownPlainHead(text: string): PlainHead | undefined {
  return known.get(text);
}

/** `text` is without the empty line. Undefined where it is not the plain form. */
export function readPlainHead(text: string): PlainHead | undefined {
  const before = known.get(text);
  if (before) return before;
  const head = parseHead(text);
  if (!head || text.length > LONGEST_KNOWN) return head;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, head);
  return head;
}

function parseHead(text: string): PlainHead | undefined {
  if (!text.startsWith(REQUEST_LINE)) return undefined;
  const lines = text.slice(REQUEST_LINE.length - 2);
  if (!LINES.test(lines)) return undefined;
  const values = new Map<string, string>();
  for (const line of lines.slice(2).split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    // Which of two counts is read differently by different readers.
    if (values.has(name)) return undefined;
    values.set(name, line.slice(colon + 1).trim());
  }
  const host = values.get("host") ?? "";
  const length = values.get("content-length") ?? "";
  const isKept = /^(keep-alive)?$/i.test(values.get("connection") ?? "");
  const isPlain = isKept && !OF_OTHER_FORMS.some((name) => values.has(name));
  if (!isPlain || !HOST.test(host) || !LENGTH.test(length)) return undefined;
  const url = `http://${host}/graphql`;
  if (!URL.canParse(url)) return undefined;
  if (!JSON_TYPE.test(values.get("content-type") ?? "") || STREAM.test(values.get("accept") ?? ""))
    return undefined;
  return { url, bodyLength: Number(length), headers: new PlainHeaders(values) };
}

export class PlainHeaders {
  readonly forwarded = new WeakMap<readonly string[], SubgraphHeaders>();
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  [Symbol.iterator](): Iterator<[name: string, value: string]> {
    return this.#values.entries();
  }
}
