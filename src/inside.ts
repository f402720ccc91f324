/**
 * The graph as this process itself asks it: the same snapshot, the same bounds, without HTTP.
 * Knows snapshots; nothing of who asks.
 */
import { type DocumentNode, type ExecutionResult, GraphQLError, parse, validate } from "graphql";
import { BobbinError, type ErrorCode } from "./errors.ts";
import { answerOperation, answerSubscription } from "./gateway/execute/answer.ts";
import { MAX_TOKENS, sizeProblem } from "./gateway/execute/document-size.ts";
import type { InFlight } from "./gateway/execute/in-flight.ts";
import type { QuickAnswer, QuickRoad } from "./gateway/quick/quick-road.ts";
import type { GatewayContext } from "./gateway/remote/request-context.ts";
import type { Snapshot } from "./gateway/snapshot.ts";
import { withPlainNumbers } from "./gateway/values/exact-numbers.ts";
import { MAX_HOPS } from "./http.ts";
import { untilAborted } from "./until-aborted.ts";

export interface Question {
  readonly document: string;
  readonly variables?: Record<string, unknown> | undefined;
  /** How many gateways it came through, this one included. */
  readonly hops: number;
}

export class Inside {
  readonly #snapshot: () => Snapshot;
  readonly #inFlight: InFlight;
  readonly #road: QuickRoad;

  constructor(snapshot: () => Snapshot, inFlight: InFlight, road: QuickRoad) {
    this.#snapshot = snapshot;
    this.#inFlight = inFlight;
    this.#road = road;
  }

  /** The answer; whatever is wrong with the question is an error in it. */
  async query(question: Question): Promise<ExecutionResult> {
    const leave = this.#inFlight.enter();
    try {
      const quick = await this.#quickly(question);
      if ("body" in quick) return JSON.parse(quick.body.toString()) as ExecutionResult;
      if ("result" in quick) return forCode(quick.result);
      const prepared = this.#prepare(question);
      return "errors" in prepared ? prepared : forCode(await answerOperation(prepared.snapshot, prepared));
    } finally {
      leave();
    }
  }

  /** What is wrong with a question is the reference road's to tell. */
  async #quickly({ document: query, variables = {}, hops }: Question): Promise<QuickAnswer> {
    if (hops > MAX_HOPS) return this.#road.pass("not one plain question");
    const context: GatewayContext = { hops, writeToken: undefined };
    // The variables are values already: what numbers lost when they were parsed is lost.
    const asked = { query, operationName: undefined, variables, text: "", context };
    return this.#road.answer(this.#snapshot(), asked);
  }

  /** What the subscription yields, until `signal` aborts. */
  async *subscribe(
    question: Question,
    signal: AbortSignal,
  ): AsyncGenerator<ExecutionResult, void, undefined> {
    const prepared = this.#prepare(question);
    const results = "errors" in prepared ? prepared : await answerSubscription(prepared.snapshot, prepared);
    if (Symbol.asyncIterator in results) {
      for await (const result of untilAborted(results, signal)) yield forCode(result);
    } else yield results;
  }

  #prepare({ document: text, variables, hops }: Question) {
    const snapshot = this.#snapshot();
    try {
      if (hops > MAX_HOPS) {
        const problem = `The question came through more than ${MAX_HOPS} gateways and plugins.`;
        throw new BobbinError("LOOP_DETECTED", problem);
      }
      const document = parse(text, { maxTokens: MAX_TOKENS });
      const errors = problemsOf(snapshot, document);
      if (errors.length > 0)
        return { errors: errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED")) };
      const contextValue: GatewayContext = { hops, writeToken: undefined };
      return { snapshot, document, variableValues: variables, contextValue };
    } catch (error) {
      return { errors: [asGraphQLError(error)] };
    }
  }
}

function problemsOf({ schema }: Snapshot, document: DocumentNode): readonly GraphQLError[] {
  const errors = validate(schema, document);
  const problem = errors.length === 0 ? sizeProblem(document) : undefined;
  return problem === undefined ? errors : [new GraphQLError(problem)];
}

function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof BobbinError)
    return new GraphQLError(error.message, { extensions: { code: error.code } });
  // The stack is too small for what the document asks; only a document made for that is nested so.
  if (error instanceof RangeError)
    return withCode(new GraphQLError("The document is nested too deeply."), "GRAPHQL_REQUEST_INVALID");
  return withCode(error as GraphQLError, "GRAPHQL_PARSE_FAILED");
}

/** The answer as code can use it, which reckons with doubles. */
function forCode(result: ExecutionResult): ExecutionResult {
  return withCodes(result.data ? { ...result, data: withPlainNumbers(result.data) } : result);
}

/** What the core refused, with its code. */
function withCodes(result: ExecutionResult): ExecutionResult {
  for (const error of result.errors ?? []) {
    let cause: Error | undefined = error;
    while (cause instanceof GraphQLError) cause = cause.originalError;
    if (cause instanceof BobbinError) withCode(error, cause.code);
  }
  return result;
}

function withCode(error: GraphQLError, code: ErrorCode): GraphQLError {
  error.extensions.code ??= code;
  return error;
}
