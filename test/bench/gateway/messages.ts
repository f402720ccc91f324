/**
 * HTTP/1.1 messages out of the chunks of a connection, as far as the gateway benchmark needs it: one at a time, with
 * their length said beforehand. Knows nothing of what is in them.
 */
export interface Message {
  /** Up to the first space, and what follows to the second: `POST /graphql`, `HTTP/1.1 200`. */
  readonly begin: string;
  readonly body: Buffer;
}

const END_OF_HEAD = Buffer.from("\r\n\r\n");

export class Messages {
  #pending: Buffer | undefined;

  /** The message that the chunk ends, or undefined while there is more of it to come. */
  take(chunk: Buffer): Message | undefined {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
    const end = bytes.indexOf(END_OF_HEAD);
    const head = end < 0 ? "" : bytes.toString("latin1", 0, end);
    const size = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const start = end + END_OF_HEAD.length;
    if (end < 0 || bytes.length < start + size) {
      // The chunk's memory may be the socket's own.
      this.#pending = Buffer.from(bytes);
      return undefined;
    }
    this.#pending = undefined;
    return { begin: head.split(" ", 2).join(" "), body: bytes.subarray(start, start + size) };
  }
}
