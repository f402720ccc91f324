/**
 * One connection to a service, and the one call that it is busy with. It is used again only where the answer before
 * was complete, nothing came behind it and the server keeps the connection. Knows Bun's sockets; nothing of pools.
 */
import type { Socket, SocketHandler } from "bun";
import { BobbinError } from "../../../errors.ts";
import { AnswerReader } from "./answer-reader.ts";
import { type Call, unreachable } from "./call.ts";
import type { HttpAnswer } from "./http-answer.ts";
import type { Origin } from "./target.ts";

export interface ConnectionOwner {
  /** It can take a call. */
  ready(connection: Connection): void;
  /** It is no more. `again`: a call that nothing came of and that may be made once more. */
  gone(connection: Connection, again: Call | undefined): void;
}

/** Many servers close a connection after 5 s without a request; a call that crosses that would be lost. */
const IDLE_MS = 4_000;
const MOST_IDLE_MS = 30_000;
/** How much sooner than the server says. */
const SOONER_MS = 1_000;

const CLOSED = { code: "ConnectionClosed" };

export class Connection {
  /** By `performance.now()`: from then on it is not used again. */
  idleUntil = 0;
  #call: Call | undefined;
  readonly #reader = new AnswerReader();
  #socket: Socket<Connection> | undefined;
  /** What the system did not take yet of the request. */
  #unsent: Buffer | undefined;
  #hasSent = false;
  #hasServed = false;
  #isClosed = false;
  #idleMs = IDLE_MS;
  readonly #owner: ConnectionOwner;
  readonly #isSecure: boolean;

  /** Connects, and makes the call as soon as that is done. */
  constructor({ unix, hostname, port, isSecure }: Origin, owner: ConnectionOwner, call: Call) {
    this.#owner = owner;
    this.#call = call;
    this.#isSecure = isSecure;
    const common = { data: this, socket: Connection.#handler };
    const tls = isSecure ? { tls: { serverName: hostname } } : {};
    const connecting = unix
      ? Bun.connect<Connection>({ unix, ...common })
      : Bun.connect<Connection>({ hostname, port, ...common, ...tls });
    connecting.catch((error) => this.#ended(error));
  }

  get call(): Call | undefined {
    return this.#call;
  }

  /** Only of one that is ready. */
  send(call: Call): void {
    const socket = this.#socket as Socket<Connection>;
    const { bytes } = call.message;
    this.#call = call;
    this.#reader.begin(call.maxBytes);
    const written = socket.write(bytes);
    this.#hasSent = written > 0;
    if (written < 0) this.#ended(CLOSED);
    else if (written < bytes.length) this.#unsent = Buffer.from(bytes.subarray(written));
  }

  /** Whoever waits for its call is told so. The connection cannot be used for another one. */
  fail(error: BobbinError): void {
    const call = this.#call;
    this.#call = undefined;
    call?.reject(error);
    // There is no way to end an attempt to connect: it goes on without the call, and may serve another.
    if (this.#socket) this.#ended(error);
  }

  /** Of one that has no call. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket?.end();
    this.#owner.gone(this, undefined);
  }

  static readonly #handler: SocketHandler<Connection> = {
    open: (socket) => {
      socket.data.#socket = socket;
      if (socket.data.#isClosed) socket.terminate();
      else if (!socket.data.#isSecure) socket.data.#connected();
    },
    handshake: (socket, isAccepted, error) => {
      if (isAccepted) socket.data.#connected();
      else socket.data.#ended(error ?? { code: "TLS" });
    },
    drain: (socket) => socket.data.#sendRest(),
    data: (socket, piece) => socket.data.#received(piece),
    close: (socket, error) => socket.data.#ended(error),
    error: (socket, error) => socket.data.#ended(error),
    connectError: (socket, error) => socket.data.#ended(error),
  };

  #connected(): void {
    if (this.#call) this.send(this.#call);
    else this.#isReady();
  }

  #isReady(): void {
    this.idleUntil = performance.now() + this.#idleMs;
    this.#owner.ready(this);
  }

  #sendRest(): void {
    if (!this.#unsent) return;
    const written = this.#socket?.write(this.#unsent) ?? 0;
    if (written > 0) this.#unsent = this.#unsent.subarray(written);
    if (this.#unsent.length === 0) this.#unsent = undefined;
  }

  #received(piece: Buffer): void {
    if (!this.#call) {
      // Nobody asked for these bytes: they must never be the beginning of another call's answer.
      this.#ended(CLOSED);
      return;
    }
    try {
      const answer = this.#reader.read(piece);
      if (answer) this.#complete(answer);
    } catch (error) {
      this.fail(error instanceof BobbinError ? error : unreachable(error));
    }
  }

  #complete(answer: HttpAnswer): void {
    const { head, hasMore } = this.#reader;
    const call = this.#call;
    this.#call = undefined;
    this.#hasServed = true;
    call?.resolve(answer);
    const { isLast = true, keptMs } = head ?? {};
    if (keptMs !== undefined) this.#idleMs = Math.min(keptMs - SOONER_MS, MOST_IDLE_MS);
    if (isLast || hasMore || this.#unsent || this.#idleMs <= 0) this.close();
    else this.#isReady();
  }

  /** The other side closed it, or it failed. */
  #ended(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket?.terminate();
    const call = this.#call;
    this.#call = undefined;
    const answer = error ? undefined : this.#reader.end();
    let again: Call | undefined;
    if (answer) call?.resolve(answer);
    else if (call && this.#mayBeMadeAgain(call)) again = call;
    else call?.reject(unreachable(error ?? CLOSED));
    this.#owner.gone(this, again);
  }

  /** A server may close a kept connection at the moment that the next request is written. */
  #mayBeMadeAgain(call: Call): boolean {
    if (!this.#hasServed || this.#reader.hasBegun || call.isSecondTry) return false;
    return call.isRepeatable || !this.#hasSent;
  }
}
