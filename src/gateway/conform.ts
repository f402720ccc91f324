/**
 * Holds a service's answer against what was asked: stitching takes answers apart by their keys and trusts them.
 * Pure. Knows GraphQL documents and answers; nothing of how they travel.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { BobbinError } from "../errors.ts";

/** The answer with every error naming `service`. Throws INVALID_SERVICE_RESPONSE where it answers something else. */
export function conform(service: string, document: DocumentNode, result: ExecutionResult): ExecutionResult {
  const keys = responseKeys(document);
  const foreign = Object.keys(result.data ?? {}).find((key) => !keys.has(key));
  if (foreign !== undefined) {
    throw new BobbinError(
      "INVALID_SERVICE_RESPONSE",
      `The service answered ${foreign}, which was not asked for.`,
    );
  }
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => signed(service, error, keys)) };
}

type AnyError = Pick<GraphQLError, "message" | "path" | "extensions">;

/** An error whose path leads nowhere in the answer counts for all of it, as one without a path does. */
function signed(service: string, error: AnyError, keys: ReadonlySet<string>): GraphQLError {
  const { message, path, extensions } = error;
  const known = Array.isArray(path) && keys.has(path[0]);
  const own = typeof extensions === "object" && !Array.isArray(extensions) ? extensions : {};
  return new GraphQLError(message, { path: known ? path : null, extensions: { ...own, service } });
}

/** The names under which the operation's root fields are answered. */
function responseKeys({ definitions }: DocumentNode): Set<string> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const keys = new Set<string>();
  const collect = (set: SelectionSetNode | undefined) => {
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FIELD) keys.add((node.alias ?? node.name).value);
      else if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet);
      else collect(fragments.get(node.name.value)?.selectionSet);
    }
  };
  for (const node of definitions) if (node.kind === Kind.OPERATION_DEFINITION) collect(node.selectionSet);
  return keys;
}
