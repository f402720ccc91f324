/**
 * Counts requests, and tells when all that began before a moment have ended: what only they could still use may go.
 * Knows nothing of what a request is.
 */

/** Requests that began between two moments of interest. */
interface Epoch {
  running: number;
  readonly ended: PromiseWithResolvers<void>;
  isClosed: boolean;
}

export class InFlight {
  #current = newEpoch();
  #before: Promise<unknown> = Promise.resolve();

  /** A request begins. Returns what is to be called at its end. */
  enter(): () => void {
    const epoch = this.#current;
    epoch.running += 1;
    return () => {
      epoch.running -= 1;
      settle(epoch);
    };
  }

  /** Resolves when every request that runs now has ended. */
  drained(): Promise<void> {
    const epoch = this.#current;
    this.#current = newEpoch();
    epoch.isClosed = true;
    settle(epoch);
    const all = this.#before.then(() => epoch.ended.promise);
    this.#before = all;
    return all;
  }
}

function newEpoch(): Epoch {
  return { running: 0, ended: Promise.withResolvers<void>(), isClosed: false };
}

function settle(epoch: Epoch): void {
  if (epoch.isClosed && epoch.running === 0) epoch.ended.resolve();
}
