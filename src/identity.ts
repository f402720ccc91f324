/**
 * How this process recognises itself: by its listeners' addresses, and by a header that every answer of it carries.
 * Knows addresses and ports; nothing of services.
 */
import { hostname, networkInterfaces } from "node:os";
import type { DoorName } from "./http.ts";
import { isLoopbackHost } from "./loopback.ts";

export class Identity {
  /** New for each start. */
  readonly #processId = crypto.randomUUID();
  readonly #host: string;
  #ports = new Map<number, DoorName>();

  constructor(host: string) {
    this.#host = host;
  }

  /** Takes note of where the doors are, once they are open. */
  setPorts(ports: Record<DoorName, number>): void {
    this.#ports = new Map(Object.entries(ports).map(([door, port]) => [port, door as DoorName]));
  }

  /** The value of the door header on this process's answers. */
  doorHeader(door: DoorName): string {
    return `${this.#processId}/${door}`;
  }

  /** The door that an answer's header names, if this process gave it. */
  doorOf(header: string | null): DoorName | undefined {
    const [id, door] = header?.split("/") ?? [];
    return id === this.#processId ? (door as DoorName) : undefined;
  }

  /** The door that the URL leads to, as far as its host and port tell. */
  ownDoor(url: string): DoorName | undefined {
    const parsed = URL.parse(url);
    if (parsed?.protocol !== "http:") return undefined;
    const door = this.#ports.get(Number(parsed.port || 80));
    return door && this.#isOwnHost(parsed.hostname) ? door : undefined;
  }

  #isOwnHost(name: string): boolean {
    const bare = name.replace(/^\[|\]$/g, "").toLowerCase();
    const everywhere = this.#host === "0.0.0.0" || this.#host === "::";
    if (isLoopbackHost(bare) || bare === "0.0.0.0" || bare === "::")
      return everywhere || isLoopbackHost(this.#host);
    if (bare === this.#host.toLowerCase()) return true;
    if (!everywhere) return false;
    const addresses = Object.values(networkInterfaces()).flatMap(
      (each) => each?.map(({ address }) => address) ?? [],
    );
    return bare === hostname().toLowerCase() || addresses.includes(bare);
  }
}
