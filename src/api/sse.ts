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

/** Streams that are open at the moment, and the way to end them all. */
export class Streams {
  readonly #open = new Set<AbortController>();

  /** A streaming answer; `messages` is given the signal at which it has to end. */
  respond(request: Request, messages: (signal: AbortSignal) => AsyncIterable<Message>): Response {
    if (this.#open.size >= MAX_STREAMS) {
      throw new BobbinError("OVERLOADED", `${MAX_STREAMS} streams are open, the most there may be.`);
    }
    const ending = new AbortController();
    this.#open.add(ending);
    const end = () => {
      ending.abort();
      this.#open.delete(ending);
    };
    request.signal.addEventListener("abort", end, { once: true });
    const body = new ReadableStream({
      type: "direct",
      async pull(controller: ReadableStreamDirectController) {
        const ping = setInterval(() => {
          controller.write(": ping\n\n");
          controller.flush();
        }, PING_MS);
        try {
          for await (const message of messages(ending.signal)) {
            controller.write(format(message));
            controller.flush();
          }
        } finally {
          clearInterval(ping);
          end();
          controller.close();
        }
      },
      cancel: end,
    } as unknown as UnderlyingSource);
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  }

  endAll(): void {
    for (const ending of this.#open) ending.abort();
  }
}

function format({ id, event, data }: Message): string {
  return `id: ${id}\n${event ? `event: ${event}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
}
