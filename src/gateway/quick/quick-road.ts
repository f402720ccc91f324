/**
 * Questions answered by code that was made for their operation: parsed, checked and planned once for a snapshot.
 * What it does not take, and what goes wrong on it, is the reference road's. Knows snapshots; nothing of HTTP.
 */
import type { ExecutionResult } from "graphql";
import { answered } from "../execute/answer.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Snapshot } from "../snapshot.ts";
import { Documents } from "./documents.ts";
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
  | { readonly reason: string };

export class QuickRoad {
  readonly #compileAfter: number;
  #current: { snapshot: Snapshot; documents: Documents } | undefined;

  constructor(compileAfter: number) {
    this.#compileAfter = compileAfter;
  }

  async answer(snapshot: Snapshot, question: QuickQuestion): Promise<QuickAnswer> {
    const { query, operationName, variables, text, context } = question;
    const ready = this.#documentsOf(snapshot).find(query, operationName, variables, text);
    if (typeof ready === "string") return { reason: ready };
    const answer = await ready.answer({ variables, context });
    if (typeof answer === "string" || Buffer.isBuffer(answer)) return { body: answer };
    return { result: answered(snapshot, context, answer) };
  }

  #documentsOf(snapshot: Snapshot): Documents {
    if (this.#current?.snapshot !== snapshot)
      this.#current = { snapshot, documents: new Documents(snapshot, this.#compileAfter) };
    return this.#current.documents;
  }
}
