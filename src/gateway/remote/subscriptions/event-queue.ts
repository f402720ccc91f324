/**
 * Events that come by themselves and wait until they are taken, up to a bound. Knows nothing of where they come from.
 */
import { BobbinError } from "../../../errors.ts";
import { MAX_EVENT_LENGTH } from "./bounds.ts";
import type { ServiceEvent } from "./event.ts";

const MOST_WAITING = 1_000;

export class EventQueue implements AsyncIterator<ServiceEvent, void, undefined> {
  #waiting: { value: ServiceEvent; length: number }[] = [];
  #length = 0;
  #end: { error?: unknown } | undefined;
  #taker: (() => void) | undefined;

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Throws OVERLOADED where more wait than may. */
  add(value: ServiceEvent, length: number): void {
    if (this.#end) return;
    this.#length += length;
    if (
      this.#waiting.length >= MOST_WAITING ||
      (this.#waiting.length > 0 && this.#length > MAX_EVENT_LENGTH)
    ) {
      const problem = `The client takes the events more slowly than the service sends them: ${this.#waiting.length} wait.`;
      throw new BobbinError("OVERLOADED", problem);
    }
    this.#waiting.push({ value, length });
    this.#taker?.();
  }

  /** Nothing more comes after what waits; `error` is thrown then. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#taker?.();
  }

  async next(): Promise<IteratorResult<ServiceEvent, void>> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) {
        this.#length -= next.length;
        return { done: false, value: next.value };
      }
      if (this.#end) {
        const { error } = this.#end;
        this.#end = {};
        if (error !== undefined) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#taker = resolve;
      });
    }
  }
}
