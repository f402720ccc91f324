/**
 * Where the requests of one service go, with the part of their head that is the same for all of them, and how the
 * rest is written behind it. Knows how a request looks on the wire; nothing of connections and answers.
 */
import { BobbinError } from "../../../errors.ts";
import { httpPlace } from "../../../unix-url.ts";

/** One end that connections are made to. */
export interface Origin {
  /** Scheme, host and port, or the socket: equal for equal origins. */
  readonly key: string;
  /** The path of the unix socket that stands for host and port. */
  readonly unix: string | undefined;
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
}

export interface Target {
  readonly url: string;
  readonly origin: Origin;
  /** The header lines that every request to it begins with. */
  readonly head: string;
  /** The header line that the user and password in its URL make, or nothing. */
  readonly authorization: string;
  /** Those that `targetOf` was given. */
  readonly headers: Readonly<Record<string, string>>;
}

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Not those that say where a request ends and what becomes of the connection: they are the client's own. */
const NAME =
  /^(?!(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-connection)$)[!#$%&'*+\-.^_`|~0-9A-Z]+$/i;

/** Made once and kept. `headers` go with each request. Throws INVALID_INPUT. */
export function targetOf(url: string, headers: Readonly<Record<string, string>> = {}): Target {
  const { url: to, unix } = httpPlace(url);
  const parsed = URL.parse(to);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new BobbinError("INVALID_INPUT", "The URL of a service is absolute, http or https.");
  }
  const { protocol, host, pathname, search, username, password } = parsed;
  const isSecure = protocol === "https:";
  const head =
    `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bobbin\r\n` +
    `accept-encoding: identity\r\n${linesOf(headers).text}`;
  const credentials = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString("base64");
  return {
    url,
    origin: {
      key: unix ?? `${protocol}//${host}`,
      unix,
      // Brackets are the URL's, not the address's.
      hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
      port: Number(parsed.port || (isSecure ? 443 : 80)),
      isSecure,
    },
    head,
    headers,
    authorization: username || password ? `authorization: Basic ${credentials}\r\n` : "",
  };
}

/** Requests are put together here, in one copy, and are sent from here before the next one is. */
const ROOM = Buffer.alloc(64 * 1024);
/** For the head, which is written when the body's length is known. */
const HEAD_ROOM = 8 * 1024;
/** What a character of a body may take. */
const MOST_BYTES = 3;

/** A request, to be written to a connection as soon as there is one. */
export class Message {
  /** But for the length of the body. */
  readonly #head: string;
  readonly #body: string;

  /** Throws INVALID_INPUT for a header that could be read as something else than one header. */
  constructor(target: Target, headers: Readonly<Record<string, string>>, body: string) {
    const lines = linesOf(headers);
    this.#head = `${target.head}${lines.authorizes ? "" : target.authorization}${lines.text}`;
    this.#body = body;
  }

  /** Good until the next message is asked for its bytes. */
  get bytes(): Buffer {
    const head = this.#head;
    const body = this.#body;
    if (head.length + 100 > HEAD_ROOM || body.length * MOST_BYTES > ROOM.length - HEAD_ROOM) {
      const bytes = Buffer.from(body);
      // Fields are bytes of Latin-1, as fetch sends them.
      return Buffer.concat([Buffer.from(head + lengthLine(bytes.length), "latin1"), bytes]);
    }
    const length = ROOM.write(body, HEAD_ROOM);
    const whole = head + lengthLine(length);
    const start = HEAD_ROOM - whole.length;
    ROOM.write(whole, start, "latin1");
    return ROOM.subarray(start, HEAD_ROOM + length);
  }
}

function lengthLine(length: number): string {
  return `content-length: ${length}\r\n\r\n`;
}

/** Headers as they are sent. */
interface HeaderLines {
  readonly text: string;
  /** Whether one of them is that of the URL's user and password. */
  readonly authorizes: boolean;
}

/** Many calls have the very same headers: they are checked and written once. */
const written = new WeakMap<Readonly<Record<string, string>>, HeaderLines>();

function linesOf(headers: Readonly<Record<string, string>>): HeaderLines {
  let lines = written.get(headers);
  if (!lines) {
    lines = { text: checkedLines(headers), authorizes: "authorization" in headers };
    written.set(headers, lines);
  }
  return lines;
}

function checkedLines(headers: Readonly<Record<string, string>>): string {
  let lines = "";
  for (const name in headers) {
    const value = headers[name] as string;
    if (!NAME.test(name)) {
      throw new BobbinError("INVALID_INPUT", `${JSON.stringify(name)} is no header that can be sent along.`);
    }
    if (!VALUE.test(value)) {
      throw new BobbinError("INVALID_INPUT", `The value of the header ${name} cannot be sent.`);
    }
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
