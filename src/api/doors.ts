/**
 * The open doors: their listeners, what every request passes first, and how they close in order.
 * Knows listeners and fronts; nothing of what a door answers.
 */
import { BobbinError } from "../errors.ts";
import { DOOR_HEADER, type DoorName } from "../http.ts";
import { type Fetch, type FrontOptions, type Routes, withFront } from "./front.ts";
import type { Graph } from "./graph.ts";
import { type Answer, type Listen, Listener, type Sharing, serve } from "./listener.ts";
import { PlainDoor } from "./plain/plain-door.ts";
import { PlainListener } from "./plain/plain-listener.ts";
import type { GraphQLSockets, Upgrade } from "./web-socket.ts";

export interface DoorOptions<Door extends DoorName> extends Omit<FrontOptions, "doorHeader" | "corsMethods"> {
  host: string;
  ports: Record<Door, number>;
  /** Doors whose port other processes have too. */
  sharing?: Partial<Record<Door, Sharing>>;
  /** How each door's port is set, for the message when it is taken. */
  portOptions: Record<Door, string>;
  doorHeader: (door: Door) => string;
  corsMethods: Record<Door, FrontOptions["corsMethods"]>;
  /** Of the gateway's door. */
  sockets: GraphQLSockets;
  /** Likewise. */
  graph: Pick<Graph, "answerAtOnce">;
  /** Requests that come before this is kept wait for it. */
  started: Promise<void>;
}

const DRAIN_MS = 10_000;

export class Doors<Door extends DoorName = DoorName> {
  readonly #listeners = new Map<Door, Listener>();
  #hasStarted = false;

  /** Opens all or none. Throws CONFLICT when a port is taken. */
  constructor(routes: Record<Door, Routes>, options: DoorOptions<Door>) {
    void options.started.then(() => {
      this.#hasStarted = true;
    });
    try {
      for (const door of Object.keys(routes) as Door[]) {
        const front: FrontOptions = {
          ...options,
          doorHeader: options.doorHeader(door),
          corsMethods: options.corsMethods[door],
        };
        const fetch = withFront(routes[door], front);
        const sockets = door === "gateway" ? options.sockets : undefined;
        const admitted: Answer = (request, upgrade) =>
          sockets?.isFor(request) ? upgraded(request, upgrade, sockets, front) : fetch(request);
        const answer: Answer = (request, upgrade) =>
          this.#hasStarted
            ? admitted(request, upgrade)
            : options.started.then(() => admitted(request, upgrade));
        const plain = door === "gateway" ? new PlainDoor(options.graph, answered(answer), front) : undefined;
        this.#listeners.set(door, open(door, answer, sockets, plain, options));
      }
    } catch (error) {
      for (const listener of this.#listeners.values()) void listener.close();
      throw error;
    }
  }

  get ports(): Record<Door, number> {
    return this.#each(({ port }) => port);
  }

  get urls(): Record<Door, string> {
    return this.#each(({ url }) => url);
  }

  /** Takes no new connections, gives the requests in flight their time, and then ends every connection. */
  async close(): Promise<void> {
    const listeners = [...this.#listeners.values()];
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, DRAIN_MS);
    await Promise.race([Promise.all(listeners.map((listener) => listener.drain())), deadline.promise]);
    clearTimeout(timer);
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #each<T>(of: (listener: Listener) => T): Record<Door, T> {
    return Object.fromEntries([...this.#listeners].map(([door, each]) => [door, of(each)])) as Record<
      Door,
      T
    >;
  }
}

/** A WebSocket passes what every request passes; once it is one, there is no answer any more. */
async function upgraded(
  request: Request,
  upgrade: Upgrade,
  sockets: GraphQLSockets,
  front: FrontOptions,
): Promise<Response | undefined> {
  let isOpen = false;
  const admit: Routes = async (admitted) => {
    await sockets.admit(admitted, (session, headers) =>
      upgrade(session, { ...headers, [DOOR_HEADER]: front.doorHeader }),
    );
    isOpen = true;
    return new Response(null);
  };
  const answer = await withFront(admit, front)(request);
  return isOpen ? undefined : answer;
}

/** Of requests that never become a WebSocket. */
function answered(answer: Answer): Fetch {
  return async (request) => (await answer(request, () => false)) as Response;
}

function open<Door extends DoorName>(
  door: Door,
  answer: Answer,
  sockets: GraphQLSockets | undefined,
  plain: PlainDoor | undefined,
  { host, ports, portOptions, sharing: { [door]: sharing = "NONE" } = {} }: DoorOptions<Door>,
): Listener {
  const reusePort = sharing !== "NONE";
  const behind = (unix: string) => serve({ unix }, answer, sockets?.handler);
  const listen: Listen = (hostname, port) =>
    plain && PlainListener.isPossible
      ? new PlainListener({ hostname, port, reusePort, questions: plain, behind })
      : serve({ hostname, port, reusePort }, answer, sockets?.handler);
  try {
    return Listener.open(host, ports[door], listen, sharing);
  } catch (error) {
    const message = `${error instanceof Error ? error.message : error}; ${portOptions[door]} sets the port of the ${door}`;
    throw new BobbinError("CONFLICT", message, { cause: error });
  }
}
