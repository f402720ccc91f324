/**
 * A request and a response of HTTP as plain data, the body in pieces. Knows nothing of who sends them.
 */
import { BobbinError } from "../../errors.ts";
import type { HttpPart, HttpRequest } from "./protocol.ts";

/** A body that is made in one piece must not become one message. */
const PART_BYTES = 2 ** 20;

export function bodyOf({ body }: HttpRequest): Uint8Array<ArrayBuffer> | null {
  return body === null ? null : Uint8Array.fromBase64(body);
}

/** A response as parts. Cancels its body where the reader leaves, and at `signal` even while it waits for a piece. */
export async function* partsOf(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<HttpPart, void, undefined> {
  const reader = response.body?.getReader();
  // How the plugin takes it that nobody reads any more changes nothing.
  const cancel = () => void reader?.cancel(signal.reason).catch(() => {});
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel);
  try {
    yield { status: response.status, headers: [...response.headers] };
    while (reader) {
      const { value, done } = await reader.read();
      if (done) return;
      const bytes = Buffer.from(value);
      for (let at = 0; at < bytes.length; at += PART_BYTES)
        yield { chunk: bytes.subarray(at, at + PART_BYTES).toString("base64") };
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** The response that the parts are of; its body asks for the next part when it is read. One to HEAD has none. */
export async function responseOf(parts: AsyncIterable<HttpPart>, method: string): Promise<Response> {
  const iterator = parts[Symbol.asyncIterator]();
  const { value: head, done } = await iterator.next();
  if (done || !("status" in head))
    throw new BobbinError("INVALID_SERVICE_RESPONSE", "The plugin gave no answer.");
  const { status, headers } = head;
  const hasBody = method !== "HEAD" && ![101, 103, 204, 205, 304].includes(status);
  if (!hasBody) await iterator.return?.();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value: part, done: isLast } = await iterator.next();
        if (isLast) controller.close();
        else if ("chunk" in part) controller.enqueue(Uint8Array.fromBase64(part.chunk));
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(hasBody ? body : null, {
    status,
    headers: headers.map(([k, v]) => [k, v] as [string, string]),
  });
}
