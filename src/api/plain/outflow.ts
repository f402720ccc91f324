/**
 * What goes out on a socket: in order, and while the other side does not take it, held back together with its source.
 * Knows sockets; nothing of what is sent.
 */
import type { Socket } from "bun";

export type Sink = Pick<Socket<unknown>, "write" | "end">;
export type Source = Pick<Socket<unknown>, "pause" | "resume">;

/** What is sent in one goes through here: put together in one string it would be copied twice. */
const ROOM = Buffer.alloc(64 * 1024);

export class Outflow {
  readonly #sink: Sink;
  readonly #source: Source;
  /** What the system did not take yet. */
  #unsent: Buffer | undefined;
  #isEnding = false;
  #drained: PromiseWithResolvers<void> | undefined;

  /** `source`: what is not read from while the sink takes no more. */
  constructor(sink: Sink, source: Source) {
    this.#sink = sink;
    this.#source = source;
  }

  get isHeldUp(): boolean {
    return this.#unsent !== undefined;
  }

  /** A string has no character but ASCII; bytes are the caller's again when this returns. */
  write(bytes: string | Buffer): void {
    if (this.#unsent) {
      this.#unsent = Buffer.concat([this.#unsent, typeof bytes === "string" ? Buffer.from(bytes) : bytes]);
      return;
    }
    const written = this.#sink.write(bytes);
    // A negative number: it is closed, and nobody waits for more.
    if (written < 0 || written === bytes.length) return;
    this.#unsent = Buffer.from(bytes as string).subarray(written);
    this.#source.pause();
  }

  /** Strings have no character but ASCII. */
  writeMessage(head: string, body: string | Buffer): void {
    if (head.length + body.length > ROOM.length) {
      this.write(typeof body === "string" ? head + body : Buffer.concat([Buffer.from(head), body]));
      return;
    }
    const start = ROOM.write(head, "latin1");
    const length = typeof body === "string" ? ROOM.write(body, start, "latin1") : body.copy(ROOM, start);
    this.write(ROOM.subarray(0, start + length));
  }

  /** The sink takes more. */
  onDrain(): void {
    if (!this.#unsent) return;
    const written = this.#sink.write(this.#unsent);
    if (written > 0) this.#unsent = this.#unsent.subarray(written);
    if (this.#unsent.length > 0) return;
    this.#unsent = undefined;
    this.#drained?.resolve();
    if (this.#isEnding) this.#sink.end();
    else this.#source.resume();
  }

  /** Resolves when everything was sent. */
  async drained(): Promise<void> {
    if (!this.#unsent) return;
    this.#drained = Promise.withResolvers();
    await this.#drained.promise;
  }

  /** The sink is gone: nobody need wait for it. */
  onClose(): void {
    this.#unsent = undefined;
    this.#drained?.resolve();
  }

  /** Ends the sink when everything was sent. */
  end(): void {
    this.#isEnding = true;
    if (!this.#unsent) this.#sink.end();
  }
}
