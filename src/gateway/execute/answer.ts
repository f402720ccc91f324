/**
 * Answers an operation on a snapshot with everything that services told of it: also the errors that stand beside values,
 * and whose value it was that graphql-js refused. Every door asks here. Knows snapshots; nothing of doors.
 */
import { isAsyncIterable, mapAsyncIterator } from "@graphql-tools/utils";
import type { ExecutionArgs, ExecutionResult } from "graphql";
import type { Snapshot } from "../snapshot.ts";
import { withErrorsBesideValues } from "../values/beside-values.ts";
import { executeOperation, subscribeOperation } from "./operation.ts";
import { withServiceNames } from "./service-errors.ts";

type OperationArgs = Omit<ExecutionArgs, "schema">;
type Events = AsyncGenerator<ExecutionResult, void, void>;

export async function answerOperation(snapshot: Snapshot, args: OperationArgs): Promise<ExecutionResult> {
  return told(snapshot, args, await executeOperation(snapshot, args));
}

export async function answerSubscription(
  snapshot: Snapshot,
  args: OperationArgs,
): Promise<ExecutionResult | Events> {
  const results = await subscribeOperation(snapshot, args);
  if (!isAsyncIterable(results)) return told(snapshot, args, results);
  return mapAsyncIterator(results, (result) => told(snapshot, args, result)) as Events;
}

function told(snapshot: Snapshot, { contextValue }: OperationArgs, result: ExecutionResult): ExecutionResult {
  return withServiceNames(snapshot, withErrorsBesideValues(contextValue as object, result));
}
