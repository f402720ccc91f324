/**
 * The transport over fetch, for browsers. Knows fetch; nothing of what is asked.
 */
import { after } from "./runtime.ts";
import {
  type Answer,
  type Call,
  OPEN_DEADLINE_MS,
  SILENCE_MS,
  type StreamCall,
  type Transport,
} from "./transport.ts";

export function fetchTransport(): Transport {
  return { send, stream, sendAtOnce: () => false };
}

async function send({ method, url, headers, body, deadlineMs }: Call): Promise<Answer> {
  const ending = new AbortController();
  const cancel = after(deadlineMs, () => ending.abort(new Error(`no answer within ${deadlineMs} ms`)));
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: ending.signal,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, text: await response.text() };
  } finally {
    cancel();
  }
}

async function stream({ url, headers, signal, onOpen, onText }: StreamCall): Promise<void> {
  const ending = new AbortController();
  const end = (why: string) => () => ending.abort(new Error(why));
  const onAbort = end("given up");
  signal.addEventListener("abort", onAbort);
  let cancel = after(OPEN_DEADLINE_MS, end("no answer in time"));
  try {
    const response = await fetch(url, { headers, signal: ending.signal, cache: "no-store" });
    onOpen(response.status, (name) => response.headers.get(name));
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      cancel();
      cancel = after(SILENCE_MS, end("silent for too long"));
      const { value, done } = await reader.read();
      if (done) return;
      onText(decoder.decode(value, { stream: true }));
    }
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
    ending.abort();
  }
}
