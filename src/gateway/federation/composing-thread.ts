/**
 * A thread that composes federated services, so that requests are served meanwhile: the library takes 100 ms for 50
 * services. Started when it is first needed, ended when it has had nothing to do for a while.
 * Knows threads and messages; nothing of what is done with a supergraph.
 */
import { IS_COMPILED } from "../../compiled.ts";
import { BobbinError, type ErrorCode } from "../../errors.ts";
import { Definitions } from "./definitions.ts";
import type { Composed, Member } from "./group.ts";

export interface Job {
  readonly id: number;
  readonly services: readonly { readonly name: string; readonly sdl: string }[];
}

export type Answer =
  // Each as its definitions' texts.
  | { readonly id: number; readonly supergraph: readonly string[]; readonly open: readonly string[] }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

const DEADLINE_MS = 30_000;
const IDLE_MS = 30_000;

export class ComposingThread implements Disposable {
  #worker: Worker | undefined;
  #stopIdling = () => {};
  #jobs = 0;
  readonly #definitions = new Definitions();
  /** One at a time: each job has the whole deadline. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #stopped = Promise.withResolvers<never>();

  constructor() {
    this.#stopped.promise.catch(() => {});
  }

  /** Throws COMPOSITION_FAILED. */
  compose(members: readonly Member[]): Promise<Composed> {
    const mine = this.#last.then(() => this.#run(members));
    this.#last = mine.catch(() => {});
    return mine;
  }

  [Symbol.dispose](): void {
    this.#stopped.reject(failed("bobbin is stopping"));
    this.#end();
  }

  async #run(members: readonly Member[]): Promise<Composed> {
    this.#stopIdling();
    this.#worker ??= startThread();
    const worker = this.#worker;
    const id = ++this.#jobs;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.id === id) resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(failed(`the thread that composes them ended: ${event.message}`));
    };
    const deadline = setTimeout(
      () => reject(failed(`it takes longer than ${DEADLINE_MS / 1000} s`)),
      DEADLINE_MS,
    );
    const services = members.map(({ name, sdl }) => ({ name, sdl }));
    worker.postMessage({ id, services } satisfies Job);
    try {
      const answer = await Promise.race([promise, this.#stopped.promise]);
      if ("code" in answer) throw new BobbinError(answer.code, answer.message);
      this.#idle();
      const { supergraph, open } = answer;
      return this.#definitions.documents({ supergraph, open });
    } catch (error) {
      // After an answer the thread is well, whatever it said.
      if (error instanceof BobbinError && error.cause === UNANSWERED) this.#end();
      else this.#idle();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  #idle(): void {
    const timer = setTimeout(() => this.#end(), IDLE_MS);
    timer.unref();
    this.#stopIdling = () => clearTimeout(timer);
  }

  #end(): void {
    this.#stopIdling();
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Marks a failure of the thread itself. */
const UNANSWERED = Symbol("unanswered");

function failed(reason: string): BobbinError {
  const message = `The federated services cannot be composed: ${reason}.`;
  return new BobbinError("COMPOSITION_FAILED", message, { cause: UNANSWERED });
}

function startThread(): Worker {
  const path = IS_COMPILED ? "./gateway/federation/thread.ts" : "./thread.ts";
  return new Worker(new URL(path, import.meta.url).href);
}
