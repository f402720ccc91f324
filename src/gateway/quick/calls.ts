/**
 * The requests of one answer while they are under way: what was sent and what came back, so that nothing is sent twice
 * when the reference road takes over. Knows plans' requests and who answers them; nothing of what is made of them.
 */
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import { type DocumentNode, print } from "graphql";
import type { Call } from "../federation/plan.ts";
import type { RawAnswer } from "../remote/graphql-call.ts";
import type { RemoteExecutor, SubgraphRequest } from "../remote/remote-executor.ts";
import { requestBody } from "../remote/request-body.ts";
import type { GatewayContext } from "../remote/request-context.ts";
import type { Variables } from "./variables.ts";

/** A request that differs from answer to answer in its variables alone. */
export interface PreparedCall {
  readonly call: Call;
  readonly executor: RemoteExecutor;
  /** The body up to the variables. */
  readonly head: string;
}

export function prepareCall(call: Call, executor: RemoteExecutor): PreparedCall {
  return { call, executor, head: `{"query":${JSON.stringify(print(call.document))}` };
}

/** `representations`: of each of the call's entity fetches, their texts in one. */
export function bodyOf(
  { call, head }: PreparedCall,
  variables: Variables,
  representations: readonly string[],
): string {
  let text = "";
  for (const name of call.variables) {
    const value = variables[name];
    if (value === undefined) continue;
    text += `${text ? "," : ""}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  let i = 0;
  for (const { entity } of call.fetches) {
    if (!entity) continue;
    text += `${text ? "," : ""}"${entity.alias}":[${representations[i]}]`;
    i += 1;
  }
  return text ? `${head},"variables":{${text}}}` : `${head}}`;
}

interface Sent {
  readonly body: string;
  readonly answer: Promise<RawAnswer>;
}

export class Calls {
  readonly #context: GatewayContext;
  readonly #sent = new Map<DocumentNode, Sent>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  send({ call, executor }: PreparedCall, body: string): Promise<RawAnswer> {
    const answer = executor.send(body, this.#context);
    this.#sent.set(call.document, { body, answer });
    return answer;
  }

  /** An executor for the same requests, which sends only what was not sent yet. */
  resumed(executor: Executor): Executor {
    return (async (request: ExecutionRequest) => {
      const sent = this.#sent.get(request.document);
      if (!sent || !("read" in executor)) return executor(request);
      const { read } = executor as RemoteExecutor;
      const answer = await sent.answer.catch((error: unknown) => ({ error }));
      // Of a failure the executor tells in its own way.
      if ("error" in answer) return (executor as RemoteExecutor).failed(answer.error);
      const isSame =
        sent.body === requestBody({ query: print(request.document), variables: request.variables });
      if (!isSame && request.operationType !== "mutation") return executor(request);
      return read(request as SubgraphRequest, answer);
    }) as Executor;
  }
}
