/**
 * Who carries out what is asked of an island of services that are not federated: the service itself, where it is one of
 * this process; a plan, as for federated ones; and stitching for what is not planned. Knows islands; nothing of snapshots.
 */
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import { execute, type GraphQLSchema, subscribe } from "graphql";
import type { Island } from "../compose/island.ts";
import { federationExecutor } from "../federation/executor.ts";
import type { OwnExecutor } from "../remote/remote-executor.ts";
import { interpretedModel, isShaped } from "./stitched-model.ts";

const executors = new WeakMap<Island, Executor>();

export function islandExecutor(island: Island): Executor {
  const known = executors.get(island);
  if (known) return known;
  const otherwise = stitchingExecutor(() => island.schema);
  const model = interpretedModel(island);
  const planned = model ? federationExecutor({ ...model, otherwise }) : otherwise;
  const own = ownExecutor(island);
  const executor = own ? (((request) => own.carryOut(request) ?? planned(request)) as Executor) : planned;
  executors.set(island, executor);
  return executor;
}

/** Of a service that is alone on its island, and runs in this process on the very schema that is shown. */
function ownExecutor({ group, subgraphs: [only, ...others] }: Island): OwnExecutor | undefined {
  if (group || !only || others.length > 0 || isShaped(only)) return undefined;
  return "carryOut" in only.executor ? (only.executor as OwnExecutor) : undefined;
}

function stitchingExecutor(schema: () => GraphQLSchema): Executor {
  return (({ document, variables, operationName, operationType, context }: ExecutionRequest) => {
    const args = {
      schema: schema(),
      document,
      variableValues: variables,
      operationName,
      contextValue: context,
    };
    return operationType === "subscription" ? subscribe(args) : execute(args);
  }) as Executor;
}
