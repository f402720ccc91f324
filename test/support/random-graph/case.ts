/**
 * One random case after the other: services, their behaviour and an operation, all made from a seed, with what is
 * wrong with the answers. The test asks some hundreds, the script as many as one likes.
 */
import { dataText, differences } from "./comparing.ts";
import { type RandomOperation, randomOperation } from "./operation.ts";
import type { Outcome, Roads } from "./roads.ts";
import { type RandomService, randomServices } from "./schema.ts";
import { type Behaviour, WELL } from "./serving.ts";
import { Truth } from "./truth.ts";

/** What may go wrong. */
export const MODES = {
  well: {},
  "odd forms": { oddForms: 0.6 },
  "unknown entities": { unknown: 0.3 },
  "failing fields": { throwing: 0.06 },
  "wrong values": { wrong: 0.05 },
  "wrong forms": { wrongForms: 0.4 },
  everything: { unknown: 0.1, throwing: 0.02, wrong: 0.02, oddForms: 0.3, wrongForms: 0.1 },
} as const satisfies Record<string, Partial<Behaviour>>;

export type Mode = keyof typeof MODES;

export interface Finding {
  readonly seed: string;
  readonly mode: Mode;
  readonly services: readonly RandomService[];
  readonly operation: RandomOperation;
  readonly outcome: Outcome;
  /** Empty where all is well. */
  readonly problems: readonly string[];
}

/** A graph of random services. */
export class RandomGraph {
  readonly services: readonly RandomService[];
  readonly #roads: Roads;
  readonly #seed: string;
  readonly #mode: Mode;
  #truth: Truth | undefined;

  constructor(roads: Roads, seed: string, mode: Mode) {
    this.services = randomServices(seed);
    this.#roads = roads;
    this.#seed = seed;
    this.#mode = mode;
  }

  /** Returns why there is none of these services, where that is so. */
  async serve(): Promise<string | undefined> {
    const problem = await this.#roads.serve(this.services, {
      ...WELL,
      ...MODES[this.#mode],
      seed: this.#seed,
    });
    if (problem !== undefined) return problem;
    if (this.#mode === "well" || this.#mode === "odd forms")
      this.#truth = new Truth(this.services, this.#roads.snapshot.sdl, this.#seed);
    return undefined;
  }

  async ask(number: number): Promise<Finding> {
    const seed = `${this.#seed}/${number}`;
    const operation = randomOperation(this.#roads.snapshot.schema, seed);
    return { seed, mode: this.#mode, services: this.services, operation, ...(await this.check(operation)) };
  }

  async check(operation: RandomOperation): Promise<Pick<Finding, "outcome" | "problems">> {
    const outcome = await this.#roads.ask(operation);
    const problems = differences(outcome);
    const truth = await this.#truth?.answer(operation);
    if (truth && this.#shown({ text: JSON.stringify(truth) }) !== this.#shown(outcome.quick))
      problems.push(`the truth is ${JSON.stringify(truth)}`);
    return { outcome, problems };
  }

  /** An odd form writes IDs as numbers, which go to other services as they are, and show in what is made of them. */
  #shown(answer: { text: string }): string {
    const text = dataText(answer);
    return this.#mode === "odd forms" ? text.replace(/\\"(\d{1,3})\\"/g, "$1") : text;
  }
}
