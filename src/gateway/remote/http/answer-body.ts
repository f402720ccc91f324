/**
 * The bodies of answers as they come, piece by piece: of a length that was said, in chunks, or until the connection
 * closes. Each is bounded. Knows nothing of heads and connections.
 */
import { notHttp, tooLarge } from "./answer-head.ts";

/** Bytes that come in pieces, in one buffer that grows. */
export class Bytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What came until now; good until more is added. */
  get all(): Buffer<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** `most`: how many there will ever be. */
  add(piece: Buffer, from: number, to: number, most: number): void {
    const length = this.#length + to - from;
    if (length > this.#buffer.length) {
      // Not at once what is announced: what is never sent needs no room.
      const room = Math.min(Math.max(2 * this.#buffer.length, 4_096), most);
      const larger = Buffer.allocUnsafeSlow(Math.max(room, length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    piece.copy(this.#buffer, this.#length, from, to);
    this.#length = length;
  }
}

export interface BodyReader {
  readonly isComplete: boolean;
  /** Owned by whoever takes it once it is complete, or once the connection closed. */
  readonly bytes: Buffer<ArrayBuffer>;
  /** Takes what belongs to the body from `at` on and says where that ends. Throws INVALID_SERVICE_RESPONSE. */
  read(piece: Buffer, at: number): number;
}

export function bodyReader(kind: number | "chunked" | "until close", maxBytes: number): BodyReader {
  if (kind === "chunked") return new ChunkedBody(maxBytes);
  return kind === "until close" ? new EndlessBody(maxBytes) : new MeasuredBody(kind);
}

class MeasuredBody implements BodyReader {
  readonly #bytes = new Bytes();
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  get isComplete(): boolean {
    return this.#bytes.length === this.#length;
  }

  get bytes(): Buffer<ArrayBuffer> {
    return this.#bytes.all;
  }

  read(piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + this.#length - this.#bytes.length);
    this.#bytes.add(piece, at, end, this.#length);
    return end;
  }
}

class EndlessBody implements BodyReader {
  readonly isComplete = false;
  readonly #bytes = new Bytes();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): Buffer<ArrayBuffer> {
    return this.#bytes.all;
  }

  read(piece: Buffer, at: number): number {
    if (this.#bytes.length + piece.length - at > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#bytes.add(piece, at, piece.length, this.#maxBytes);
    return piece.length;
  }
}

const MAX_LINE = 1_024;
const MAX_TRAILERS = 64;
const LF = 0x0a;

class ChunkedBody implements BodyReader {
  isComplete = false;
  readonly #bytes = new Bytes();
  /** What the next line is, when no data is due. */
  #line: "size" | "end of chunk" | "trailer" = "size";
  /** Of the chunk that is being read. */
  #missing = 0;
  #begunLine = "";
  #trailers = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): Buffer<ArrayBuffer> {
    return this.#bytes.all;
  }

  read(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && !this.isComplete) {
      if (this.#missing === 0) {
        at = this.#readLine(piece, at);
        continue;
      }
      const end = Math.min(piece.length, at + this.#missing);
      this.#bytes.add(piece, at, end, this.#maxBytes);
      this.#missing -= end - at;
      at = end;
    }
    return at;
  }

  #readLine(piece: Buffer, at: number): number {
    const found = piece.indexOf(LF, at);
    const end = found < 0 ? piece.length : found + 1;
    if (this.#begunLine.length + end - at > MAX_LINE) throw notHttp("a line between its chunks is too long");
    this.#begunLine += piece.toString("latin1", at, end);
    if (found < 0) return end;
    const line = this.#begunLine;
    this.#begunLine = "";
    if (!/^[^\0\r\n]*\r\n$/.test(line)) throw notHttp("its chunks are malformed");
    this.#take(line.slice(0, -2));
    return end;
  }

  #take(line: string): void {
    if (this.#line === "size") {
      const [, digits] = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i.exec(line) ?? [];
      if (digits === undefined) throw notHttp("its chunks are malformed");
      this.#missing = Number.parseInt(digits, 16);
      if (this.#bytes.length + this.#missing > this.#maxBytes) throw tooLarge(this.#maxBytes);
      this.#line = this.#missing > 0 ? "end of chunk" : "trailer";
    } else if (this.#line === "end of chunk") {
      if (line !== "") throw notHttp("its chunks are malformed");
      this.#line = "size";
    } else {
      this.isComplete = line === "";
      this.#trailers += 1;
      if (this.#trailers > MAX_TRAILERS) throw notHttp("it has too many trailers");
    }
  }
}
