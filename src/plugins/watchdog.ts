/**
 * Looks after code that runs elsewhere: whether it still answers, and whether it takes too much memory.
 * Knows what can be seen of it; not what is done about it.
 */
import type { Clock } from "../clock.ts";
import type { Crash, Running, Vitals } from "./runner/isolation.ts";

/** The same runner, which counts as crashed too once it stops answering or takes too much memory. */
export function watchOver(running: Running, options: Omit<WatchdogOptions, "onTrouble">): Running {
  if (!running.vitals) return running;
  const trouble = Promise.withResolvers<Crash>();
  const watchdog = new Watchdog(running.vitals, {
    ...options,
    onTrouble: (reason) => trouble.resolve({ reason }),
  });
  return {
    ...running,
    crashed: Promise.race([running.crashed, trouble.promise]),
    end() {
      watchdog[Symbol.dispose]();
      running.end();
    },
  };
}

interface WatchdogOptions {
  /** Code that does not answer for this long is in an endless loop. */
  hungAfterMs: number;
  memoryLimitBytes: number;
  /** Called once, with what is wrong. */
  onTrouble: (reason: string) => void;
  clock: Clock;
}

const LOOK_MS = 1_000;

class Watchdog implements Disposable {
  readonly #vitals: Vitals;
  readonly #options: WatchdogOptions;
  /** A question that is not answered yet: when it was asked, and what the process held then. */
  #asked: { at: number; residentBytes: number } | undefined;
  #stop: () => void;
  #isOver = false;

  constructor(vitals: Vitals, options: WatchdogOptions) {
    this.#vitals = vitals;
    this.#options = options;
    this.#stop = options.clock.after(LOOK_MS, () => void this.#look());
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#stop();
  }

  async #look(): Promise<void> {
    const { hungAfterMs, memoryLimitBytes, clock } = this.#options;
    const residentBytes = (await this.#vitals.residentBytes()) ?? 0;
    if (this.#isOver) return;
    const asked = this.#asked;
    // Of a process that it shares, only what grew while it kept its thread can be laid at its door.
    const held = this.#vitals.sharesProcess ? asked && residentBytes - asked.residentBytes : residentBytes;
    if (held !== undefined && held > memoryLimitBytes) return this.#trouble(tooMuch(held, memoryLimitBytes));
    if (asked && clock.now() - asked.at >= hungAfterMs) {
      return this.#trouble(`it did not answer for ${Math.round((clock.now() - asked.at) / 1000)} s`);
    }
    if (!asked) this.#ask(residentBytes);
    this.#stop = clock.after(LOOK_MS, () => void this.#look());
  }

  #ask(residentBytes: number): void {
    this.#asked = { at: this.#options.clock.now(), residentBytes };
    const { memoryLimitBytes } = this.#options;
    this.#vitals.ping().then(
      (bytes) => {
        this.#asked = undefined;
        if (bytes > memoryLimitBytes) this.#trouble(tooMuch(bytes, memoryLimitBytes));
      },
      // It ended meanwhile, which is seen elsewhere.
      () => {},
    );
  }

  #trouble(reason: string): void {
    if (this.#isOver) return;
    this[Symbol.dispose]();
    this.#options.onTrouble(reason);
  }
}

function tooMuch(bytes: number, limit: number): string {
  const megabytes = (of: number) => Math.round(of / 2 ** 20);
  return `it holds ${megabytes(bytes)} MB of memory, more than ${megabytes(limit)}`;
}
