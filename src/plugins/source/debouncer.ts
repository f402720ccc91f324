/**
 * Turns a burst of signs into one call when it is over.
 * Knows time; nothing of what the signs are.
 */
import type { Clock } from "../../clock.ts";

/** This long without a further sign a burst counts as over. */
export const QUIET_MS = 5;
/** This long after the first sign the call comes although there are further ones. */
export const MOST_WAIT_MS = 200;

export interface DebouncerOptions {
  /** The first sign in a quiet time. */
  onStir: () => void;
  /** It is quiet again, or has not been for too long. */
  onQuiet: () => void;
  clock: Clock;
}

export class Debouncer implements Disposable {
  readonly #options: DebouncerOptions;
  #isStirred = false;
  #isDue = false;
  #isDisposed = false;
  #cancelQuiet = () => {};
  #cancelLatest = () => {};

  constructor(options: DebouncerOptions) {
    this.#options = options;
  }

  /** Takes note of a sign. */
  stir(): void {
    if (this.#isDisposed) return;
    const isFirst = !this.#isStirred;
    this.#isStirred = true;
    this.expect();
    if (isFirst) this.#options.onStir();
  }

  /** Has `onQuiet` called as after a sign, where there was none. */
  expect(): void {
    if (this.#isDisposed) return;
    this.#cancelQuiet();
    this.#cancelQuiet = this.#options.clock.after(QUIET_MS, () => this.#end());
    if (this.#isDue) return;
    this.#isDue = true;
    this.#cancelLatest = this.#options.clock.after(MOST_WAIT_MS, () => this.#end());
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#cancelQuiet();
    this.#cancelLatest();
  }

  #end(): void {
    this.#cancelQuiet();
    this.#cancelLatest();
    // Before the call: a sign that comes from now on is answered by a call of its own.
    this.#isStirred = false;
    this.#isDue = false;
    this.#options.onQuiet();
  }
}
