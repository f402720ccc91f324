/**
 * What every GraphQL server of bobbin has in common: codes on errors, causes in the log only, GraphiQL without a CDN.
 * Knows Yoga; nothing of schemas.
 */
import { GraphQLError } from "graphql";
import type { Plugin, YogaServerOptions } from "graphql-yoga";
import { BobbinError, type ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { toGraphQLError } from "./answers.ts";

/** Options for `createYoga` and Elysia's plugin; CORS, body limits and unknown paths are the front's and Elysia's. */
export function yogaOptions(log: Log, title: string) {
  return {
    cors: false,
    landingPage: false,
    logging: {
      debug: (...args: unknown[]) => log.debug({ args }, "graphql"),
      info: (...args: unknown[]) => log.info({ args }, "graphql"),
      warn: (...args: unknown[]) => log.warn({ args }, "graphql"),
      error: (error: unknown) => log.error({ err: error }, "a resolver failed"),
    },
    maskedErrors: { errorMessage: "Unexpected error.", maskError },
    graphiql: { title },
    renderGraphiQL: async (options: object) => {
      // Loaded when first asked for: it is several megabytes of text.
      const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
      return renderGraphiQL({ ...options, title } as never);
    },
    plugins: [codes],
  } satisfies Partial<YogaServerOptions<object, object>>;
}

/** What a resolver threw, fit to be sent: a refusal with its code, somebody's GraphQLError as it is, nothing else. */
function maskError(error: unknown, message: string): Error {
  const cause = rootCause(error);
  const { path = null, nodes = null } = error instanceof GraphQLError ? error : {};
  if (cause instanceof BobbinError && cause.code !== "INTERNAL") {
    const { extensions } = toGraphQLError(cause);
    return new GraphQLError(cause.message, { path, nodes, extensions });
  }
  if (cause instanceof GraphQLError) return error as GraphQLError;
  return new GraphQLError(message, { path, nodes, extensions: { code: "INTERNAL" satisfies ErrorCode } });
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

/** Errors that Yoga and graphql-js raise before execution, by the phase that raised them. */
const codes: Plugin = {
  onParse: () => withCode("GRAPHQL_PARSE_FAILED"),
  onValidate: () => withCode("GRAPHQL_VALIDATION_FAILED"),
};

function withCode(code: ErrorCode) {
  return ({ result }: { result: unknown }) => {
    for (const error of Array.isArray(result) ? result : [result]) {
      if (error instanceof GraphQLError && error.extensions.code === undefined) error.extensions.code = code;
    }
  };
}
