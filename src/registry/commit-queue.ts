/**
 * One queue of commands in front of one writer: those that wait together are run and committed together, and each is
 * answered after the commit. Knows what a draft is; nothing of services' rules or of SQL.
 */
import { BobbinError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Draft } from "./draft.ts";

/**
 * A WRITE is refused, whole, while the database is away. A RENEWAL holds even then, in memory, and so does an
 * OBSERVATION, which the parts of this process make themselves: what comes in through a door waits within a limit.
 */
type Kind = "WRITE" | "RENEWAL" | "OBSERVATION";

interface Command<T = unknown> {
  readonly kind: Kind;
  readonly run: (draft: Draft) => T;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export interface Writer {
  /** A draft over the present state. */
  draft(): Draft;
  /**
   * Makes the draft durable; false where there was nothing to write. Where it throws, the draft may be written all the
   * same: its answer was lost.
   */
  commit(draft: Draft): Promise<boolean>;
  /** Makes the draft the present state. `written` is false where it could not be made durable. */
  apply(draft: Draft, written: boolean): void;
  now(): number;
}

const MAX_WAITING = 10_000;
/** An embedded database commits without giving way: a group is no more than what requests can wait for. */
const MAX_GROUP = 100;
const GROUP_MS = 4;
/** How long observations do without the database after it failed, rather than wait for its deadline each time. */
const RETRY_MS = 2_000;

export class CommitQueue {
  readonly #writer: Writer;
  readonly #log: Log;
  #waiting: Command[] = [];
  #draining: Promise<void> | undefined;
  #failing = false;
  #retryAt = 0;
  #closed = false;

  constructor(writer: Writer, log: Log) {
    this.#writer = writer;
    this.#log = log;
  }

  enqueue<T>(kind: Kind, run: (draft: Draft) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(unavailable("bobbin is stopping"));
      if (kind !== "OBSERVATION" && this.#waiting.length >= MAX_WAITING) {
        return reject(new BobbinError("OVERLOADED", `${MAX_WAITING} writes are waiting; try again.`));
      }
      this.#waiting.push({ kind, run, resolve, reject } as Command);
      this.#draining ??= this.#drain();
    });
  }

  /** Takes no more commands, and returns when those that wait are done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        // An embedded database commits without giving way: requests that are at the door come in first, to share it.
        await new Promise(setImmediate);
        await this.#runGroup();
      }
    } finally {
      this.#draining = undefined;
    }
  }

  async #runGroup(): Promise<void> {
    const draft = this.#writer.draft();
    const answers: (() => void)[] = [];
    const endAt = performance.now() + GROUP_MS;
    for (const command of this.#waiting) {
      answers.push(run(command, draft));
      if (answers.length === MAX_GROUP || performance.now() > endAt) break;
    }
    const group = this.#waiting.splice(0, answers.length);
    const needsDatabase = group.some((command) => command.kind === "WRITE");
    if (!needsDatabase && this.#failing && this.#writer.now() < this.#retryAt) {
      return this.#settle(draft, false, answers);
    }
    try {
      if (await this.#writer.commit(draft)) this.#noteRecovery();
    } catch (error) {
      this.#noteFailure(error);
      return this.#keepOthers(group, notConfirmed(error));
    }
    this.#settle(draft, true, answers);
  }

  /** After a failed commit: refuses the writes, and runs the others again without them. */
  #keepOthers(group: readonly Command[], refusal: BobbinError): void {
    const draft = this.#writer.draft();
    const answers = group.map((command) =>
      command.kind === "WRITE" ? () => command.reject(refusal) : run(command, draft),
    );
    this.#settle(draft, false, answers);
  }

  #settle(draft: Draft, written: boolean, answers: readonly (() => void)[]): void {
    this.#writer.apply(draft, written);
    for (const answer of answers) answer();
  }

  #noteFailure(error: unknown): void {
    if (!this.#failing) this.#log.error({ err: error }, "the registry's database does not take writes");
    this.#failing = true;
    this.#retryAt = this.#writer.now() + RETRY_MS;
  }

  #noteRecovery(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info("the registry's database takes writes again");
  }
}

/** Runs the command; returns how to answer it once that may be known. */
function run(command: Command, draft: Draft): () => void {
  try {
    const value = command.run(draft);
    return () => command.resolve(value);
  } catch (error) {
    return () => command.reject(error);
  }
}

/** A refusal before anything was written. */
export function unavailable(why: string): BobbinError {
  return new BobbinError("REGISTRY_UNAVAILABLE", `Nothing was written: ${why}.`);
}

/** What is answered after a commit that failed; the database refuses in its own words where it knows what became of it. */
function notConfirmed(cause: unknown): BobbinError {
  if (cause instanceof BobbinError) return cause;
  const message = "The write is not confirmed: the registry's database does not take writes.";
  return new BobbinError("REGISTRY_UNAVAILABLE", message, { cause });
}
