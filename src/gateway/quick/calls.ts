/**
 * The requests of one answer while they are under way: what was sent and what came back, so that nothing is sent twice
 * when the reference road takes over. Knows plans' requests and who answers them; nothing of what is made of them.
 */
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import { OperationTypeNode, print } from "graphql";
import type { FederationOptions } from "../federation/executor.ts";
import type { Call } from "../federation/plan.ts";
import type { DividedExecutor, ServiceAnswer, SubgraphRequest } from "../remote/remote-executor.ts";
import { requestBody } from "../remote/request-body.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Variables } from "./variables.ts";

/** Gives the variables of a set of entities: from the representations' texts to members of a JSON object. */
type EntitySetWriter = (representations: string) => string;

/** A request that differs from answer to answer in its variables alone. */
export interface PreparedCall {
  readonly call: Call;
  readonly executor: DividedExecutor;
  /** The body up to the variables. */
  readonly head: string;
  readonly sets: readonly EntitySetWriter[];
  /** Whether it asks for root fields too. */
  readonly isRoot: boolean;
}

export function prepareCall(
  call: Call,
  executor: DividedExecutor,
  { entityArguments }: Pick<FederationOptions, "entityArguments">,
): PreparedCall {
  const { document, fetches } = call;
  const entities = new Map(
    fetches.flatMap(({ entity }) => (entity ? [[entity.alias, entity] as const] : [])),
  );
  const sets = [...entities.values()].map((entity): EntitySetWriter => {
    const { alias, field } = entity;
    if (!field || !entityArguments) return (texts) => `"${alias}":[${texts}]`;
    return (texts) =>
      JSON.stringify(entityArguments(call.graph, entity, JSON.parse(`[${texts}]`))).slice(1, -1);
  });
  const isRoot = fetches.some(({ entity }) => !entity);
  return { call, executor, head: `{"query":${JSON.stringify(print(document))}`, sets, isRoot };
}

/** `representations`: of each of the call's sets of entities, their texts in one. */
export function bodyOf(
  { call, head, sets }: PreparedCall,
  variables: Variables,
  representations: readonly string[],
): string {
  let text = "";
  for (const name of call.variables) {
    const value = variables[name];
    if (value === undefined) continue;
    text += `${text ? "," : ""}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  for (let i = 0; i < sets.length; i++) {
    const write = sets[i] as EntitySetWriter;
    text += `${text ? "," : ""}${write(representations[i] as string)}`;
  }
  return text ? `${head},"variables":{${text}}}` : `${head}}`;
}

interface Sent {
  readonly executor: DividedExecutor;
  readonly body: string;
  readonly answer: Promise<ServiceAnswer>;
}

export class Calls {
  readonly #context: GatewayContext;
  readonly #sent: Sent[] = [];
  #isResumed = false;

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  /** From here on, what was sent before is not sent again. */
  resume(): void {
    this.#isResumed = true;
  }

  send({ executor, call }: PreparedCall, body: string): Promise<ServiceAnswer> {
    const known = this.#isResumed ? this.#answerTo(executor, body) : undefined;
    if (known) return known;
    // Without the client's signal, which costs as much as the rest of the call: what it asked for ends by its deadline.
    const answer = executor.send(body, this.#context, call.operation !== OperationTypeNode.MUTATION);
    this.#sent.push({ executor, body, answer });
    return answer;
  }

  #answerTo(executor: DividedExecutor, body: string): Promise<ServiceAnswer> | undefined {
    return this.#sent.find((each) => each.executor === executor && each.body === body)?.answer;
  }

  /** An executor for requests of the same operation, which sends only what was not sent yet. */
  resumed(executor: Executor): Executor {
    if (!isDivided(executor)) return executor;
    return (async (request: ExecutionRequest) => {
      const body = requestBody({ query: print(request.document), variables: request.variables });
      const sent = typeof body === "string" ? this.#answerTo(executor, body) : undefined;
      if (!sent) return executor(request);
      try {
        return executor.read(request as SubgraphRequest, await sent);
      } catch (error) {
        return executor.failed(error);
      }
    }) as Executor;
  }
}

export function isDivided(executor: Executor): executor is DividedExecutor {
  return "send" in executor;
}
