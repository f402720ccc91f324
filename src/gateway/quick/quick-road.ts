/**
 * Questions answered by code that was made for their operation: parsed, checked and planned once for a snapshot.
 * What it does not take, and what goes wrong on it, is the reference road's. Knows snapshots; nothing of HTTP.
 */
import type { ExecutionResult } from "graphql";
import type { Slices } from "../compose/slices.ts";
import { answered } from "../execute/answer.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Snapshot } from "../snapshot.ts";
import { Documents } from "./documents.ts";
import type { CompiledOperation } from "./operation.ts";
import type { Reason } from "./uncompilable.ts";
import type { Variables } from "./variables.ts";

export interface QuickQuestion {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
  /** The text that all that was parsed from. */
  readonly text: string;
  readonly context: GatewayContext;
}

/** The answer's JSON; a result, where the reference road had to tell what went wrong; or why neither. */
export type QuickAnswer =
  | { readonly body: string | Buffer<ArrayBuffer> }
  | { readonly result: ExecutionResult }
  | { readonly reason: Reason };

/** How many questions took each road; the reference road's by why they did. */
export interface RoadCounts {
  readonly compiled: number;
  readonly interpreted: number;
  readonly reference: ReadonlyMap<Reason, number>;
}

export class QuickRoad {
  readonly #compileAfter: number;
  /** A request may still be on a snapshot whose successor others are on. */
  readonly #documents = new WeakMap<Snapshot, Documents>();
  /** Those of the newest snapshot. */
  #newest: Documents | undefined;
  #compiled = 0;
  #interpreted = 0;
  readonly #reference = new Map<Reason, number>();

  constructor(compileAfter: number) {
    this.#compileAfter = compileAfter;
  }

  async answer(snapshot: Snapshot, question: QuickQuestion): Promise<QuickAnswer> {
    const { query, operationName, variables, text } = question;
    const ready = this.#documentsOf(snapshot).find(query, operationName, variables, text);
    return typeof ready === "string" ? this.pass(ready) : this.#carryOut(ready, snapshot, question);
  }

  /** The answer where the code for it is there by now; undefined, and nothing is counted, where it is not. */
  answerAtOnce(
    snapshot: Snapshot,
    question: QuickQuestion,
  ): Promise<Exclude<QuickAnswer, { reason: Reason }>> | undefined {
    const { query, operationName, variables, text } = question;
    const ready = this.#documents.get(snapshot)?.compiled(query, operationName, variables, text);
    return ready && this.#carryOut(ready, snapshot, question);
  }

  async #carryOut(
    ready: CompiledOperation,
    snapshot: Snapshot,
    { variables, context }: QuickQuestion,
  ): Promise<Exclude<QuickAnswer, { reason: Reason }>> {
    const answer = await ready.answer({ variables, context });
    if (typeof answer === "string" || Buffer.isBuffer(answer)) {
      this.#compiled += 1;
      return { body: answer };
    }
    this.#interpreted += 1;
    return { result: answered(snapshot, context, answer) };
  }

  /** Counts a question that the reference road takes. */
  pass(reason: Reason): { readonly reason: Reason } {
    this.#reference.set(reason, (this.#reference.get(reason) ?? 0) + 1);
    return { reason };
  }

  /** Since the beginning. */
  counts(): RoadCounts {
    return {
      compiled: this.#compiled,
      interpreted: this.#interpreted,
      reference: new Map(this.#reference),
    };
  }

  /** Makes the documents in use ready for a snapshot before it is taken. */
  *warm(snapshot: Snapshot): Slices<void> {
    if (this.#newest) this.#keep(snapshot, yield* this.#newest.carriedTo(snapshot));
  }

  #documentsOf(snapshot: Snapshot): Documents {
    return this.#documents.get(snapshot) ?? this.#keep(snapshot, new Documents(snapshot, this.#compileAfter));
  }

  #keep(snapshot: Snapshot, documents: Documents): Documents {
    this.#documents.set(snapshot, documents);
    this.#newest = documents;
    return documents;
  }
}
