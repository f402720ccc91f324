/**
 * Opens a door: on its port at every address that the host stands for. Knows addresses; nothing of what is answered.
 */
import { BobbinError, messageOf } from "../errors.ts";
import type { SocketSession } from "./socket-session.ts";
import type { Upgrade } from "./web-socket.ts";

/** What listens at one address. */
export interface Ear {
  readonly port: number;
  /** Takes no new connections and returns when the requests in flight are answered; or ends all at once. */
  stop(isAtOnce: boolean): Promise<void>;
}

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

/** Throws where the port is taken. */
export type Listen = (hostname: string, port: number) => Ear;

/** An open door: one ear, or two where `localhost` has an address of either family. */
export class Listener {
  readonly port: number;
  readonly url: string;
  readonly #ears: readonly Ear[];

  private constructor(host: string, ears: readonly Ear[]) {
    this.#ears = ears;
    this.port = ears[0]?.port ?? 0;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Listens on `port`, 0 for a free one. Throws CONFLICT when the port is taken or the address is not here. */
  static open(host: string, port: number, listen: Listen, sharing: Sharing): Listener {
    const addresses = host === "localhost" ? loopbackAddresses() : [host];
    for (let attempt = 1; ; attempt++) {
      const ears: Ear[] = [];
      try {
        // The system would let another bobbin of the same user share the port as well.
        if (sharing === "FIRST" && port !== 0) for (const hostname of addresses) checkFree(hostname, port);
        for (const hostname of addresses) ears.push(listen(hostname, ears[0]?.port ?? port));
        return new Listener(host, ears);
      } catch (error) {
        for (const ear of ears) void ear.stop(true);
        // The free port of one family may be taken in the other.
        if (port === 0 && ears.length > 0 && attempt < FREE_PORT_TRIES) continue;
        const why = (error as { code?: string }).code === "EADDRINUSE" ? "it is in use" : messageOf(error);
        throw new BobbinError("CONFLICT", `cannot listen on ${host}:${port}: ${why}`, { cause: error });
      }
    }
  }

  /** Takes no new connections; returns when the requests in flight are answered. */
  async drain(): Promise<void> {
    await Promise.all(this.#ears.map((ear) => ear.stop(false)));
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await Promise.all(this.#ears.map((ear) => ear.stop(true)));
  }
}

/** Bun's server, at an address or at a unix socket. Throws where the port is taken. */
export function serve(
  place: { hostname: string; port: number; reusePort: boolean } | { unix: string },
  answer: Answer,
  sockets: Bun.WebSocketHandler<SocketSession> = { message() {} },
): Ear {
  const server = Bun.serve<SocketSession>({
    ...place,
    idleTimeout: IDLE_SECONDS,
    // The front of each door has the limit, and answers with a code; Bun's own would answer with an empty body.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, server) =>
      answer(request, (data, headers) => server.upgrade(request, { data, headers })),
    websocket: sockets,
  } as Bun.Serve.Options<SocketSession>);
  return { port: server.port ?? 0, stop: (isAtOnce) => server.stop(isAtOnce) };
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
