/**
 * One operation made ready: its plan, and the code that carries it out. Knows snapshots; nothing of HTTP.
 */
import {
  type DefinitionNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLObjectType,
  type OperationDefinitionNode,
  OperationTypeNode,
} from "graphql";
import type { Island } from "../compose/island.ts";
import { isGroups, joined, type Part, routeOf } from "../execute/operation.ts";
import { rootFieldsOf } from "../execute/split.ts";
import { stitchedModel } from "../execute/stitched-model.ts";
import { type FederationOptions, interpret } from "../federation/executor.ts";
import { newGathered } from "../federation/gathered.ts";
import type { Call, Plan } from "../federation/plan.ts";
import { planOperation } from "../federation/plan-operation.ts";
import { Unplannable } from "../federation/planner.ts";
import type { RawAnswer } from "../remote/graphql-call.ts";
import type { ServiceAnswer } from "../remote/remote-executor.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Snapshot } from "../snapshot.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { bodyOf, Calls, isDivided, type PreparedCall, prepareCall } from "./calls.ts";
import {
  compilePrograms,
  LEFT,
  type Program,
  type Programs,
  type State,
  type TextProgram,
} from "./program.ts";
import { answerShape, type Shape } from "./shape.ts";
import { Uncompilable } from "./uncompilable.ts";
import type { Variables } from "./variables.ts";

/** A part of the operation with a plan of its own. */
interface PlannedPart {
  readonly island: Island;
  /** The names of its root fields. */
  readonly fields: readonly string[];
  readonly document: DocumentNode;
  /** Which of the document's operations it is. */
  readonly operationName: string | undefined;
  readonly model: FederationOptions;
  readonly plan: Plan;
  /** The plan for the case that something fails. */
  careful(): Plan;
}

export interface Question {
  readonly variables: Variables;
  readonly context: GatewayContext;
}

/** Throws Uncompilable. */
export function compileOperation(
  snapshot: Snapshot,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  included: Variables,
): CompiledOperation {
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw new Uncompilable("subscription");
  const route = routeOf(snapshot, { document, operationName: operation.name?.value });
  const parts = (route?.parts ?? [])
    .filter((part) => !isTypename(part, operation))
    .map((part) => planPart(part, operation, included));
  const isInTurn = operation.operation === OperationTypeNode.MUTATION;
  const calls = joinedCalls(parts, isInTurn);
  const shape = answerShape(snapshot.schema, document, operation, included);
  const programs = compilePrograms({ calls: calls.map(({ call }) => call) }, snapshot.schema, shape);
  return new CompiledOperation(
    parts,
    calls,
    programs,
    typenamesIn(shape),
    shape.of(shape.type as GraphQLObjectType).map(({ key }) => key),
    operation.operation,
  );
}

/** What is answered without any service. */
function typenamesIn({ type, of }: Shape): Record<string, string> {
  const fields = of(type as GraphQLObjectType).filter(({ name }) => name === "__typename");
  return Object.fromEntries(fields.map(({ key }) => [key, type.name]));
}

/** Whether nothing but the root type's name is asked, which needs no service. */
function isTypename({ island, document }: Part, operation: OperationDefinitionNode): boolean {
  return (
    !island &&
    rootFieldsOf(document, operationIn(document, operation)).every(({ name }) => name.value === "__typename")
  );
}

/** The same operation in a document that has a part of it. */
function operationIn(
  document: DocumentNode,
  { kind, name }: OperationDefinitionNode,
): OperationDefinitionNode {
  const is = (node: DefinitionNode) => node.kind === kind && node.name?.value === name?.value;
  return document.definitions.find(is) as OperationDefinitionNode;
}

function planPart(
  { island, document }: Part,
  operation: OperationDefinitionNode,
  variables: Variables,
): PlannedPart {
  if (!island) throw new Uncompilable("introspection");
  const model = isGroups(island, document) ? island.group?.execution : stitchedModel(island);
  if (!model) throw new Uncompilable("stitched services");
  const supergraph = model.supergraph();
  if (supergraph.hasOverrides) throw new Uncompilable("progressive override");
  const node = operationIn(document, operation);
  const { entityField } = model;
  const options = { supergraph, document, operation: node, variables, entityField };
  let careful: Plan | undefined;
  try {
    return {
      island,
      fields: rootFieldsOf(document, node).map(({ name }) => name.value),
      document,
      operationName: operation.name?.value,
      model,
      plan: planOperation({ ...options, isThrifty: true }),
      careful() {
        careful ??= planOperation(options);
        return careful;
      },
    };
  } catch (error) {
    if (error instanceof Unplannable) throw new Uncompilable("field of no service");
    throw error;
  }
}

