/**
 * Executes documents on a plugin's schema, and makes answers of it that are fit to be sent: what a resolver threw by
 * mistake stays inside. Knows graphql-js; nothing of plugins.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import {
  type DocumentNode,
  type ExecutionArgs,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  Kind,
  locatedError,
  parse,
  subscribe,
} from "graphql";
import { LRUCache } from "lru-cache";
import type { ErrorCode } from "../../errors.ts";
import { untilAborted } from "../../until-aborted.ts";

export interface Execution {
  readonly schema: ExecutionArgs["schema"];
  readonly document: DocumentNode;
  readonly variableValues: Record<string, unknown> | undefined;
  readonly operationName: string | undefined;
  readonly contextValue: unknown;
  /** Told what a resolver threw where it should have answered, and of which field. */
  readonly onFailure: (error: unknown, field: string) => void;
}

const documents = new LRUCache<string, DocumentNode>({ max: 500 });

/** The gateway sends the same documents again and again. */
export function parseCached(query: string): DocumentNode {
  let document = documents.get(query);
  if (!document) {
    document = parse(query, { noLocation: true });
    documents.set(query, document);
  }
  return document;
}

export async function executeOnce(execution: Execution): Promise<ExecutionResult> {
  return formatted(await execute(argsOf(execution)), execution);
}

/** Leaving it leaves its source at once, even while that waits for its next event. */
export function subscribeTo(execution: Execution): AsyncIterableIterator<ExecutionResult> {
  const left = new AbortController();
  const results = resultsOf(execution, left.signal);
  return {
    next: () => results.next(),
    return() {
      left.abort();
      return results.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* resultsOf(
  execution: Execution,
  left: AbortSignal,
): AsyncGenerator<ExecutionResult, void, undefined> {
  const source = await subscribe(argsOf(execution));
  if (!(Symbol.asyncIterator in source)) {
    yield formatted(source, execution);
    return;
  }
  if (left.aborted) return void (await source.return(undefined));
  try {
    for await (const result of untilAborted(source, left)) yield formatted(result, execution);
  } catch (thrown) {
    // The last that is heard of a source that broke.
    yield formatted({ errors: [locatedError(thrown, undefined)] }, execution);
  }
}

function argsOf({ schema, document, variableValues, operationName, contextValue }: Execution): ExecutionArgs {
  return { schema, document, variableValues, operationName, contextValue };
}

function formatted({ data, errors }: ExecutionResult, { onFailure }: Execution): ExecutionResult {
  if (!errors) return { data };
  return {
    ...(data === undefined ? {} : { data }),
    errors: errors.map((error) => shownError(error, onFailure)) as unknown as GraphQLError[],
  };
}

/** What graphql-js says of a null that a resolver gave where the schema forbids it. */
const NULL_FOR_NON_NULL = /^Cannot return null for non-nullable field /;

/** A GraphQLError as its author made it; of anything else that was thrown, that it was. */
function shownError(error: GraphQLError, onFailure: Execution["onFailure"]): GraphQLFormattedError {
  let cause: unknown = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  const { path, message } = error;
  const at = path ? { path } : {};
  if (cause instanceof GraphQLError) {
    return {
      message,
      ...at,
      ...(Object.keys(error.extensions).length ? { extensions: error.extensions } : {}),
    };
  }
  if (cause instanceof Error && NULL_FOR_NON_NULL.test(cause.message)) {
    return { message, ...at, extensions: { code: "INVALID_SERVICE_RESPONSE" satisfies ErrorCode } };
  }
  const [node] = error.nodes ?? [];
  onFailure(cause, node?.kind === Kind.FIELD ? node.name.value : "the operation");
  return { message: "Unexpected error.", ...at, extensions: { code: "INTERNAL" satisfies ErrorCode } };
}
