/**
 * One operation made ready, and how it is carried out: by the text of answers, by their values, or interpreted where
 * something is wrong. Knows plans and the code made of them; nothing of HTTP.
 */
import { type ExecutionResult, OperationTypeNode } from "graphql";
import { joined } from "../execute/operation.ts";
import { interpret } from "../federation/executor.ts";
import { newGathered } from "../federation/gathered.ts";
import type { ServiceAnswer } from "../remote/remote-executor.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Snapshot } from "../snapshot.ts";
import { AnswerTexts, jsonAnswer } from "./answer-texts.ts";
import { bodyOf, Calls, type PreparedCall } from "./calls.ts";
import { Gathering, Sequence } from "./gathering.ts";
import { LEFT, leave } from "./left.ts";
import type { PlannedPart } from "./planned-parts.ts";
import type { Programs, TextProgram } from "./program.ts";
import { Uncompilable } from "./uncompilable.ts";
import type { Variables } from "./variables.ts";

export interface Question {
  readonly variables: Variables;
  readonly context: GatewayContext;
}

export class CompiledOperation {
  readonly #parts: readonly PlannedPart[];
  readonly #sequence: Sequence;
  readonly #programs: Programs;
  /** What is answered without any service. */
  readonly #typenames: Readonly<Record<string, string>>;
  /** The names of the answer's root, in their order. */
  readonly #keys: readonly string[];
  readonly #isInTurn: boolean;
  readonly #operation: OperationTypeNode;
  /** Answers that could not be taken as text, less those that could. */
  #misses = 0;
  /** Since text was last tried, where it is not tried every time. */
  #passed = 0;

  constructor(
    parts: readonly PlannedPart[],
    calls: readonly PreparedCall[],
    programs: Programs,
    typenames: Readonly<Record<string, string>>,
    keys: readonly string[],
    operation: OperationTypeNode,
  ) {
    this.#parts = parts;
    this.#sequence = new Sequence(calls);
    this.#programs = programs;
    this.#typenames = typenames;
    this.#keys = keys;
    this.#operation = operation;
    this.#isInTurn = operation === OperationTypeNode.MUTATION;
  }

  /** Of what was made for it. */
  get codeLength(): number {
    return this.#programs.codeLength;
  }

  /** Whether another snapshot has the same services for all that is asked. */
  holdsIn(snapshot: Snapshot): boolean {
    return this.#parts.every(({ island, fields }) =>
      fields.every((field) => snapshot.islandOf(this.#operation, field) === island),
    );
  }

  /** The answer as JSON; a result where something went wrong that only the reference road tells. */
  async answer(question: Question): Promise<string | Buffer<ArrayBuffer> | ExecutionResult> {
    const calls = new Calls(question.context);
    const { texts, values } = this.#programs;
    if (texts && this.#triesText()) {
      try {
        const answer = texts.isWhole
          ? await this.#passOn(texts, calls, question.variables)
          : await this.#weave(texts, calls, question.variables);
        if (this.#misses > 0) this.#misses -= 1;
        return answer;
      } catch (error) {
        if (error !== LEFT) throw error;
        this.#misses = Math.min(this.#misses + 1, MOST_MISSES);
        calls.resume();
      }
    }
    try {
      const way = { program: values(), read: dataOf, decoded: (text: string) => text };
      return JSON.stringify({
        data: await new Gathering(this.#sequence, way, calls, question.variables).run(),
      });
    } catch (error) {
      if (error !== LEFT && !(error instanceof Uncompilable)) throw error;
      // What failed because the client hung up need not be told to anybody.
      return question.context.request?.signal.aborted ? "" : this.#interpret(calls, question);
    }
  }

  #triesText(): boolean {
    if (this.#misses < MOST_MISSES) return true;
    this.#passed = (this.#passed + 1) % TRIES_AGAIN_AFTER;
    return this.#passed === 0;
  }

  /** The one service's answer as it came. Throws LEFT where clients are not to have it so. */
  async #passOn(
    { read }: TextProgram,
    calls: Calls,
    variables: Variables,
  ): Promise<string | Buffer<ArrayBuffer>> {
    const [only] = this.#sequence.calls as [PreparedCall];
    const answer = await calls.send(only, bodyOf(only, variables, [])).catch(leave);
    const json = jsonAnswer(answer) ?? leave();
    const text = json.latin1;
    (read[0] as (text: string) => object)(text);
    return json.isAscii ? text : json.body;
  }

  /** The services' bytes as they came, with those of other services between them. */
  async #weave(
    program: TextProgram,
    calls: Calls,
    variables: Variables,
  ): Promise<string | Buffer<ArrayBuffer>> {
    const texts = new AnswerTexts();
    const read = (answer: ServiceAnswer, call: number) => {
      const text = texts.of(answer);
      return text === undefined ? leave() : (program.read[call] as (text: string) => object)(text);
    };
    const decoded = (text: string) => texts.decoded(text);
    const way = { program, read, decoded };
    return texts.sendable(await new Gathering(this.#sequence, way, calls, variables).run());
  }

  async #interpret(calls: Calls, { variables, context }: Question): Promise<ExecutionResult> {
    const results: ExecutionResult[] = [{ data: this.#typenames }];
    for (const { document, operationName, model, careful } of this.#parts) {
      const root = newGathered(undefined);
      const resumed = { ...model, executor: (graph: string) => calls.resumed(model.executor(graph)) };
      const request = { document, context: context as never, ...(operationName ? { operationName } : {}) };
      const result = await interpret(resumed, request, { plan: careful(), variables, root });
      results.push(result);
      if (this.#isInTurn && !result.data) break;
    }
    return joined(results, this.#keys);
  }
}

/** A service whose answers have another form every time is not read as text every time. */
const MOST_MISSES = 8;
const TRIES_AGAIN_AFTER = 100;

/** Throws LEFT where the answer is anything but data alone. */
function dataOf(answer: ServiceAnswer): object {
  const result: unknown = "result" in answer ? answer.result : parsed(answer.body);
  if (typeof result !== "object" || result === null) throw LEFT;
  const { data, errors } = result as { data?: unknown; errors?: unknown };
  const isWhole = errors === undefined || errors === null;
  if (!isWhole || typeof data !== "object" || data === null || Array.isArray(data)) throw LEFT;
  return data;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw LEFT;
  }
}
