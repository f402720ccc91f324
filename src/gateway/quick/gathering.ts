/**
 * One pass over the requests of an operation: each is made as soon as those before it are answered, and what is answered
 * goes to the program that makes the client's answer of it. There is one promise for the whole, because one for each
 * step would cost as much as the step. Knows requests and programs; nothing of what is in answers.
 */
import type { ServiceAnswer } from "../remote/remote-executor.ts";
import { bodyOf, type Calls, type PreparedCall } from "./calls.ts";
import { LEFT } from "./left.ts";
import type { Program, State } from "./program.ts";
import type { Variables } from "./variables.ts";

/** How answers are carried from one request to the next and to the client. Each may throw LEFT. */
export interface Way<Answer> {
  readonly program: Program<Answer>;
  readonly read: (answer: ServiceAnswer, call: number) => object;
  /** What the text of representations means. */
  readonly decoded: (text: string) => string;
}

/** The requests of an operation in their order. */
export class Sequence {
  readonly calls: readonly PreparedCall[];
  /** Of each request, those that have to wait for it. */
  readonly waiting: readonly (readonly number[])[];

  constructor(calls: readonly PreparedCall[]) {
    this.calls = calls;
    this.waiting = calls.map((_, i) =>
      calls.flatMap(({ call }, next) => (call.after.includes(i) ? next : [])),
    );
  }
}

export class Gathering<Answer> {
  readonly #sequence: Sequence;
  readonly #way: Way<Answer>;
  readonly #calls: Calls;
  readonly #variables: Variables;
  readonly #state: State;
  readonly #done = Promise.withResolvers<Answer>();
  /** Of each request, how many of those before it are not answered yet. */
  readonly #missing: number[];
  #left: number;
  #isOver = false;

  constructor(sequence: Sequence, way: Way<Answer>, calls: Calls, variables: Variables) {
    this.#sequence = sequence;
    this.#way = way;
    this.#calls = calls;
    this.#variables = variables;
    this.#state = way.program.begin();
    this.#missing = sequence.calls.map(({ call }) => call.after.length);
    this.#left = sequence.calls.length;
  }

  /** Rejects with LEFT, or with what the program threw. To be called once. */
  run(): Promise<Answer> {
    const { calls } = this.#sequence;
    if (calls.length === 0) this.#end();
    for (const [i, { call }] of calls.entries()) if (call.after.length === 0) this.#start(i);
    return this.#done.promise;
  }

  #start(i: number): void {
    const prepared = this.#sequence.calls[i] as PreparedCall;
    const representations: string[] = [];
    let isNeeded = prepared.isRoot;
    try {
      for (const collect of this.#way.program.collect[i] ?? []) {
        const text = collect(this.#state);
        representations.push(this.#way.decoded(text));
        isNeeded ||= text !== "";
      }
      if (!isNeeded) this.#finish(i);
      else {
        const body = bodyOf(prepared, this.#variables, representations);
        this.#calls.send(prepared, body).then(
          (answer) => this.#take(i, answer),
          () => this.#fail(LEFT),
        );
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(i: number, answer: ServiceAnswer): void {
    if (this.#isOver) return;
    try {
      const { program, read } = this.#way;
      program.take[i]?.(this.#state, read(answer, i));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#finish(i);
  }

  #finish(i: number): void {
    this.#left -= 1;
    if (this.#left === 0) this.#end();
    for (const next of this.#sequence.waiting[i] as readonly number[]) {
      const missing = (this.#missing[next] as number) - 1;
      this.#missing[next] = missing;
      if (missing === 0 && !this.#isOver) this.#start(next);
    }
  }

  #end(): void {
    try {
      this.#done.resolve(this.#way.program.answer(this.#state));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#done.reject(error);
  }
}
