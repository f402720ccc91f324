/**
 * How often a plugin's code crashed lately, and what follows: a pause before it is restarted, or none any more.
 */
import type { Clock } from "../clock.ts";

const WINDOW_MS = 5 * 60_000;
/** Before the first restart and the second; the third crash in the window is the last. */
const PAUSES_MS = [100, 1_000];

export class Crashes {
  readonly #clock: Clock;
  #times: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the last five minutes. */
  get recent(): number {
    const since = this.#clock.now() - WINDOW_MS;
    this.#times = this.#times.filter((time) => time > since);
    return this.#times.length;
  }

  /** Takes note of a crash. Returns the pause before the restart, or undefined where there is to be none. */
  add(): number | undefined {
    this.#times.push(this.#clock.now());
    return PAUSES_MS[this.recent - 1];
  }

  forget(): void {
    this.#times = [];
  }
}
