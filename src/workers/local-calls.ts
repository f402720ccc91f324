/**
 * What workers ask of the services of this process: answered by the schema that their graph has, which may be one
 * before the writer's. Knows executors; nothing of plugins or of processes.
 */
import type { ExecutionResult, Executor } from "@graphql-tools/utils";
import { GraphQLError, getOperationAST, parse } from "graphql";
import { BobbinError } from "../errors.ts";
import type { DividedExecutor } from "../gateway/remote/remote-executor.ts";
import type { GatewayContext } from "../gateway/remote/request-context.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import type { Subgraph } from "../gateway/subgraph/subgraph.ts";
import type { Log } from "../log.ts";
import type { Caller, LocalQuestion } from "./protocol.ts";

export interface LocalCallsOptions {
  /** Whether a service is one of this process. */
  readonly isOwn: (service: string) => boolean;
  /** What is wrong, as it may leave this process. */
  readonly shown: (error: GraphQLError) => GraphQLError;
  readonly log: Log;
}

/** As many graphs a worker may be behind. */
const KEPT = 4;

export class LocalCalls {
  readonly #options: LocalCallsOptions;
  /** The services of this process in each of the latest graphs, the newest first. */
  readonly #graphs: ReadonlyMap<string, Subgraph>[] = [];

  constructor(options: LocalCallsOptions) {
    this.#options = options;
  }

  onSnapshot({ subgraphs }: Snapshot): void {
    this.#graphs.unshift(new Map([...subgraphs].filter(([name]) => this.#options.isOwn(name))));
    this.#graphs.splice(KEPT);
  }

  async ask(question: LocalQuestion, signal: AbortSignal): Promise<ExecutionResult> {
    const executor = this.#executor(question);
    const context = contextOf(question.caller, signal);
    if (isDivided(executor)) {
      const answer = await executor.send(question.body, context, false);
      return "result" in answer ? answer.result : {};
    }
    const result = (await executor(requestOf(question, context))) as ExecutionResult;
    if (!result.errors) return result;
    return { ...result, errors: result.errors.map((error) => this.#shown(error)) };
  }

  async *subscribe(
    question: LocalQuestion,
    signal: AbortSignal,
  ): AsyncGenerator<ExecutionResult, void, undefined> {
    const executor = this.#executor(question);
    const results = await executor(requestOf(question, contextOf(question.caller, signal)));
    if (!(Symbol.asyncIterator in results)) {
      yield results as ExecutionResult;
      return;
    }
    const iterator = (results as AsyncIterable<ExecutionResult>)[Symbol.asyncIterator]();
    // Who leaves while no event comes must not keep the source.
    const leave = () => void iterator.return?.().catch(() => {});
    signal.addEventListener("abort", leave);
    for (;;) {
      const { value, done } = await iterator.next();
      if (done || signal.aborted) return;
      yield value;
    }
  }

  /** A cause that is not for clients is for the log of this process. */
  #shown(error: GraphQLError): GraphQLError {
    if (!(error instanceof GraphQLError)) return error;
    const shown = this.#options.shown(error);
    if (shown.extensions.code === "INTERNAL") this.#options.log.error({ err: error }, "a resolver failed");
    return shown;
  }

  #executor({ service, hash }: LocalQuestion): Executor {
    const known = this.#graphs.flatMap((graph) => graph.get(service) ?? []);
    const found = known.find((subgraph) => subgraph.hash === hash) ?? known[0];
    if (found) return found.executor;
    throw new BobbinError("SERVICE_UNAVAILABLE", `${service} is not registered any more.`);
  }
}

function isDivided(executor: Executor): executor is DividedExecutor {
  return "send" in executor;
}

function contextOf({ request, hops, writeToken }: Caller, signal: AbortSignal): GatewayContext {
  if (!request) return { hops, writeToken };
  const { url, method, headers } = request;
  return { request: new Request(url, { method, headers, signal }), hops, writeToken };
}

function requestOf({ body }: LocalQuestion, context: GatewayContext) {
  const {
    query,
    variables = {},
    operationName,
  } = JSON.parse(body) as {
    query: string;
    variables?: Record<string, unknown>;
    operationName?: string;
  };
  const document = parse(query, { noLocation: true });
  const operationType = getOperationAST(document, operationName)?.operation;
  return {
    document,
    variables,
    context,
    ...(operationName === undefined ? {} : { operationName }),
    ...(operationType ? { operationType } : {}),
  };
}
