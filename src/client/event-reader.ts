/**
 * Reads the messages of a stream of server-sent events out of its text, however that is cut. Pure.
 */

export interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

export class EventReader {
  /** The pieces of a line whose end has not come yet: a snapshot is one long line. */
  #pieces: string[] = [];
  #length = 0;
  #id: string | undefined;
  #event: string | undefined;
  #data: string[] = [];
  readonly #most: number;

  /** `most`: how many characters one message may have. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The messages that are complete with this piece of text. Throws where one is too long. */
  read(text: string): Message[] {
    const [first = "", ...others] = text.split("\n");
    this.#pieces.push(first);
    this.#length += first.length;
    if (this.#length > this.#most) throw new Error("a message of the stream is too long");
    if (others.length === 0) return [];
    const lines = [this.#pieces.join(""), ...others];
    const rest = lines.pop() ?? "";
    this.#pieces = [rest];
    this.#length = rest.length;
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, "")) ?? []);
  }

  #line(line: string): Message | undefined {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    // A line that begins with a colon is a comment.
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") this.#id = value;
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return undefined;
  }

  #end(): Message | undefined {
    const message = { id: this.#id, event: this.#event, data: this.#data.join("\n") };
    const hasData = this.#data.length > 0;
    this.#event = undefined;
    this.#data = [];
    return hasData ? message : undefined;
  }
}
