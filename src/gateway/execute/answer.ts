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
  return answered(snapshot, args.contextValue as object, await executeOperation(snapshot, args));
}

export async function answerSubscription(
  snapshot: Snapshot,
  args: OperationArgs,
): Promise<ExecutionResult | Events> {
  const results = await subscribeOperation(snapshot, args);
  const context = args.contextValue as object;
  if (!isAsyncIterable(results)) return answered(snapshot, context, results);
  return mapAsyncIterator(results, (result) => answered(snapshot, context, result)) as Events;
}

/** The result of a request with everything that is known of its errors. */
export function answered(snapshot: Snapshot, context: object, result: ExecutionResult): ExecutionResult {
  return withServiceNames(snapshot, withErrorsBesideValues(context, result));
}
