/**
 * Sends a sub-query to a remote service: to the instance that its route names, bounded in number, time and size.
 * What goes wrong becomes an error of the fields asked for, with a code and the service's name.
 * Knows routes and GraphQL over HTTP; nothing of composing.
 */
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { GraphQLError, print } from "graphql";
import { BobbinError, toBobbinError } from "../errors.ts";
import { CallPlaces, type Lane } from "./call-places.ts";
import { conform } from "./conform.ts";
import { callGraphQL } from "./graphql-call.ts";
import { type GatewayContext, subgraphHeaders } from "./request-context.ts";
import type { Route } from "./route.ts";

export interface RemoteExecutorOptions {
  /** The route, or a BobbinError that says why there is none. */
  route: (service: string) => Route | BobbinError;
  /** Called when an instance did not answer as it should. */
  onFailure: (service: string, origin: string) => void;
  /** The places that all services' calls share; its own where a service is alone. */
  places?: CallPlaces;
  /** How long a call may take, its wait for a turn included. */
  deadlineMs?: number;
}

const CALL_DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function remoteExecutor(
  service: string,
  { route, onFailure, places = new CallPlaces(), deadlineMs = CALL_DEADLINE_MS }: RemoteExecutorOptions,
): Executor {
  const lane: Lane = { inFlight: 0, waiting: new Set() };

  async function call(request: ExecutionRequest): Promise<ExecutionResult> {
    const target = route(service);
    if (target instanceof BobbinError) throw target;
    const context = request.context as GatewayContext;
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = context.request ? AbortSignal.any([deadline, context.request.signal]) : deadline;
    const body = JSON.stringify({
      query: print(request.document),
      ...(request.variables && Object.keys(request.variables).length > 0
        ? { variables: request.variables }
        : {}),
    });
    const headers = subgraphHeaders(context, target.headers);
    try {
      const { result } = await places.run(lane, signal, () =>
        callGraphQL({ url: target.graphqlUrl, body, headers, signal, maxBytes: MAX_ANSWER_BYTES }),
      );
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

/** A result without data whose one error carries the code and the service's name. */
export function failure(service: string, error: BobbinError): ExecutionResult {
  return { errors: [new GraphQLError(error.message, { extensions: { code: error.code, service } })] };
}
