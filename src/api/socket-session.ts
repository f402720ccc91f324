/**
 * One client's WebSocket: the request that opened it, the operations that go on, and what waits to be sent.
 * Knows the connection; nothing of GraphQL.
 */
import type { ServerWebSocket } from "bun";
import type { Question } from "./graph.ts";

/** Characters that may wait for a client that does not read. */
const MOST_WAITING = 64 * 1024 * 1024;
/** Headers of the handshake itself. */
const OF_THE_HANDSHAKE = /^(connection|upgrade|sec-websocket-.*)$/;

export class SocketSession {
  readonly #url: string;
  readonly #headers: Headers;
  readonly #hops: number;
  readonly #writeToken: string | undefined;
  readonly #operations = new Map<string, AbortController>();
  #draining: PromiseWithResolvers<void> | undefined;
  #waiting = 0;
  /** The message that came last, as it is written. */
  message = "";
  /** What takes the client's messages, and what is told of the end. */
  receive: ((text: string) => Promise<void>) | undefined;
  closed: ((code: number, reason: string) => Promise<void>) | undefined;

  constructor({ url, headers }: Request, hops: number, writeToken: string | undefined) {
    this.#url = url;
    this.#headers = new Headers([...headers].filter(([name]) => !OF_THE_HANDSHAKE.test(name)));
    // What comes over the connection is JSON, and comes from no form.
    this.#headers.set("content-type", "application/json");
    // How it is answered is the connection's matter.
    this.#headers.delete("accept");
    this.#hops = hops;
    this.#writeToken = writeToken;
  }

  /** The context of a new operation, as if it had come as a request of its own. */
  begin(id: string): Question["context"] {
    const ending = new AbortController();
    this.#operations.set(id, ending);
    const { signal } = ending;
    const request = new Request(this.#url, { method: "POST", headers: this.#headers, signal });
    return { request, hops: this.#hops, writeToken: this.#writeToken };
  }

  end(id: string): void {
    this.#operations.get(id)?.abort();
    this.#operations.delete(id);
  }

  endAll(): void {
    for (const id of [...this.#operations.keys()]) this.end(id);
    this.onDrain();
  }

  /** Returns when the client has taken what was sent before, so that a slow one holds up its sources. */
  async send(socket: ServerWebSocket<SocketSession>, text: string): Promise<void> {
    this.#waiting += text.length;
    if (this.#draining && this.#waiting > MOST_WAITING) socket.terminate();
    while (this.#draining) await this.#draining.promise;
    this.#waiting -= text.length;
    if (socket.send(text) !== -1) return;
    this.#draining = Promise.withResolvers();
    await this.#draining.promise;
  }

  onDrain(): void {
    this.#draining?.resolve();
    this.#draining = undefined;
  }
}
