/**
 * Server-sent events: text out of messages, with a comment now and then that keeps the connection.
 * Knows the format; nothing of what is sent.
 */
import { BobbinError } from "../errors.ts";

export interface Message {
  readonly id: number;
  readonly event?: string;
  readonly data: unknown;
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
    const iterator = messages(signal)[Symbol.asyncIterator]();
    let isReadable = true;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const ping = setInterval(() => {
            if (controller.desiredSize === 0) controller.enqueue(encode(": ping\n\n"));
          }, PING_MS);
          const close = () => {
            clearInterval(ping);
            void iterator.return?.();
            if (isReadable) controller.close();
          };
          if (signal.aborted) close();
          else signal.addEventListener("abort", close);
        },
        async pull(controller) {
          try {
            const { value, done } = await iterator.next();
            if (done) end();
            else if (!signal.aborted) controller.enqueue(encode(format(value)));
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

function format({ id, event, data }: Message): string {
  return `id: ${id}\n${event ? `event: ${event}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
}
