/**
 * Time, as everything that waits or stamps sees it. Passed in, so that tests can move it by hand.
 * Knows nothing of what is timed.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once after `delayMs`, unless the returned function is called first. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};
