/**
 * An answer as it came. Its body lies in the bytes that a connection delivered, and is cut out only for who wants it so.
 * Knows bytes; nothing of connections.
 */
import { isAscii } from "node:buffer";

/** What is told of an answer before its body. */
export interface AnswerFacts {
  readonly status: number;
  /** Empty where the service named none. */
  readonly contentType: string;
  /** The door header, where another bobbin (or this one) answered. */
  readonly door: string | null;
  /** How the body is encoded; empty where it is not. */
  readonly encoding: string;
}

export class HttpAnswer implements AnswerFacts {
  readonly #facts: AnswerFacts;
  readonly #bytes: Buffer<ArrayBuffer>;
  readonly #start: number;
  readonly #end: number;

  /** `bytes` are the answer's own from now on; the body is a part of them. */
  constructor(facts: AnswerFacts, bytes: Buffer<ArrayBuffer>, start = 0, end = bytes.length) {
    this.#facts = facts;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get status(): number {
    return this.#facts.status;
  }

  get contentType(): string {
    return this.#facts.contentType;
  }

  get door(): string | null {
    return this.#facts.door;
  }

  get encoding(): string {
    return this.#facts.encoding;
  }

  /** It may lie in a larger ArrayBuffer. */
  get body(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(this.#start, this.#end) as Buffer<ArrayBuffer>;
  }

  /** The body with a character for each byte. */
  get latin1(): string {
    return this.#bytes.toString("latin1", this.#start, this.#end);
  }

  /** Whether all came in ASCII, what came before the body included. */
  get isAscii(): boolean {
    return isAscii(this.#bytes);
  }
}
