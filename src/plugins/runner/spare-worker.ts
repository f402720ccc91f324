/**
 * Keeps a thread ready while plugins are being changed, so that a change does not wait for one to start.
 * Knows threads; nothing of what runs in them.
 */
import type { Clock } from "../../clock.ts";
import type { Isolation } from "../define-plugin.ts";
import type { HostAbilities } from "./context.ts";
import { type PreparedWorker, prepareWorker, type Running, startRunner } from "./isolation.ts";

/** After the last change; then nobody is at work on a plugin any more. */
const KEPT_MS = 60_000;
/** The next one is made once the change that took the last is through. */
const PAUSE_MS = 100;

export class SpareWorker implements Disposable {
  readonly #clock: Clock;
  #spare: PreparedWorker | undefined;
  #stopExpiry = () => {};
  #stopRefill = () => {};
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A change is coming. */
  warm(): void {
    if (this.#isOver) return;
    this.#stopRefill();
    if (!this.#spare) {
      this.#spare = prepareWorker();
      this.#spare.warmUp();
    }
    this.#stopExpiry();
    this.#stopExpiry = this.#clock.after(KEPT_MS, () => this.#letGo());
  }

  /** A runner, in the thread that is ready where there is one. */
  start(isolation: Isolation, host: HostAbilities): Running {
    const spare = this.#spare;
    if (isolation !== "worker" || !spare) return startRunner(isolation, host);
    this.#spare = undefined;
    this.#stopRefill();
    this.#stopRefill = this.#clock.after(PAUSE_MS, () => this.warm());
    return spare.take(host);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#letGo();
  }

  #letGo(): void {
    this.#stopExpiry();
    this.#stopRefill();
    this.#spare?.end();
    this.#spare = undefined;
  }
}
