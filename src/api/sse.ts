/**
 * Server-sent events: text out of messages, with a comment now and then that keeps the connection.
 * Knows the format; nothing of what is sent.
 */
import { BobbinError } from "../errors.ts";
import type { Pieces } from "./json-list.ts";
import { nextTurn } from "./turns.ts";

interface Head {
  readonly id: number;
  readonly event?: string;
}

/** Its data is a value, or JSON that is written in pieces. */
export type Message = Head & ({ readonly data: unknown } | { readonly pieces: Pieces });

/** A part of a message. */
interface Part {
  readonly text: string;
  readonly isLast: boolean;
}

const PING_MS = 15_000;
const MAX_STREAMS = 1_000;

const HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

/** Streams that are open at the moment, and the way to end them all. */
export class Streams {
  readonly #open = new Set<AbortController>();

  /**
   * A streaming answer; `messages` is given the signal at which it has to end. A message is asked for only when the
   * reader has taken the one before, so that a slow reader holds up its source and nothing piles up here.
   */
  respond(request: Request, messages: (signal: AbortSignal) => AsyncIterable<Message>): Response {
    if (request.method === "HEAD") return new Response(null, { headers: HEADERS });
    const { signal, end } = this.#begin(request.signal);
    const parts = partsOf(messages(signal));
    let isReadable = true;
    let isBetween = true;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const ping = setInterval(() => {
            if (isBetween && controller.desiredSize === 0) controller.enqueue(encode(": ping\n\n"));
          }, PING_MS);
          const close = () => {
            clearInterval(ping);
            void parts.return();
            if (isReadable) controller.close();
          };
          if (signal.aborted) close();
          else signal.addEventListener("abort", close);
        },
        async pull(controller) {
          try {
            const { value, done } = await parts.next();
            if (done) end();
            else if (!signal.aborted) {
              isBetween = value.isLast;
              controller.enqueue(encode(value.text));
            }
          } catch (error) {
            isReadable = false;
            end();
            throw error;
          }
        },
        cancel() {
          isReadable = false;
          end();
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: HEADERS });
  }

  /** What `source` gives, as one of the streams that count; it is given the signal at which it has to end. */
  follow<T>(
    client: AbortSignal | undefined,
    source: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const { signal, end } = this.#begin(client);
    return untilEnd(source(signal), end);
  }

  endAll(): void {
    for (const ending of this.#open) ending.abort();
  }

  /** Counts a stream from here on until `end` is called, which happens by itself when the client is gone. */
  #begin(client: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
    if (this.#open.size >= MAX_STREAMS) {
      throw new BobbinError("OVERLOADED", `${MAX_STREAMS} streams are open, the most there may be.`);
    }
    const ending = new AbortController();
    this.#open.add(ending);
    const end = () => {
      this.#open.delete(ending);
      ending.abort();
    };
    if (client?.aborted) end();
    else client?.addEventListener("abort", end, { once: true });
    return { signal: ending.signal, end };
  }
}

async function* untilEnd<T>(items: AsyncIterable<T>, end: () => void): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } finally {
    end();
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* partsOf(messages: AsyncIterable<Message>): AsyncGenerator<Part, void, undefined> {
  for await (const message of messages) {
    const begin = `id: ${message.id}\n${message.event ? `event: ${message.event}\n` : ""}data: `;
    if ("data" in message) yield { text: `${begin}${JSON.stringify(message.data)}\n\n`, isLast: true };
    else yield* inParts(begin, message.pieces);
  }
}

async function* inParts(begin: string, pieces: Pieces): AsyncGenerator<Part, void, undefined> {
  let text = begin;
  for (;;) {
    const { value, done } = pieces.next();
    if (done) return yield { text: `${text}${value}\n\n`, isLast: true };
    yield { text: text + value, isLast: false };
    text = "";
    await nextTurn();
  }
}
