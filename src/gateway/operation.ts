/**
 * Carries out an operation on a snapshot: by the federated services alone where everything that it asks is theirs,
 * so that their plan sees all of it at once; stitched from all services otherwise.
 * Knows snapshots; nothing of doors.
 */
import type { ExecutionRequest } from "@graphql-tools/utils";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  FieldsOnCorrectTypeRule,
  KnownTypeNamesRule,
  subscribe,
  validate,
  visit,
} from "graphql";
import type { Group } from "./federation/group.ts";
import type { Snapshot } from "./snapshot.ts";

type OperationArgs = Omit<ExecutionArgs, "schema">;

export async function executeOperation(snapshot: Snapshot, args: OperationArgs): Promise<ExecutionResult> {
  const group = ownerOf(snapshot, args.document);
  if (group) return (await group.executor(requestOf(args))) as ExecutionResult;
  return execute({ ...args, schema: snapshot.schema });
}

export async function subscribeOperation(
  snapshot: Snapshot,
  args: OperationArgs,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void, void>> {
  const group = ownerOf(snapshot, args.document);
  if (!group) return subscribe({ ...args, schema: snapshot.schema });
  const request = { ...requestOf(args), operationType: "subscription" } as ExecutionRequest;
  return (await group.executor(request)) as ExecutionResult | AsyncGenerator<ExecutionResult, void, void>;
}

function requestOf({
  document,
  variableValues,
  operationName,
  contextValue,
}: OperationArgs): ExecutionRequest {
  return {
    document,
    ...(variableValues ? { variables: variableValues } : {}),
    ...(operationName ? { operationName } : {}),
    context: contextValue as Record<string, unknown>,
  };
}

/** Worked out once for each document that is kept. */
const owned = new WeakMap<Group, WeakMap<DocumentNode, boolean>>();

/** The federated services, where they have everything that the document asks for. */
function ownerOf({ group }: Snapshot, document: DocumentNode): Group | undefined {
  if (!group) return undefined;
  const documents = owned.get(group) ?? new WeakMap<DocumentNode, boolean>();
  owned.set(group, documents);
  let isOwned = documents.get(document);
  if (isOwned === undefined) {
    isOwned = !asksForSchema(document) && validate(group.shown, document, RULES).length === 0;
    documents.set(document, isOwned);
  }
  return isOwned ? group : undefined;
}

const RULES = [FieldsOnCorrectTypeRule, KnownTypeNamesRule];

/** What the whole graph is, only the whole graph's schema tells. */
function asksForSchema(document: DocumentNode): boolean {
  let asks = false;
  visit(document, {
    Field: ({ name: { value } }) => {
      asks ||= value === "__schema" || value === "__type";
    },
  });
  return asks;
}
