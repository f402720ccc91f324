/** Server-sent events, read off an answer as they come. Knows the format; nothing of what is told. */

export interface StreamMessage {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** One message may hold the whole registry; what is longer comes from no bobbin. */
const MAX_MESSAGE_LENGTH = 256 * 1024 * 1024;

/** Ends with the answer; `onSign` is called with every sign of life, comments among them. */
export async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  onSign: () => void,
): AsyncGenerator<StreamMessage, void, undefined> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    onSign();
    const text = decoder.decode(chunk, { stream: true });
    const [first = "", ...others] = text.split("\n");
    // A long line comes in many pieces, which are joined once.
    parts.push(first);
    length += text.length;
    if (length > MAX_MESSAGE_LENGTH) throw new Error("a message without an end");
    if (others.length === 0) continue;
    const blocks = `${parts.join("")}\n${others.join("\n")}`.split("\n\n");
    const rest = blocks.pop() ?? "";
    parts = [rest];
    length = rest.length;
    for (const block of blocks) {
      const message = messageIn(block);
      if (message) yield message;
    }
  }
}

function messageIn(block: string): StreamMessage | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name) fields.set(name, name === "data" && fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const data = fields.get("data");
  return data === undefined ? undefined : { id: fields.get("id"), event: fields.get("event"), data };
}
