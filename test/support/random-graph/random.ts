/**
 * Numbers that look random and are the same for the same seed. Knows nothing of what they decide.
 */

export class Random {
  #state: number;

  /** The parts together are the seed. */
  constructor(...seed: readonly (string | number)[]) {
    this.#state = Bun.hash.xxHash32(seed.join("\u0000")) | 0;
  }

  /** From 0 up to, but not, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0 up to, but not, `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  between(least: number, most: number): number {
    return least + this.int(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error("there is nothing to pick from");
    return from[this.int(from.length)] as T;
  }

  /** In another order, at most `count` of them. */
  some<T>(from: readonly T[], count = from.length): T[] {
    const rest = [...from];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(this.int(rest.length), 1));
    return chosen;
  }
}
