/**
 * JSON with a list that may be long: written in pieces, with turns for other requests between them. A short one is
 * written at once. Knows texts; nothing of what they say.
 */
import { nextTurn } from "./turns.ts";

/** A piece ends when it is this long, or when making it took this long. */
const PIECE_CHARACTERS = 65_536;
const PIECE_MS = 4;

/** What was written so far of something, piece by piece, and the last piece of it. */
export type Pieces = Generator<string, string>;

/** `begin`, the texts with commas between them, `end`. */
export function listInPieces(begin: string, texts: Iterable<string>, end: string): Pieces {
  return inPieces(listed(begin, texts, end));
}

function* listed(begin: string, texts: Iterable<string>, end: string): Generator<string> {
  let before = begin;
  for (const text of texts) {
    yield before + text;
    before = ",";
  }
  yield before === begin ? begin + end : end;
}

/** The texts one after the other. */
export function* inPieces(texts: Iterable<string>): Pieces {
  let piece = "";
  let startedAt = performance.now();
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE_CHARACTERS && performance.now() - startedAt < PIECE_MS) continue;
    yield piece;
    piece = "";
    startedAt = performance.now();
  }
  return piece;
}

export function* textsOf<T>(items: Iterable<T>, textOf: (item: T) => string): Generator<string> {
  for (const item of items) yield textOf(item);
}

/** The answer with this text: whole where it is one piece, else streamed as fast as the client takes it. */
export function jsonOf(text: string | Pieces, status = 200): Response {
  const init = { status, headers: { "content-type": "application/json" } };
  if (typeof text === "string") return new Response(text, init);
  return new Response(bodyOf(text), init);
}

/** A text where it is one piece. */
export function bodyOf(pieces: Pieces): string | ReadableStream<Uint8Array> {
  const first = pieces.next();
  if (first.done) return first.value;
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(first.value)),
    async pull(controller) {
      await nextTurn();
      const { value, done } = pieces.next();
      if (value !== "") controller.enqueue(encoder.encode(value));
      if (done) controller.close();
    },
  });
}
