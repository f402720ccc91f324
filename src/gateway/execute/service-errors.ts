/**
 * Gives what graphql-js says of a service's wrong value its code and the name of the service, where the graph knows it.
 * Knows snapshots and results; nothing of who asked.
 */
import { type ExecutionResult, GraphQLError } from "graphql";
import type { ErrorCode } from "../../errors.ts";
import type { Snapshot } from "../snapshot.ts";

/** Of a null, or of what is no list, that a service gave where its own schema forbids it. */
const WRONG_FORM =
  /^(?:Cannot return null for non-nullable field|Expected Iterable, but did not find one for field) "?(\w+)\.(\w+)"?\.$/;
/** Of a leaf's value. */
const WRONG_LEAF = /^(?:Enum "\w+"|\w+) cannot represent /;

export function withServiceNames(snapshot: Snapshot, result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => named(snapshot, error)) };
}

function named(snapshot: Snapshot, error: GraphQLError): GraphQLError {
  const { message, path, nodes = null, extensions } = error;
  if (!path || extensions.service !== undefined) return error;
  const [isWrongForm, type = "", field = ""] = WRONG_FORM.exec(message) ?? [];
  if (!isWrongForm && (extensions.code !== undefined || !WRONG_LEAF.test(message))) return error;
  const service = isWrongForm ? ownerOf(snapshot, type, field) : undefined;
  const code: ErrorCode = "INVALID_SERVICE_RESPONSE";
  return new GraphQLError(message, { path, nodes, extensions: { code, ...(service ? { service } : {}) } });
}

/** The one service that has the field. */
function ownerOf({ subgraphs }: Snapshot, type: string, field: string): string | undefined {
  const owners = [...subgraphs.values()].filter(({ types, rootFields }) => {
    return types.get(type)?.fields?.has(field) || rootFields.includes(`${type}.${field}`);
  });
  return owners.length === 1 ? owners[0]?.name : undefined;
}
