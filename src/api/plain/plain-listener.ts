/**
 * Listens for the gateway's clients, whose plain questions are answered on the very socket; all else goes on to Bun's
 * server. Bun's server alone costs 3 µs more a request, a seventh of a question for one entity, and knows of its head
 * only what is asked for anew each time. Knows sockets; nothing of answers.
 */
import { platform } from "node:os";
import type { SocketHandler, TCPSocketListener } from "bun";
import type { Ear } from "../listener.ts";
import { Connection, type ConnectionOptions, type Questions } from "./connection.ts";

export interface PlainListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly questions: Questions;
  /** Opens Bun's server at a unix socket. */
  readonly behind: (unix: string) => Ear;
}

const ROUND_MS = 5_000;

export class PlainListener implements Ear {
  /** Elsewhere there are no unix sockets without a file; Bun's server then has the clients to itself. */
  static readonly isPossible = platform() === "linux";

  readonly #server: TCPSocketListener<Connection>;
  readonly #connections = new Set<Connection>();
  readonly #behind: Ear;
  readonly #timer: ReturnType<typeof setInterval>;
  #quiet: PromiseWithResolvers<void> | undefined;

  /** Throws where the port is taken. */
  constructor({ hostname, port, reusePort, questions, behind }: PlainListenerOptions) {
    const unix = `\0bobbin-${crypto.randomUUID()}`;
    const options: ConnectionOptions = { questions, behind: unix };
    const socket: SocketHandler<Connection> = {
      open: (client) => {
        client.data = new Connection(client, options);
        this.#connections.add(client.data);
      },
      data: ({ data }, piece) => data.receive(piece),
      drain: ({ data }) => data.onDrain(),
      close: ({ data }) => this.#onClose(data),
      error: (client) => client.terminate(),
    };
    this.#server = Bun.listen<Connection>({ hostname, port, reusePort, socket } as never);
    // After what throws where the port is taken.
    this.#behind = behind(unix);
    this.#timer = setInterval(() => {
      for (const connection of this.#connections) connection.onRound();
    }, ROUND_MS);
    this.#timer.unref();
  }

  get port(): number {
    return this.#server.port;
  }

  async stop(isAtOnce: boolean): Promise<void> {
    this.#server.stop(isAtOnce);
    clearInterval(this.#timer);
    const stopped = this.#behind.stop(isAtOnce);
    if (!isAtOnce) await this.#drained();
    await stopped;
  }

  async #drained(): Promise<void> {
    this.#quiet ??= Promise.withResolvers();
    for (const connection of this.#connections) connection.drain();
    this.#checkQuiet();
    await this.#quiet.promise;
  }

  #onClose(connection: Connection): void {
    this.#connections.delete(connection);
    connection.onClose();
    this.#checkQuiet();
  }

  #checkQuiet(): void {
    if (this.#quiet && ![...this.#connections].some(({ isInUse }) => isInUse)) this.#quiet.resolve();
  }
}
