/**
 * Puts the answers of one connection together from what it delivers, one after another and in whatever pieces they
 * come. Each piece has memory of its own, of which an answer that came in one is a part. Knows answers; nothing of
 * sockets.
 */
import { type BodyReader, Bytes, bodyReader } from "./answer-body.ts";
import { type AnswerHead, knownHead, MAX_HEAD_BYTES, notHttp, readHead, tooLarge } from "./answer-head.ts";
import { HttpAnswer } from "./http-answer.ts";

/** The empty line after a head, with the end of the line before. */
const EMPTY_LINE = 0x0d0a0d0a;

export class AnswerReader {
  /** Whether anything came at all. */
  hasBegun = false;
  /** Whether more came than the answer. */
  hasMore = false;
  head: AnswerHead | undefined;
  #begunHead: Bytes | undefined;
  #headBytes = 0;
  /** Where the head of the answer before ended: those of one server are mostly of one length. */
  #lastEnd = 0;
  #body: BodyReader | undefined;
  #maxBytes = 0;

  /** The next answer's body may have so many bytes. */
  begin(maxBytes: number): void {
    this.hasBegun = false;
    this.hasMore = false;
    this.head = undefined;
    this.#begunHead = undefined;
    this.#headBytes = 0;
    this.#body = undefined;
    this.#maxBytes = maxBytes;
  }

  /** The answer once it is complete. Throws INVALID_SERVICE_RESPONSE. */
  read(piece: Buffer): HttpAnswer | undefined {
    this.hasBegun = true;
    if (this.#body) return this.#readBody(this.#body, piece, 0);
    if (!this.#begunHead) {
      const head = this.#sameHead(piece);
      return head ? this.#begin(head, piece, this.#lastEnd + 4) : this.#readHead(piece, 0);
    }
    const before = this.#begunHead.length;
    this.#begunHead.add(piece, 0, piece.length, Number.POSITIVE_INFINITY);
    // The empty line may have begun before this piece.
    return this.#readHead(this.#begunHead.all, Math.max(0, before - 3));
  }

  /** The answer of a connection that was closed, where closing is what ends it. */
  end(): HttpAnswer | undefined {
    if (this.head?.body !== "until close" || !this.#body) return undefined;
    return new HttpAnswer(this.head, this.#body.bytes);
  }

  /** The head that the piece begins with, where it is of the length of the one before and is known. */
  #sameHead(piece: Buffer): AnswerHead | undefined {
    const end = this.#lastEnd;
    if (end === 0 || piece.length < end + 4 || piece.readUInt32BE(end) !== EMPTY_LINE) return undefined;
    const head = knownHead(piece.toString("latin1", 0, end));
    return head && head.status >= 200 ? head : undefined;
  }

  /** `piece` begins with the head; its end is looked for from `searched` on. */
  #readHead(piece: Buffer, searched: number): HttpAnswer | undefined {
    let start = 0;
    for (let from = searched; ; from = start) {
      const end = piece.indexOf("\r\n\r\n", from);
      if ((end < 0 ? piece.length : end) - start + this.#headBytes > MAX_HEAD_BYTES) {
        throw notHttp(`its head is longer than ${MAX_HEAD_BYTES} bytes`);
      }
      if (end < 0) {
        // Else all of `piece` is there already.
        if (start > 0 || !this.#begunHead) {
          this.#begunHead = new Bytes();
          this.#begunHead.add(piece, start, piece.length, Number.POSITIVE_INFINITY);
        }
        return undefined;
      }
      const head = readHead(piece.toString("latin1", start, end));
      this.#lastEnd = start === 0 ? end : 0;
      this.#headBytes += end + 4 - start;
      start = end + 4;
      // Nobody asked for another protocol; other such heads only say that the answer is to come.
      if (head.status === 101) throw notHttp("it changes the protocol");
      if (head.status >= 200) return this.#begin(head, piece, start);
    }
  }

  #begin(head: AnswerHead, piece: Buffer, at: number): HttpAnswer | undefined {
    this.head = head;
    if (typeof head.body === "number") {
      if (head.body > this.#maxBytes) throw tooLarge(this.#maxBytes);
      const end = at + head.body;
      if (end <= piece.length) {
        this.hasMore = end < piece.length;
        return new HttpAnswer(head, piece as Buffer<ArrayBuffer>, at, end);
      }
    }
    this.#body = bodyReader(head.body, this.#maxBytes);
    return this.#readBody(this.#body, piece, at);
  }

  #readBody(body: BodyReader, piece: Buffer, at: number): HttpAnswer | undefined {
    const end = body.read(piece, at);
    if (!body.isComplete) return undefined;
    this.#body = undefined;
    this.hasMore = end < piece.length;
    return new HttpAnswer(this.head as AnswerHead, body.bytes);
  }
}
