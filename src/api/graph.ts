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
import type { QuickAnswer, QuickRoad, RoadCounts } from "../gateway/quick/quick-road.ts";
import type { GatewayContext } from "../gateway/remote/request-context.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { parseExactly } from "../gateway/values/exact-numbers.ts";
import { hopsOf, MAX_HOPS } from "../http.ts";
import { exactRequests } from "./exact-requests.ts";
import type { RequestHead } from "./guard.ts";
import { AnswerTypes, isPlainPost, questionIn, unread } from "./plain/plain-post.ts";
import { maskError, type YogaSetting, yogaOptions } from "./yoga.ts";

export interface GraphOptions extends Omit<YogaSetting, "title"> {
  snapshot: () => Snapshot;
  /** Counts the requests that use a snapshot. */
  inFlight: InFlight;
  /** By which questions are answered, where they can. */
  road: QuickRoad;
  /** Then answers do not say which road they took. */
  isProduction?: boolean;
}

/** Which road a plain POST took: for developers. */
const ROAD_HEADER = "x-bobbin-road";
const COMPILED = "compiled";

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

/** A plain POST whose body was read. */
export interface ReadPost {
  readonly text: string;
  /** The header; empty where there is none. */
  readonly accept: string;
  readonly context: Question["context"];
}

/** An answer's JSON, as text where that is ASCII, with what is said of it. */
export interface AnswerBody {
  readonly body: string | Buffer<ArrayBuffer>;
  /** The same object for all answers that have these. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Graph {
  /** Answers a request that is GraphQL over HTTP. */
  handle(context: Question["context"]): Promise<Response>;
  /** The same where code was made for the question before; undefined, and nothing is begun, where it was not. */
  answerAtOnce(post: ReadPost): Promise<AnswerBody | Response> | undefined;
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
  road,
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
  const types = new AnswerTypes(isProduction ? {} : { [ROAD_HEADER]: COMPILED });
  const exact = exactRequests();
  const yoga = createYoga<RequestContext>({
    ...common,
    plugins: [ofSnapshot, exact.plugin, subscribing, ...common.plugins],
  });

  async function answerRequest(context: Question["context"], current: Snapshot): Promise<Response> {
    const leave = inFlight.enter();
    try {
      const { request } = context;
      if (!isPlainPost(request)) return await byYoga(request, context, current);
      const text = await request.text();
      const accept = request.headers.get("accept") ?? "";
      const question = questionIn(text);
      const headers = types.headersFor(accept);
      const answer = !question
        ? road.pass("not one plain question")
        : !headers
          ? road.pass("media type not answered yet")
          : await road.answer(current, { ...question, text, context });
      if (headers && "body" in answer) return new Response(answer.body, { headers });
      return await told(answer, { text, accept, context }, current);
    } finally {
      leave();
    }
  }

  async function atOnce(
    asked: Promise<QuickAnswer>,
    headers: AnswerBody["headers"],
    post: ReadPost,
    current: Snapshot,
  ): Promise<AnswerBody | Response> {
    const leave = inFlight.enter();
    try {
      const answer = await asked;
      return "body" in answer ? { body: answer.body, headers } : await told(answer, post, current);
    } finally {
      leave();
    }
  }

  /** A question whose parts are values already; numbers that have to stay as they are written are for the other road. */
  async function quickly(question: Question, current: Snapshot): Promise<QuickAnswer> {
    const { query, operationName, variables = {}, extensions, exactVariables, context } = question;
    if (extensions || exactVariables) return road.pass("not one plain question");
    return road.answer(current, { query, operationName, variables, text: "", context });
  }

  /** The answer that is not text yet, as Yoga writes it. */
  async function told(answer: QuickAnswer, post: ReadPost, current: Snapshot): Promise<Response> {
    const { text, accept, context } = post;
    const result = "result" in answer ? answer.result : undefined;
    const response = await byYoga(unread(context.request, text), context, current, result);
    types.learn(accept, response);
    return saying(answer, response);
  }

  function saying(answer: QuickAnswer, response: Response): Response {
    if (!isProduction) response.headers.set(ROAD_HEADER, roadOf(answer));
    return response;
  }

  async function byYoga(
    request: Request,
    { hops, writeToken }: GatewayContext,
    snapshot: Snapshot,
    result?: ExecutionResult,
  ): Promise<Response> {
    const context = { request, hops, writeToken, snapshot, ...(result ? { result } : {}) };
    return yoga.handle(request, context) as Promise<Response>;
  }

  return {
    warm: (next) => road.warm(next),
    counts: () => road.counts(),
    handle: (context) => answerRequest(context, snapshot()),
    answerAtOnce(post) {
      const question = questionIn(post.text);
      const headers = types.headersFor(post.accept);
      if (!question || !headers) return undefined;
      const current = snapshot();
      const { text, context } = post;
      const asked = road.answerAtOnce(current, { ...question, text, context });
      return asked && atOnce(asked, headers, post, current);
    },
    async ask({ context, exactVariables: variables, ...asked }) {
      const leave = inFlight.enter();
      try {
        const { request } = context;
        const current = snapshot();
        const quick = await quickly({ ...asked, exactVariables: variables, context }, current);
        if ("body" in quick) return resultIn(quick.body.toString());
        const params = exact.noting({ params: asked, exact: variables ? { variables } : undefined });
        const result = await yoga.getResultForParams({ params, request }, {
          ...context,
          snapshot: current,
          ...("result" in quick ? quick : {}),
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

/** With its numbers as they are written. Nothing, where the client left before there was an answer. */
function resultIn(body: string): ExecutionResult {
  if (body === "") return {};
  return (parseExactly(body) ?? JSON.parse(body)) as ExecutionResult;
}

function roadOf(answer: QuickAnswer): string {
  if ("body" in answer) return COMPILED;
  return "result" in answer ? "interpreted" : `reference; ${answer.reason}`;
}

/** How many gateways the request came through. Throws LOOP_DETECTED. */
export function checkedHops({ headers }: RequestHead): number {
  const hops = hopsOf(headers);
  if (hops <= MAX_HOPS) return hops;
  throw new BobbinError("LOOP_DETECTED", `The request came through more than ${MAX_HOPS} gateways.`);
}
