/**
 * Places for calls in flight, shared by all services so that those that hang leave some to the others.
 * Knows how many there are and who waits; nothing of what a call is.
 */
import { BobbinError } from "../../errors.ts";

/**
 * Bun runs 256 fetches at a time for the whole process and lets the others wait, whatever their deadline. This many
 * are for calls; the rest is for probes and for fetching schemas.
 */
const PLACES = 160;
/** The most that one service has, and the most of its calls that wait for one. */
const MOST_IN_FLIGHT = 64;
const MOST_WAITING = 1_024;

/** One service's calls. */
export interface Lane {
  inFlight: number;
  /** What lets each call that waits go on, in the order of their coming. */
  readonly waiting: Set<() => void>;
}

export class CallPlaces {
  #free = PLACES;
  /** Those with calls that wait; who was served last is last. */
  readonly #waiting = new Set<Lane>();

  /** Whether there is a place at once; whoever got one gives it back by `leave`. */
  enter(lane: Lane): boolean {
    if (lane.waiting.size > 0 || !this.#hasPlace(lane)) return false;
    this.#take(lane);
    return true;
  }

  /**
   * Waits for a place, which is the caller's then, and says how many milliseconds that took. The places may be others'
   * whose calls may take longer still. Throws SERVICE_OVERLOADED where too many wait already, and SERVICE_TIMEOUT
   * where the signal aborts before its turn.
   */
  async turn(lane: Lane, signal: AbortSignal): Promise<number> {
    const startedAt = performance.now();
    await this.#wait(lane, signal);
    return performance.now() - startedAt;
  }

  leave(lane: Lane): void {
    lane.inFlight -= 1;
    this.#free += 1;
    if (this.#waiting.size > 0) this.#admit();
  }

  /**
   * A service has no more places than it leaves free. However many it has calls for, the next one that comes finds
   * half of the rest: 64, 48, 24 and 12 are taken when four of them hang, and 12 are there for those that do not.
   */
  #hasPlace({ inFlight }: Lane): boolean {
    return inFlight < Math.min(MOST_IN_FLIGHT, this.#free);
  }

  #take(lane: Lane): void {
    lane.inFlight += 1;
    this.#free -= 1;
  }

  #wait(lane: Lane, signal: AbortSignal): Promise<void> {
    if (lane.waiting.size >= MOST_WAITING) {
      throw new BobbinError("SERVICE_OVERLOADED", `${MOST_WAITING} calls to the service are waiting.`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const goOn = () => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = () => {
      lane.waiting.delete(goOn);
      reject(new BobbinError("SERVICE_TIMEOUT", "The service did not answer in time."));
    };
    signal.addEventListener("abort", giveUp, { once: true });
    lane.waiting.add(goOn);
    this.#waiting.add(lane);
    return promise;
  }

  /** Gives the free places to those that wait, one each in turn. */
  #admit(): void {
    for (const lane of this.#waiting) {
      const [next] = lane.waiting;
      if (next && !this.#hasPlace(lane)) continue;
      this.#waiting.delete(lane);
      if (!next) continue;
      lane.waiting.delete(next);
      this.#take(lane);
      next();
      this.#waiting.add(lane);
    }
  }
}
