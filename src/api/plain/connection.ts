/**
 * One client's connection to the gateway: questions in the plain form are read and answered one after another, and at
 * the first request of any other form all of it becomes Bun's server's. Knows sockets and heads; nothing of answers.
 */
import type { Socket } from "bun";
import { Outflow } from "./outflow.ts";
import { knownPlainHead, MOST_HEAD_BYTES, mayBePlain, type PlainHead, readPlainHead } from "./plain-head.ts";
import { Tunnel } from "./tunnel.ts";

/** Who waits for an answer. */
export interface Client {
  /** Aborts when the client hangs up before it has its answer. */
  readonly signal: AbortSignal;
}

/** A whole answer as HTTP has it: its two parts, of which a string is ASCII, or bytes as they come. */
export type Answer = { readonly head: string; readonly body: string | Buffer } | AsyncIterable<Buffer>;

/** Who answers. */
export interface Questions {
  answer(head: PlainHead, body: string, client: Client): Promise<Answer>;
  /** Told where that rejected, or what it gave broke off. */
  onFault(error: unknown): void;
}

export interface ConnectionOptions {
  readonly questions: Questions;
  /** The unix socket where Bun's server listens. */
  readonly behind: string;
}

/** Connections that say nothing for so many of the owner's rounds are ended. */
const MOST_QUIET_ROUNDS = 12;
/** After so many, Bun's server is given what was begun: it knows what is wrong with it, and how long to wait. */
const PATIENT_ROUNDS = 1;
/** The empty line after a head, with the end of the line before. */
const EMPTY_LINE = 0x0d0a0d0a;
const BYTE_ORDER_MARK = "\ufeff";
/** Bodies of more bytes are Bun's server's, which reads them as they come. */
const MOST_BODY_BYTES = 64 * 1024;

export class Connection implements Client {
  readonly #socket: Socket<Connection>;
  readonly #options: ConnectionOptions;
  readonly #out: Outflow;
  /** What came and was not looked at yet. */
  #unread: Buffer | undefined;
  /** Where the last head ended: those of one client are mostly of one length. */
  #headEnd = 0;
  #isBusy = false;
  #isDraining = false;
  #isClosed = false;
  #tunnel: Tunnel | undefined;
  #hangUp: AbortController | undefined;
  #quietRounds = 0;

  constructor(socket: Socket<Connection>, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#out = new Outflow(socket, socket);
  }

  get isInUse(): boolean {
    return this.#isBusy || this.#out.isHeldUp || this.#tunnel !== undefined;
  }

  get signal(): AbortSignal {
    this.#hangUp ??= new AbortController();
    if (this.#isClosed) this.#hangUp.abort();
    return this.#hangUp.signal;
  }

  receive(piece: Buffer): void {
    this.#quietRounds = 0;
    if (this.#tunnel) {
      this.#tunnel.receive(piece);
      return;
    }
    const bytes = this.#unread ? Buffer.concat([this.#unread, piece]) : piece;
    if (this.#isBusy || this.#out.isHeldUp) {
      this.#unread = Buffer.from(bytes);
      // Answers go out in the order of the questions; until then nobody need send more.
      this.#socket.pause();
    } else this.#read(bytes);
  }

  onDrain(): void {
    this.#quietRounds = 0;
    if (this.#tunnel) this.#tunnel.onDrain();
    else {
      this.#out.onDrain();
      this.#goOn();
    }
  }

  onClose(): void {
    this.#isClosed = true;
    this.#out.onClose();
    this.#tunnel?.close();
    this.#hangUp?.abort();
  }

  /** Every few seconds: a client that neither sends nor takes anything is gone. */
  onRound(): void {
    // Bun's server has limits of its own, and who waits for bobbin need say nothing.
    if (this.#tunnel || (this.#isBusy && !this.#out.isHeldUp)) return;
    this.#quietRounds += 1;
    const isGivenUp = this.#quietRounds > MOST_QUIET_ROUNDS;
    if (this.#out.isHeldUp) {
      // What it has not taken by now it never will.
      if (isGivenUp) this.#socket.terminate();
    } else if (this.#unread) {
      if (this.#quietRounds > PATIENT_ROUNDS) this.#handOver(this.#unread);
    } else if (isGivenUp) this.#out.end();
  }

  /** Takes no further question. */
  drain(): void {
    this.#isDraining = true;
    if (!this.isInUse) this.#out.end();
  }

  /** From the first byte of a request on. */
  #read(bytes: Buffer): void {
    this.#unread = undefined;
    const known = this.#sameHead(bytes);
    const end = known ? this.#headEnd : bytes.indexOf("\r\n\r\n");
    if (end < 0 && mayBePlain(bytes) && bytes.length < MOST_HEAD_BYTES) {
      this.#unread = Buffer.from(bytes);
      return;
    }
    const isShort = end >= 0 && end < MOST_HEAD_BYTES;
    const head = known ?? (isShort ? readPlainHead(bytes.toString("latin1", 0, end)) : undefined);
    this.#headEnd = end;
    if (!head || head.bodyLength > MOST_BODY_BYTES) {
      this.#handOver(bytes);
      return;
    }
    const start = end + 4;
    const stop = start + head.bodyLength;
    if (bytes.length !== stop) this.#unread = Buffer.from(bytes.subarray(bytes.length < stop ? 0 : stop));
    if (bytes.length >= stop) void this.#answer(head, textOf(bytes, start, stop));
  }

  /** Whatever follows is Bun's server's too. */
  #handOver(bytes: Buffer): void {
    this.#unread = undefined;
    this.#tunnel = new Tunnel(this.#socket, this.#options.behind, bytes);
  }

  /** The head that the bytes begin with, where it is of the length of the one before and is known. */
  #sameHead(bytes: Buffer): PlainHead | undefined {
    const end = this.#headEnd;
    if (end <= 0 || bytes.length < end + 4 || bytes.readUInt32BE(end) !== EMPTY_LINE) return undefined;
    return knownPlainHead(bytes.toString("latin1", 0, end));
  }

  async #answer(head: PlainHead, body: string): Promise<void> {
    this.#isBusy = true;
    try {
      const answer = await this.#options.questions.answer(head, body, this);
      if (Symbol.asyncIterator in answer) await this.#writeAll(answer);
      else if (!this.#isClosed) this.#out.writeMessage(answer.head, answer.body);
    } catch (error) {
      if (!this.#isClosed) this.#options.questions.onFault(error);
      // What may have begun cannot be answered otherwise: the client sees that it broke off.
      this.#socket.terminate();
    }
    this.#isBusy = false;
    this.#hangUp = undefined;
    if (this.#isDraining) this.#out.end();
    else if (this.#unread) this.#goOn();
  }

  async #writeAll(pieces: AsyncIterable<Buffer>): Promise<void> {
    for await (const piece of pieces) {
      if (this.#isClosed) return;
      this.#out.write(piece);
      await this.#out.drained();
    }
  }

  /** With what came meanwhile. */
  #goOn(): void {
    if (this.#isBusy || this.#isClosed || this.#out.isHeldUp || !this.#unread) return;
    this.#socket.resume();
    this.#read(this.#unread);
  }
}

/** Without a byte order mark, as Bun's server gives texts. */
function textOf(bytes: Buffer, start: number, stop: number): string {
  const text = bytes.toString("utf8", start, stop);
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
