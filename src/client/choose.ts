/**
 * Which instance of a service the next call goes to: the healthy ones in turn, any where none is healthy. Pure but for
 * whose turn it is. Knows instances; nothing of where they are known from.
 */

export interface Candidate {
  readonly url: string;
  readonly healthy: boolean;
}

export class Rotation {
  readonly instances: readonly Candidate[];
  readonly #inTurn: readonly Candidate[];
  #next: number;

  /** Programs that start at the same time do not all begin with the same instance. */
  constructor(instances: readonly Candidate[], random: () => number = Math.random) {
    this.instances = instances;
    const healthy = instances.filter((instance) => instance.healthy);
    this.#inTurn = healthy.length > 0 ? healthy : instances;
    this.#next = Math.floor(random() * this.#inTurn.length);
  }

  /** Undefined where there is no instance. */
  next(): Candidate | undefined {
    const chosen = this.#inTurn[this.#next];
    this.#next = this.#next + 1 < this.#inTurn.length ? this.#next + 1 : 0;
    return chosen;
  }

  /** One that is not at `url`, healthy if there is such a one. Takes nobody's turn. */
  other(url: string): Candidate | undefined {
    const coming = [...this.#inTurn.slice(this.#next), ...this.#inTurn.slice(0, this.#next)];
    return [...coming, ...this.instances].find((instance) => instance.url !== url);
  }
}
