/**
 * The bytes of one client's connection to Bun's own server and back, for everything that is not a plain question. Once
 * there, a connection stays there. Knows sockets; reads nothing.
 */
import type { Socket, SocketHandler } from "bun";
import { Outflow } from "./outflow.ts";

type Client = Pick<Socket<unknown>, "write" | "end" | "pause" | "resume" | "terminate">;

export class Tunnel {
  readonly #client: Client;
  readonly #toClient: Outflow;
  #server: Socket<Tunnel> | undefined;
  #toServer: Outflow | undefined;
  /** What came before the server was reached. */
  #first: Buffer;
  #isClosed = false;

  /** `unix`: where the server listens; `first`: what the client has sent by now. */
  constructor(client: Client, unix: string, first: Buffer) {
    this.#client = client;
    this.#first = Buffer.from(first);
    this.#toClient = new Outflow(client, {
      pause: () => this.#server?.pause(),
      resume: () => this.#server?.resume(),
    });
    // Nothing more is read before there is somewhere for it to go.
    client.pause();
    Bun.connect<Tunnel>({ unix, data: this, socket: Tunnel.#handler }).catch(() => client.terminate());
  }

  /** From the client. */
  receive(piece: Buffer): void {
    if (this.#toServer) this.#toServer.write(piece);
    else this.#first = Buffer.concat([this.#first, piece]);
  }

  /** The client takes more. */
  onDrain(): void {
    this.#toClient.onDrain();
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#server?.terminate();
  }

  static readonly #handler: SocketHandler<Tunnel> = {
    open: (socket) => socket.data.#reached(socket),
    data: ({ data }, piece) => data.#toClient.write(piece),
    drain: ({ data }) => data.#toServer?.onDrain(),
    close: ({ data }) => data.#toClient.end(),
    error: ({ data }) => data.#toClient.end(),
  };

  #reached(server: Socket<Tunnel>): void {
    if (this.#isClosed) {
      server.terminate();
      return;
    }
    this.#server = server;
    this.#toServer = new Outflow(server, this.#client);
    this.#client.resume();
    this.#toServer.write(this.#first);
    this.#first = Buffer.alloc(0);
  }
}
