/**
 * Responses as the bytes that HTTP/1.1 has for them: in one, or in chunks where more of the body is still to come.
 * Knows the form of HTTP; nothing of what is answered.
 */
import { STATUS_CODES } from "node:http";
import { setImmediate } from "node:timers/promises";

/** What says where a body ends is worked out here. */
const OF_THE_MESSAGE = /^(?:content-length|transfer-encoding|connection|date)$/;
const WITHOUT_BODY = new Set([204, 304]);
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Leaving it cancels the body. */
export async function* responseBytes({ status, headers, body }: Response): AsyncGenerator<Buffer> {
  const said = [...headers].filter(([name]) => !OF_THE_MESSAGE.test(name));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headerLines(said)}${dateLine()}`;
  const pieces = body?.[Symbol.asyncIterator]();
  const first: Buffer = Buffer.from((await pieces?.next())?.value ?? "");
  let next = pieces?.next();
  if (!(await isOver(next))) {
    yield latin1(`${head}transfer-encoding: chunked\r\n\r\n`, ...chunk(first));
    try {
      for (let piece = await next; piece && !piece.done; piece = await next) {
        next = pieces?.next();
        yield latin1("", ...chunk(piece.value));
      }
      yield LAST_CHUNK;
    } finally {
      await pieces?.return?.();
    }
    return;
  }
  const length = WITHOUT_BODY.has(status) ? "" : `content-length: ${first.length}\r\n`;
  yield latin1(`${head}${length}\r\n`, first);
}

/** Whether it is known within this turn that nothing more comes, as of every text. */
async function isOver(next: Promise<IteratorResult<unknown>> | undefined): Promise<boolean> {
  return Promise.race([next?.then(({ done }) => done === true) ?? true, setImmediate(false)]);
}

function latin1(head: string, ...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(head, "latin1"), ...pieces]);
}

function chunk(piece: Uint8Array): Uint8Array[] {
  if (piece.length === 0) return [];
  return [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")];
}

export function headerLines(headers: readonly (readonly [name: string, value: string])[]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

let second = 0;
let line = "";

/** The header that says when an answer was made: written anew once a second. */
export function dateLine(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    line = `date: ${new Date(now * 1_000).toUTCString()}\r\n`;
  }
  return line;
}
