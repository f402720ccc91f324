/**
 * What every GraphQL server of bobbin has in common: codes on errors, causes in the log only, GraphiQL without a CDN.
 * Knows Yoga; nothing of schemas.
 */
import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  Kind,
  locatedError,
  type ParseOptions,
  parse,
} from "graphql";
import type { Plugin, YogaServerOptions } from "graphql-yoga";
import { LRUCache } from "lru-cache";
import { BobbinError, type ErrorCode } from "../errors.ts";
import { MAX_TOKENS, sizeProblem } from "../gateway/execute/document-size.ts";
import type { Log } from "../log.ts";
import { untilAborted } from "../until-aborted.ts";
import { toGraphQLError } from "./answers.ts";
import { longAnswers } from "./long-answers.ts";
import { streamedAnswers } from "./streamed-answers.ts";

export interface YogaSetting {
  log: Log;
  /** What GraphiQL calls the server. */
  title: string;
  /** Aborts when subscriptions have to end. */
  stopping: AbortSignal;
  /** How a valid operation is executed; graphql-js' way unless given. */
  execute?: (args: ExecutionArgs) => Promise<ExecutionResult>;
}

/** Options for `createYoga` and Elysia's plugin; CORS, body limits and unknown paths are the front's and Elysia's. */
export function yogaOptions({ log, title, stopping, execute: carryOut = inTurn }: YogaSetting) {
  return {
    cors: false,
    landingPage: false,
    // The front of each door has the limit.
    maxRequestBodySize: false,
    logging: {
      debug: () => {},
      info: () => {},
      warn: (...args: unknown[]) => log.warn({ args }, "graphql"),
      // What the client did wrong is told to the client.
      error: (error: unknown) => {
        if (!isRefusal(rootCause(error))) log.error({ err: error }, "a resolver failed");
      },
    },
    parserAndValidationCache: { documentCache: cacheByLength(), errorCache: cacheByLength() },
    maskedErrors: { errorMessage: MASKED, maskError },
    graphiql: { title },
    renderGraphiQL: async (options: object) => {
      // Loaded when first asked for: it is several megabytes of text.
      const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
      return renderGraphiQL({ ...options, title } as never);
    },
    plugins: [codes, emptyNames, streamedAnswers, longAnswers, executingBy(carryOut), endingWith(stopping)],
  } satisfies Partial<YogaServerOptions<object, object>>;
}

const MASKED = "Unexpected error.";

/** What a resolver threw, fit to be sent: a refusal with its code, somebody's GraphQLError as it is, nothing else. */
export function maskError(error: unknown, message = MASKED): GraphQLError {
  const cause = rootCause(error);
  const { path = null, nodes = null } = error instanceof GraphQLError ? error : {};
  if (isRefusal(cause)) {
    const { extensions } = toGraphQLError(cause);
    return new GraphQLError(cause.message, { path, nodes, extensions });
  }
  if (cause instanceof GraphQLError) return withTableCode(withoutHttp(error as GraphQLError));
  if (cause instanceof RangeError && !path) return toGraphQLError(nestedTooDeeply(cause));
  return new GraphQLError(message, { path, nodes, extensions: { code: "INTERNAL" satisfies ErrorCode } });
}

/** A result for a door of our own; over HTTP Yoga takes out by itself what is meant for HTTP's status and headers. */
export function shownResult({ errors, ...result }: ExecutionResult): FormattedExecutionResult {
  return { ...result, ...(errors ? { errors: errors.map(shownError) } : {}) };
}

function shownError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...shown } = error.toJSON();
  const { http: _http, ...others } = extensions ?? {};
  return { ...shown, ...(Object.keys(others).length > 0 ? { extensions: others } : {}) };
}

function isRefusal(cause: unknown): cause is BobbinError {
  return cause instanceof BobbinError && cause.code !== "INTERNAL";
}

/** The stack is too small for what the document asks; only a document made for that is nested so. */
function nestedTooDeeply(cause: unknown): BobbinError {
  return new BobbinError("GRAPHQL_REQUEST_INVALID", "The document is nested too deeply.", { cause });
}

