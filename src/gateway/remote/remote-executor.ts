/**
 * Sends a sub-query to a remote service: to the instance that its route names, bounded in number, time and size.
 * What goes wrong becomes an error of the fields asked for, with a code and the service's name.
 * Knows routes and GraphQL over HTTP; nothing of composing.
 */
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { GraphQLError, type GraphQLSchema, print } from "graphql";
import { BobbinError, toBobbinError } from "../../errors.ts";
import { takeAnswer } from "../values/exact-answer.ts";
import { parseExactly } from "../values/exact-numbers.ts";
import { CallPlaces, type Lane } from "./call-places.ts";
import { conform } from "./conform.ts";
import { ACCEPT, readAnswer, sendGraphQL } from "./graphql-call.ts";
import type { PostRequest } from "./http/call.ts";
import type { HttpAnswer } from "./http/http-answer.ts";
import { HttpClient } from "./http/http-client.ts";
import { type Target, targetOf } from "./http/target.ts";
import { requestBody } from "./request-body.ts";
import { type GatewayContext, subgraphHeaders } from "./request-context.ts";
import type { Route } from "./route.ts";
import { SharedCalls } from "./shared-calls.ts";
import { Subscriptions } from "./subscriptions/subscriptions.ts";

export interface SubgraphRequest extends ExecutionRequest {
  /** The schema that the document is for; without it, an answer's values are taken as they are. */
  readonly schema?: GraphQLSchema;
  /** Whether that is the service's own. */
  readonly isOwnSchema?: boolean;
}

/** An answer as a service gave it: its bytes, or what it is, where it never was bytes. */
export type ServiceAnswer = HttpAnswer | { readonly result: ExecutionResult };

/** An executor whose halves can be used by themselves. */
export interface DividedExecutor extends Executor {
  /**
   * Sends a request's body as it is. `isRepeatable`: it does no harm to send it twice; `signal` gives up before the
   * deadline. Throws a BobbinError.
   */
  send(
    body: string,
    context: GatewayContext,
    isRepeatable: boolean,
    signal?: AbortSignal,
  ): Promise<ServiceAnswer>;
  /** The result that an answer to the request's document is; whatever is wrong with it is an error in it. */
  read(request: SubgraphRequest, answer: ServiceAnswer): ExecutionResult;
  /** The result that stands for what sending threw. */
  failed(error: unknown): ExecutionResult;
}

/** An executor in this process, on the very schema that is shown: what it answers needs no check. */
export interface OwnExecutor extends Executor {
  /** Carries out an operation that is all its own as the client asked it; undefined where it may not be asked now. */
  carryOut(request: ExecutionRequest): Promise<ExecutionResult> | undefined;
}

export interface RemoteExecutorOptions {
  /** The route, or a BobbinError that says why there is none. */
  route: (service: string) => Route | BobbinError;
  /** Called when an instance did not answer as it should. */
  onFailure: (service: string, origin: string) => void;
  /** Its own where a service is alone. */
  http?: HttpClient;
  /** The places that all services' calls share; its own where a service is alone. */
  places?: CallPlaces;
  /** Likewise, of subscriptions. */
  subscriptions?: Subscriptions;
  /** How long a call may take, its wait for a turn included. */
  deadlineMs?: number;
}

