/**
 * Sends a sub-query to a remote service: to the instance that its route names, bounded in number, time and size.
 * What goes wrong becomes an error of the fields asked for, with a code and the service's name.
 * Knows routes and GraphQL over HTTP; nothing of composing.
 */
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { GraphQLError, print } from "graphql";
import pLimit from "p-limit";
import { BobbinError, toBobbinError } from "../errors.ts";
import { conform } from "./conform.ts";
import { callGraphQL } from "./graphql-call.ts";
import { type GatewayContext, subgraphHeaders } from "./request-context.ts";
import type { Route } from "./route.ts";

export interface RemoteExecutorOptions {
  /** The route, or a BobbinError that says why there is none. */
  route: (service: string) => Route | BobbinError;
  /** Called when an instance did not answer as it should. */
  onFailure: (service: string, origin: string) => void;
  /** How long a call may take, its wait for a turn included. */
  deadlineMs?: number;
}

const CALL_DEADLINE_MS = 10_000;
/** Calls in flight for one service, and calls that wait for one of those places. */
const MAX_IN_FLIGHT = 64;
const MAX_WAITING = 1_024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function remoteExecutor(
  service: string,
  { route, onFailure, deadlineMs = CALL_DEADLINE_MS }: RemoteExecutorOptions,
): Executor {
  const limit = pLimit(MAX_IN_FLIGHT);

  async function call(request: ExecutionRequest): Promise<ExecutionResult> {
    const target = route(service);
    if (target instanceof BobbinError) throw target;
    const context = request.context as GatewayContext;
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = context.request ? AbortSignal.any([deadline, context.request.signal]) : deadline;
    if (limit.pendingCount >= MAX_WAITING) {
      throw new BobbinError("SERVICE_OVERLOADED", `${MAX_WAITING} calls to ${service} are waiting.`);
    }
    const body = JSON.stringify({
      query: print(request.document),
      ...(request.variables && Object.keys(request.variables).length > 0
        ? { variables: request.variables }
        : {}),
    });
    const headers = subgraphHeaders(context, target.headers);
    try {
      const send = () =>
        callGraphQL({ url: target.graphqlUrl, body, headers, signal, maxBytes: MAX_ANSWER_BYTES });
      const { result } = await (limit.activeCount < MAX_IN_FLIGHT
        ? limit(send)
        : orAborted(limit(send), service, signal));
      return conform(service, request.document, result) as ExecutionResult;
    } catch (error) {
      // A client that hung up says nothing of the service.
      if (!context.request?.signal.aborted) onFailure(service, target.origin);
      throw error;
    }
  }

  return async (request) => {
    if (request.operationType === "subscription") {
      return failure(
        service,
        new BobbinError("SERVICE_UNAVAILABLE", "Subscriptions of remote services are not served yet."),
      );
    }
    try {
      return await call(request);
    } catch (error) {
      return failure(service, toBobbinError(error));
    }
  };
}

/** A call that waits for its turn is given up at its deadline too. */
function orAborted<T>(waiting: Promise<T>, service: string, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new BobbinError("SERVICE_TIMEOUT", `${service} did not answer in time.`));
    signal.addEventListener("abort", giveUp, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

/** A result without data whose one error carries the code and the service's name. */
export function failure(service: string, error: BobbinError): ExecutionResult {
  return { errors: [new GraphQLError(error.message, { extensions: { code: error.code, service } })] };
}