/** A remote service's error decides neither the status nor the headers of the whole answer. */
function withoutHttp(error: GraphQLError): GraphQLError {
  if (error.extensions.service !== undefined) delete error.extensions.http;
  return error;
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

/** Errors that Yoga and graphql-js raise before execution, by the phase that raised them. */
const codes: Plugin = {
  onRequestParse: ({ request, requestParser, setRequestParser }) => {
    if (requestParser) setRequestParser((parsed) => parseParams(requestParser, parsed));
    else if (request.method === "POST") {
      throw new BobbinError("UNSUPPORTED_MEDIA_TYPE", "Send the body as content-type: application/json.");
    }
  },
  onParse: ({ setParseFn }) => {
    setParseFn((source: string, options: ParseOptions) =>
      parse(source, { ...options, maxTokens: MAX_TOKENS }),
    );
    return withCode("GRAPHQL_PARSE_FAILED");
  },
  onValidate: ({ params: { documentAST } }) => {
    return ({ result, setResult }) => {
      const problem = result.length === 0 ? sizeProblem(documentAST) : undefined;
      const tooLarge = problem === undefined ? undefined : [new GraphQLError(problem)];
      withCode("GRAPHQL_VALIDATION_FAILED")({ result: tooLarge ?? result });
      if (tooLarge) setResult(tooLarge);
    };
  },
};

/** The empty name of an operation is none: generated clients send it where they have no name. */
const emptyNames: Plugin = {
  onParams: ({ params: { operationName, ...others }, setParams }) => {
    if (operationName === "") setParams(others);
  },
};

/** Length of the documents that are kept with their parsed forms and plans, which take 350 times as much. */
const KEPT_CHARACTERS = 100_000;
const KEPT_AT_MOST = 50_000;

function cacheByLength<T extends object>(): LRUCache<string, T> {
  return new LRUCache<string, T>({
    maxSize: KEPT_CHARACTERS,
    maxEntrySize: KEPT_AT_MOST,
    sizeCalculation: (_parsed, document) => document.length + 1,
  });
}

/** graphql-js puts an answer's fields in the query's order; Yoga's own executor in the order of their arrival. */
const inTurn = async (args: ExecutionArgs): Promise<ExecutionResult> => execute(args);

function executingBy(carryOut: NonNullable<YogaSetting["execute"]>): Plugin {
  return {
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn(async (args: ExecutionArgs) => {
        const result = await carryOut(args);
        return result.errors ? { ...result, errors: result.errors.flatMap(membersOf) } : result;
      }),
  };
}

/** Several errors at one field come as one that holds them all: each is an error of its own. */
function membersOf(error: GraphQLError): GraphQLError[] {
  const members = (error.originalError as { errors?: unknown } | undefined)?.errors;
  if (!Array.isArray(members)) return [error];
  return members.map((member) =>
    member instanceof GraphQLError && member.path ? member : locatedError(member, error.nodes, error.path),
  );
}

/** Without it, what bobbin breaks off would look finished, and a client would not subscribe again. */
const STOPPING: ExecutionResult = {
  errors: [
    new GraphQLError("The gateway is stopping: subscribe again.", {
      extensions: { code: "SERVICE_UNAVAILABLE" satisfies ErrorCode },
    }),
  ],
};

/** Subscriptions end at the signal: the source may be waiting for an event that never comes. */
function endingWith(stopping: AbortSignal): Plugin {
  return {
    onSubscribe: () => ({
      onSubscribeResult({ result, setResult }) {
        if (Symbol.asyncIterator in result) setResult(untilAborted(result, stopping, STOPPING));
      },
    }),
  };
}

type RequestParser = NonNullable<Parameters<NonNullable<Plugin["onRequestParse"]>>[0]["requestParser"]>;

async function parseParams(parse: RequestParser, request: Request) {
  try {
    return await parse(request);
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    // Yoga wraps the SyntaxError of a body, and throws that of the parameter `variables` as it is.
    const cause = error instanceof GraphQLError ? error.extensions.originalError : error;
    const { name } = (cause ?? {}) as { name?: string };
    if (name === "SyntaxError") {
      const message = "The body, or the parameter variables or extensions, is not JSON.";
      throw new BobbinError("INVALID_JSON", message, { cause: error });
    }
    const message =
      error instanceof GraphQLError ? error.message : "The body is not what its content type says.";
    throw new BobbinError("GRAPHQL_REQUEST_INVALID", message, { cause: error });
  }
}

function withCode(code: ErrorCode) {
  return ({ result }: { result: unknown }) => {
    for (const error of Array.isArray(result) ? result : [result]) {
      if (error instanceof GraphQLError && error.extensions.code === undefined) error.extensions.code = code;
    }
  };
}

/**
 * What graphql-js and Yoga say of a whole request, with a code of the table; an error with a path is a field's, whose
 * code is its service's own.
 */
function withTableCode(error: GraphQLError): GraphQLError {
  const { path, nodes, extensions } = error;
  if (path) return error;
  const { http, code } = extensions as { http?: { status?: number }; code?: unknown };
  if (http?.status === 405) extensions.code = "METHOD_NOT_ALLOWED" satisfies ErrorCode;
  else if (code === "BAD_REQUEST" || code === "OPERATION_RESOLUTION_FAILURE")
    extensions.code = "GRAPHQL_REQUEST_INVALID" satisfies ErrorCode;
  else if (code === undefined && nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION)
    extensions.code = "INVALID_INPUT" satisfies ErrorCode;
  else if (code === undefined) extensions.code = "GRAPHQL_VALIDATION_FAILED" satisfies ErrorCode;
  return error;
}
