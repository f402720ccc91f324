/** A stream of server-sent events, read while it goes on. */
import { until } from "./client.ts";

export interface StreamMessage {
  id: string | undefined;
  event: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's matter
  data: any;
}

export interface EventStream extends AsyncDisposable {
  readonly response: Response;
  /** Every message so far; comments are left out. */
  readonly messages: readonly StreamMessage[];
  /** Whether the other side has ended it. */
  readonly hasEnded: boolean;
  /** Waits for a message. */
  find(isIt: (message: StreamMessage) => boolean): Promise<StreamMessage>;
}

export async function openStream(url: string, init: RequestInit = {}): Promise<EventStream> {
  const closing = new AbortController();
  const response = await fetch(url, { ...init, signal: closing.signal });
  const messages: StreamMessage[] = [];
  let hasEnded = false;
  const reading = (async () => {
    let rest = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) messages.push(...parse(part));
    }
  })()
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
    });
  return {
    response,
    messages,
    get hasEnded() {
      return hasEnded;
    },
    find: async (isIt) =>
      (await until(
        () => messages.find(isIt),
        (found) => found !== undefined,
      ))!,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await reading;
    },
  };
}

function parse(part: string): StreamMessage[] {
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(part)?.[1];
  const data = field("data");
  return data ? [{ id: field("id"), event: field("event"), data: JSON.parse(data) }] : [];
}
