/**
 * The three open doors: their listeners, what every request passes first, and how they close in order.
 * Knows listeners and fronts; nothing of what a door answers.
 */
import { BobbinError } from "../errors.ts";
import type { DoorName } from "../http.ts";
import { type Fetch, type FrontOptions, withFront } from "./front.ts";
import { Listener } from "./listener.ts";

export interface DoorOptions extends Omit<FrontOptions, "doorHeader" | "corsMethods"> {
  host: string;
  ports: Record<DoorName, number>;
  /** How each door's port is set, for the message when it is taken. */
  portOptions: Record<DoorName, string>;
  doorHeader: (door: DoorName) => string;
  corsMethods: Record<DoorName, FrontOptions["corsMethods"]>;
  /** Requests that come before this is kept wait for it. */
  started: Promise<void>;
}

const DRAIN_MS = 10_000;

export class Doors {
  readonly #listeners = new Map<DoorName, Listener>();

  /** Opens all three or none. Throws CONFLICT when a port is taken. */
  constructor(fetches: Record<DoorName, Fetch>, options: DoorOptions) {
    try {
      for (const door of ["gateway", "core", "registry"] as const) {
        const fetch = withFront(fetches[door], {
          ...options,
          doorHeader: options.doorHeader(door),
          corsMethods: options.corsMethods[door],
        });
        const whenStarted: Fetch = (request) => options.started.then(() => fetch(request));
        this.#listeners.set(door, open(door, whenStarted, options));
      }
    } catch (error) {
      for (const listener of this.#listeners.values()) void listener.close();
      throw error;
    }
  }

  get ports(): Record<DoorName, number> {
    return this.#each(({ port }) => port);
  }

  get urls(): Record<DoorName, string> {
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

  #each<T>(of: (listener: Listener) => T): Record<DoorName, T> {
    return Object.fromEntries([...this.#listeners].map(([door, each]) => [door, of(each)])) as Record<
      DoorName,
      T
    >;
  }
}

function open(door: DoorName, fetch: Fetch, { host, ports, portOptions }: DoorOptions): Listener {
  try {
    return Listener.open(host, ports[door], fetch);
  } catch (error) {
    const message = `${error instanceof Error ? error.message : error}; ${portOptions[door]} sets the port of the ${door}`;
    throw new BobbinError("CONFLICT", message, { cause: error });
  }
}
