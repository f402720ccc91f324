/**
 * The composed graph as clients ask it: over HTTP through Yoga, or as a bare question that another door has read.
 * Knows snapshots and Yoga; nothing of connections.
 */
import type { ExecutionArgs, ExecutionResult } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import { BobbinError } from "../errors.ts";
import type { Slices } from "../gateway/compose/slices.ts";
import { answerOperation, answerSubscription } from "../gateway/execute/answer.ts";
import type { InFlight } from "../gateway/execute/in-flight.ts";
import { type QuickAnswer, QuickRoad, type RoadCounts } from "../gateway/quick/quick-road.ts";
import type { GatewayContext } from "../gateway/remote/request-context.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { hopsOf, MAX_HOPS } from "../http.ts";
import { exactRequests } from "./exact-requests.ts";
import { AnswerTypes, isPlainPost, readPlainPost, unread } from "./plain-post.ts";
import { maskError, type YogaSetting, yogaOptions } from "./yoga.ts";

export interface GraphOptions extends Omit<YogaSetting, "title"> {
  snapshot: () => Snapshot;
  /** Counts the requests that use a snapshot. */
  inFlight: InFlight;
  /** How many times a document is asked before code is made for it. */
  compileAfter: number;
  /** Then answers do not say which road they took. */
  isProduction?: boolean;
}

/** Which road a plain POST took: for developers. */
const ROAD_HEADER = "x-bobbin-road";

export interface Question {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly extensions?: Record<string, unknown>;
  /** The variables with their numbers as they are written; absent where that makes no difference. */
  readonly exactVariables?: Record<string, unknown> | undefined;
  readonly context: GatewayContext & { readonly request: Request };
}

export type Ask = (question: Question) => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

export interface Graph {
  /** Answers a request that is GraphQL over HTTP. */
  handle(context: Question["context"]): Promise<Response>;
  /** Answers a question; whatever is wrong with it is an error in the result. */
  ask: Ask;
  /** Makes ready what clients ask for a snapshot that is about to be taken. */
  warm(next: Snapshot): Slices<void>;
  /** How many answers took each road. */
  counts(): RoadCounts;
}

/** A request keeps the snapshot that is current when it begins to its end. */
interface RequestContext extends GatewayContext {
  readonly snapshot: Snapshot;
  /** The operation's result, where it was carried out already. */
  readonly result?: ExecutionResult;
}

/** Yoga's own way to choose a schema by request is for requests over HTTP only. */
const ofSnapshot: Plugin<RequestContext> = {
  onEnveloped: ({ context, setSchema }) => {
    if (context) setSchema(context.snapshot.schema);
  },
};

const snapshotOf = ({ contextValue }: ExecutionArgs) => (contextValue as RequestContext).snapshot;

const subscribing: Plugin = {
  onSubscribe: ({ setSubscribeFn }) =>
    setSubscribeFn((args: ExecutionArgs) => answerSubscription(snapshotOf(args), args)),
};

export function openGraph({
  snapshot,
  inFlight,
  compileAfter,
  isProduction = false,
  log,
  stopping,
}: GraphOptions): Graph {
  const common = yogaOptions({
    log,
    title: "bobbin",
    stopping,
    execute: async (args) => {
      const { snapshot, result } = args.contextValue as RequestContext;
      return result ?? answerOperation(snapshot, args);
    },
  });
  const road = new QuickRoad(compileAfter);
  const types = new AnswerTypes();
  const exact = exactRequests();
  const yoga = createYoga<RequestContext>({
    ...common,
    plugins: [ofSnapshot, exact.plugin, subscribing, ...common.plugins],
  });

  async function answerRequest(context: Question["context"], current: Snapshot): Promise<Response> {
    const leave = inFlight.enter();
    try {
      const { request } = context;
      if (!isPlainPost(request)) return await byYoga(request, { ...context, snapshot: current });
      const { text, question } = await readPlainPost(request);
      const type = types.of(request);
      const answer = !question
        ? road.pass("not one plain question")
        : !type
          ? road.pass("media type not answered yet")
          : await road.answer(current, { ...question, text, context });
      if (type && "body" in answer) return saying(answer, new Response(answer.body, type));
      const result = "result" in answer ? { result: answer.result } : {};
      const response = await byYoga(unread(request, text), { ...context, snapshot: current, ...result });
      types.learn(request, response);
      return saying(answer, response);
    } finally {
      leave();
    }
  }

  function saying(answer: QuickAnswer, response: Response): Response {
    if (!isProduction) response.headers.set(ROAD_HEADER, roadOf(answer));
    return response;
  }

  async function byYoga(request: Request, context: RequestContext & { request: Request }): Promise<Response> {
    return yoga.handle(request, context) as Promise<Response>;
  }

  return {
    warm: (next) => road.warm(next),
    counts: () => road.counts(),
    handle: (context) => answerRequest(context, snapshot()),
    async ask({ context, exactVariables: variables, ...asked }) {
      const leave = inFlight.enter();
      try {
        const { request } = context;
        const params = exact.noting({ params: asked, exact: variables ? { variables } : undefined });
        const result = await yoga.getResultForParams({ params, request }, {
          ...context,
          snapshot: snapshot(),
        } as never);
        return result ?? {};
      } catch (error) {
        return { errors: [maskError(error)] };
      } finally {
        leave();
      }
    },
  };
}

function roadOf(answer: QuickAnswer): string {
  if ("body" in answer) return "compiled";
  return "result" in answer ? "interpreted" : `reference; ${answer.reason}`;
}

/** How many gateways the request came through. Throws LOOP_DETECTED. */
export function checkedHops({ headers }: Request): number {
  const hops = hopsOf(headers);
  if (hops <= MAX_HOPS) return hops;
  throw new BobbinError("LOOP_DETECTED", `The request came through more than ${MAX_HOPS} gateways.`);
}