/** The parts' calls as one plan's; of a mutation, each part's after those of the part before. */
function joinedCalls(parts: readonly PlannedPart[], isInTurn: boolean): PreparedCall[] {
  const calls: PreparedCall[] = [];
  for (const { model, plan } of parts) {
    const first = calls.length;
    const before = isInTurn ? calls.map((_, i) => i) : [];
    for (const call of plan.calls) {
      const executor = model.executor(call.graph);
      if (!isDivided(executor)) throw new Uncompilable("service of this process");
      const after = call.after.length === 0 ? before : call.after.map((i) => i + first);
      calls.push(prepareCall({ ...call, after } satisfies Call, executor, model));
    }
  }
  return calls;
}

export class CompiledOperation {
  readonly #parts: readonly PlannedPart[];
  readonly #calls: readonly PreparedCall[];
  readonly #programs: Programs;
  readonly #typenames: Readonly<Record<string, string>>;
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
    this.#calls = calls;
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
    if (this.#triesText()) {
      try {
        const bytes = await this.#answerText(texts, calls, question.variables);
        if (this.#misses > 0) this.#misses -= 1;
        return bytes;
      } catch (error) {
        if (error !== LEFT) throw error;
        this.#misses = Math.min(this.#misses + 1, MOST_MISSES);
        calls.resume();
      }
    }
    try {
      const way = { program: values(), read: dataOf, decoded: (text: string) => text };
      return JSON.stringify({ data: await this.#gather(way, calls, question.variables) });
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

  /** The services' bytes as they came, with those of other services between them. */
  async #answerText(
    program: TextProgram,
    calls: Calls,
    variables: Variables,
  ): Promise<string | Buffer<ArrayBuffer>> {
    const texts = new AnswerTexts();
    const read = (answer: ServiceAnswer, call: number) => {
      const text = texts.of(answer);
      return text === undefined ? left() : (program.read[call] as (text: string) => object)(text);
    };
    if (!program.isWhole) {
      const decoded = (text: string) => texts.decoded(text);
      return texts.sendable(await this.#gather({ program, read, decoded }, calls, variables));
    }
    const [only] = this.#calls as [PreparedCall];
    const answer = await calls.send(only, bodyOf(only, variables, [])).catch(left);
    read(answer, 0);
    return (answer as RawAnswer).body;
  }

  async #gather<Answer>(way: Way<Answer>, calls: Calls, variables: Variables): Promise<Answer> {
    const { program } = way;
    const state = program.begin();
    const run: Run = { way, state, calls, variables, isOver: false };
    const done: Promise<void>[] = [];
    for (let i = 0; i < this.#calls.length; i++) {
      const { after } = (this.#calls[i] as PreparedCall).call;
      const [first] = after;
      if (first === undefined) done.push(this.#carryOut(i, run));
      else if (after.length === 1)
        done.push((done[first] as Promise<void>).then(() => this.#carryOut(i, run)));
      else done.push(Promise.all(after.map((each) => done[each])).then(() => this.#carryOut(i, run)));
    }
    try {
      if (done.length === 1) await done[0];
      else await Promise.all(done);
      return program.answer(state);
    } finally {
      run.isOver = true;
    }
  }

  async #carryOut(i: number, { way, state, calls, variables, isOver }: Run): Promise<void> {
    if (isOver) return;
    const { program, read, decoded } = way;
    const prepared = this.#calls[i] as PreparedCall;
    const representations: string[] = [];
    let isNeeded = prepared.isRoot;
    for (const collect of program.collect[i] ?? []) {
      const text = collect(state);
      representations.push(decoded(text));
      isNeeded ||= text !== "";
    }
    if (!isNeeded) return;
    const answer = await calls.send(prepared, bodyOf(prepared, variables, representations)).catch(left);
    program.take[i]?.(state, read(answer, i));
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

/** How answers are carried from one request to the next and to the client. */
interface Way<Answer> {
  readonly program: Program<Answer>;
  readonly read: (answer: ServiceAnswer, call: number) => object;
  /** What the text of representations means. */
  readonly decoded: (text: string) => string;
}

interface Run {
  readonly way: Way<unknown>;
  readonly state: State;
  readonly calls: Calls;
  readonly variables: Variables;
  isOver: boolean;
}

/** A service whose answers have another form every time is not read as text every time. */
const MOST_MISSES = 8;
const TRIES_AGAIN_AFTER = 100;

function left(): never {
  throw LEFT;
}

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
