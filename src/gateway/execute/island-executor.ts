/**
 * Who carries out what is asked of an island of services that are not federated: a plan, as for federated ones, and
 * stitching for what is not planned. Knows islands; nothing of snapshots.
 */
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import { execute, type GraphQLSchema, subscribe } from "graphql";
import type { Island } from "../compose/island.ts";
import { federationExecutor } from "../federation/executor.ts";
import { interpretedModel } from "./stitched-model.ts";

const executors = new WeakMap<Island, Executor>();

export function islandExecutor(island: Island): Executor {
  const known = executors.get(island);
  if (known) return known;
  const otherwise = stitchingExecutor(island.schema);
  const model = interpretedModel(island);
  const executor = model ? federationExecutor({ ...model, otherwise }) : otherwise;
  executors.set(island, executor);
  return executor;
}

function stitchingExecutor(schema: GraphQLSchema): Executor {
  return (({ document, variables, operationName, operationType, context }: ExecutionRequest) => {
    const args = { schema, document, variableValues: variables, operationName, contextValue: context };
    return operationType === "subscription" ? subscribe(args) : execute(args);
  }) as Executor;
}