const CALL_DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function remoteExecutor(
  service: string,
  {
    route,
    onFailure,
    http = new HttpClient(),
    places = new CallPlaces(),
    subscriptions = new Subscriptions(),
    deadlineMs = CALL_DEADLINE_MS,
  }: RemoteExecutorOptions,
): DividedExecutor {
  const lane: Lane = { inFlight: 0, waiting: new Set() };
  const shared = new SharedCalls();

  /** Sends to where the service is at this moment; what does not answer is blamed. */
  function send(
    body: string,
    context: GatewayContext,
    isRepeatable: boolean,
    signal?: AbortSignal,
  ): Promise<HttpAnswer> {
    const target = route(service);
    if (target instanceof BobbinError) return Promise.reject(target);
    const headers = subgraphHeaders(context, target.headers);
    const request = { headers, body, isRepeatable, signal };
    if (!target.deduplicate || !isRepeatable) return post(target, request, context);
    // Who shares an answer does not end it for the others.
    return shared.run(target.graphqlUrl, headers, body, () => post(target, request, {}));
  }

  /** Waits for a place where there is none. `waiting`: who is waited for; what does not answer is blamed. */
  function post(
    target: Route,
    request: Omit<PostRequest, "deadlineMs" | "maxBytes">,
    waiting: Pick<GatewayContext, "request">,
  ): Promise<HttpAnswer> {
    const limitMs = target.timeoutMs ?? deadlineMs;
    const call = (leftMs: number): Promise<HttpAnswer> => {
      const answer = http.post(targetFor(target), {
        ...request,
        deadlineMs: leftMs,
        maxBytes: MAX_ANSWER_BYTES,
      });
      // One promise for all that is to be done at the end: each costs a part of what a call costs.
      return answer.then(leavePlace, (error) => {
        places.leave(lane);
        return failedCall(error);
      });
    };
    const failedCall = (error: unknown): never => {
      blame(waiting, target);
      throw error;
    };
    if (places.enter(lane)) return call(limitMs);
    return places
      .turn(lane, signalOf(waiting, limitMs))
      .then((waitedMs) => call(limitMs - waitedMs), failedCall);
  }

  function leavePlace(answer: HttpAnswer): HttpAnswer {
    places.leave(lane);
    return answer;
  }

  /** Forms go by fetch, which writes them. */
  async function sendForm(body: FormData, context: GatewayContext): Promise<HttpAnswer> {
    const target = reachable();
    try {
      const headers = subgraphHeaders(context, target.headers);
      const signal = signalOf(context, target.timeoutMs ?? deadlineMs);
      if (!places.enter(lane)) await places.turn(lane, signal);
      try {
        return await sendGraphQL({
          url: target.graphqlUrl,
          body,
          headers,
          signal,
          maxBytes: MAX_ANSWER_BYTES,
        });
      } finally {
        places.leave(lane);
      }
    } catch (error) {
      blame(context, target);
      throw error;
    }
  }

  function reachable(): Route {
    const target = route(service);
    if (target instanceof BobbinError) throw target;
    return target;
  }

  /** A client that hung up says nothing of the service. */
  function blame({ request }: Pick<GatewayContext, "request">, target = route(service)): void {
    if (!request?.signal.aborted && !(target instanceof BobbinError)) onFailure(service, target.origin);
  }

  function read(request: SubgraphRequest, answer: ServiceAnswer): ExecutionResult {
    if ("result" in answer) return answer.result;
    try {
      const { result, text } = readAnswer(answer);
      return taken(request, result, () => parseExactly(text));
    } catch (error) {
      blame(request.context as GatewayContext);
      return failed(error);
    }
  }

  async function call(request: SubgraphRequest): Promise<ExecutionResult> {
    const { document, variables, operationType } = request;
    const context = request.context as GatewayContext;
    const body = requestBody({ query: print(document), variables });
    const sent =
      typeof body === "string"
        ? send(body, context, operationType !== "mutation", context.request?.signal)
        : sendForm(body, context);
    return read(request, await sent);
  }

  function failed(error: unknown): ExecutionResult {
    const known = error instanceof RangeError ? nestedTooDeeply(service, error) : error;
    return failure(service, toBobbinError(known));
  }

  /** Throws INVALID_SERVICE_RESPONSE, or a RangeError where a value is nested too deeply to be written again. */
  function taken(
    { document, schema, isOwnSchema = false }: SubgraphRequest,
    result: ExecutionResult,
    exact: () => unknown,
  ): ExecutionResult {
    const answer = conform(service, document, result) as ExecutionResult;
    return schema ? takeAnswer({ service, document, schema, isOwnSchema }, answer, exact) : answer;
  }

  function subscribe(subscription: SubgraphRequest) {
    const { document, variables, context } = subscription;
    const target = reachable();
    const { request } = context as GatewayContext;
    return subscriptions.open({
      service,
      route: target.subscriptions ?? { url: target.graphqlUrl, protocol: undefined },
      headers: subgraphHeaders(context as GatewayContext, target.headers),
      payload: { query: print(document), ...(variables ? { variables } : {}) },
      client: request?.signal,
      taken: (result, exact) => taken(subscription, result as ExecutionResult, exact),
      failed: (error) => failure(service, error),
      onFailure: () => onFailure(service, target.origin),
    });
  }

  const execute = async (request: ExecutionRequest) => {
    try {
      return await (request.operationType === "subscription" ? subscribe(request) : call(request));
    } catch (error) {
      return failed(error);
    }
  };
  return Object.assign(execute as Executor, { send, read, failed });
}

/** Aborts at the deadline, or when the client hangs up. */
function signalOf({ request }: Pick<GatewayContext, "request">, deadlineMs: number): AbortSignal {
  const deadline = AbortSignal.timeout(deadlineMs);
  return request ? AbortSignal.any([deadline, request.signal]) : deadline;
}

const targets = new WeakMap<Route, Target>();

function targetFor(route: Route): Target {
  const known = targets.get(route);
  if (known) return known;
  const target = targetOf(route.graphqlUrl, { "content-type": "application/json", accept: ACCEPT });
  targets.set(route, target);
  return target;
}

function nestedTooDeeply(service: string, cause: RangeError): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", `${service} answered JSON that is nested too deeply.`, {
    cause,
  });
}

/** A result without data whose one error carries the code and the service's name. */
export function failure(service: string, error: BobbinError): ExecutionResult {
  return { errors: [new GraphQLError(error.message, { extensions: { code: error.code, service } })] };
}
