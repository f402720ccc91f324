/**
 * Opens a port for a door. Knows addresses; nothing of what is answered.
 */
import { BobbinError, messageOf } from "../errors.ts";
import type { SocketSession } from "./socket-session.ts";
import type { Upgrade } from "./web-socket.ts";

type Server = Bun.Server<SocketSession>;

/** Answers a request, or makes a WebSocket of it; then there is no answer. */
export type Answer = (
  request: Request,
  upgrade: Upgrade,
) => Response | undefined | Promise<Response | undefined>;

/** Whether other processes of this bobbin listen on the port too: NONE, or this is the FIRST, or a FURTHER one. */
export type Sharing = "NONE" | "FIRST" | "FURTHER";

/** Connections that say nothing for this long are closed; streams send a comment more often than that. */
const IDLE_SECONDS = 60;
const FREE_PORT_TRIES = 20;

/** An open door: one listener, or two where `localhost` has an address of either family. */
export class Listener {
  readonly port: number;
  readonly url: string;
  readonly #servers: readonly Server[];

  private constructor(host: string, servers: readonly Server[]) {
    this.#servers = servers;
    this.port = servers[0]?.port ?? 0;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Listens on `port`, 0 for a free one. Throws CONFLICT when the port is taken or the address is not here. */
  static open(
    host: string,
    port: number,
    answer: Answer,
    sockets?: Bun.WebSocketHandler<SocketSession>,
    sharing: Sharing = "NONE",
  ): Listener {
    const addresses = host === "localhost" ? loopbackAddresses() : [host];
    for (let attempt = 1; ; attempt++) {
      const servers: Server[] = [];
      try {
        for (const hostname of addresses)
          servers.push(serve(hostname, servers[0]?.port ?? port, answer, sockets, sharing));
        return new Listener(host, servers);
      } catch (error) {
        for (const server of servers) server.stop(true);
        // The free port of one family may be taken in the other.
        if (port === 0 && servers.length > 0 && attempt < FREE_PORT_TRIES) continue;
        const why = (error as { code?: string }).code === "EADDRINUSE" ? "it is in use" : messageOf(error);
        throw new BobbinError("CONFLICT", `cannot listen on ${host}:${port}: ${why}`, { cause: error });
      }
    }
  }

  /** Takes no new connections; returns when the requests in flight are answered. */
  async drain(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop(false)));
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop(true)));
  }
}

function serve(
  hostname: string,
  port: number,
  answer: Answer,
  sockets: Bun.WebSocketHandler<SocketSession> = { message() {} },
  sharing: Sharing,
): Server {
  // The system would let another bobbin of the same user share the port as well.
  if (sharing === "FIRST" && port !== 0) checkFree(hostname, port);
  return Bun.serve<SocketSession>({
    hostname,
    port,
    reusePort: sharing !== "NONE",
    idleTimeout: IDLE_SECONDS,
    // The front of each door has the limit, and answers with a code; Bun's own would answer with an empty body.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, server) =>
      answer(request, (data, headers) => server.upgrade(request, { data, headers })),
    websocket: sockets,
  });
}

/** Throws where anyone listens on the port, sharing it or not. */
function checkFree(hostname: string, port: number): void {
  void Bun.serve({ hostname, port, fetch: () => new Response() }).stop(true);
}

/** The loopback addresses that this machine has, IPv4 first. */
function loopbackAddresses(): string[] {
  const present: string[] = [];
  for (const address of ["127.0.0.1", "::1"]) {
    try {
      Bun.listen({ hostname: address, port: 0, socket: { data() {} } }).stop(true);
      present.push(address);
    } catch {
      // A machine without this family: the other one alone will do.
    }
  }
  return present.length > 0 ? present : ["127.0.0.1"];
}
