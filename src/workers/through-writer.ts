/**
 * A worker's way to what only the writer has: services of its process, and every answer that is not the graph's.
 * Knows the channel; nothing of who answers.
 */
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { print } from "graphql";
import { toBobbinError } from "../errors.ts";
import { type DividedExecutor, failure, type ServiceAnswer } from "../gateway/remote/remote-executor.ts";
import type { GatewayContext } from "../gateway/remote/request-context.ts";
import { forCode, refusedFiles } from "../local-services.ts";
import { responseOf } from "../plugins/runner/http-parts.ts";
import type { LocalQuestion, Reach, Writer } from "./protocol.ts";

/** Executes on a service of the writer, of the schema with this hash. */
export function executorThrough(writer: Writer, service: string, hash: string, reach: Reach): Executor {
  const failed = (error: unknown) => failure(service, toBobbinError(error));
  const question = (body: string, context: GatewayContext): LocalQuestion => {
    return { service, hash, body, caller: callerOf(context) };
  };

  async function execute(
    request: ExecutionRequest,
  ): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
    const refused = refusedFiles(service, request);
    if (refused) return refused;
    const { document, variables, operationName, operationType } = forCode(request);
    const body = JSON.stringify({ query: print(document), variables, operationName });
    const asked = question(body, request.context as GatewayContext);
    if (operationType === "subscription") return results(asked);
    return writer.call("ask", asked).catch(failed);
  }

  /** No generator: leaving one takes effect only when the event that it waits for has come. */
  function results(asked: LocalQuestion): AsyncIterableIterator<ExecutionResult> {
    const left = new AbortController();
    const events = followed(asked, left.signal);
    return {
      next: () => events.next(),
      return: async () => {
        left.abort();
        return events.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async function* followed(
    asked: LocalQuestion,
    left: AbortSignal,
  ): AsyncGenerator<ExecutionResult, void, undefined> {
    try {
      yield* writer.stream("subscribe", asked, left);
    } catch (error) {
      if (!left.aborted) yield failed(error);
    }
  }

  if (reach !== "CODE") return execute as Executor;
  const divided: DividedExecutor = Object.assign(execute as Executor, {
    send: async (body: string, context: GatewayContext) => ({
      result: await writer.call("ask", question(body, context)),
    }),
    read: (_request: unknown, answer: ServiceAnswer) => ("result" in answer ? answer.result : {}),
    failed,
  });
  return divided;
}

function callerOf({ request, hops, writeToken }: GatewayContext): LocalQuestion["caller"] {
  if (!request) return { request: null, hops, writeToken };
  const { method, url, headers } = request;
  return { request: { method, url, headers: Object.fromEntries(headers) }, hops, writeToken };
}

/** Hands a request to the writer, and its answer back. */
export async function forward(writer: Writer, request: Request): Promise<Response> {
  const { method, url, headers, signal } = request;
  const body = request.body ? Buffer.from(await request.arrayBuffer()).toString("base64") : null;
  const handed = { method, url, headers: Object.fromEntries(headers), hops: 0, body };
  return responseOf(writer.stream("fetch", handed, signal), method);
}
