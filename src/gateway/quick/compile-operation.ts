/**
 * From an operation to what answers it: its plan as one, and the code made for that. Knows snapshots; nothing of
 * requests.
 */
import {
  type DocumentNode,
  type GraphQLObjectType,
  type OperationDefinitionNode,
  OperationTypeNode,
} from "graphql";
import type { Call } from "../federation/plan.ts";
import type { Snapshot } from "../snapshot.ts";
import { isDivided, type PreparedCall, prepareCall } from "./calls.ts";
import { CompiledOperation } from "./operation.ts";
import { type PlannedPart, plannedParts } from "./planned-parts.ts";
import { compilePrograms } from "./program.ts";
import { answerShape, type Shape } from "./shape.ts";
import { Uncompilable } from "./uncompilable.ts";
import type { Variables } from "./variables.ts";

/** Throws Uncompilable. */
export function compileOperation(
  snapshot: Snapshot,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  included: Variables,
): CompiledOperation {
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw new Uncompilable("subscription");
  const parts = plannedParts(snapshot, document, operation, included);
  const isInTurn = operation.operation === OperationTypeNode.MUTATION;
  const calls = joinedCalls(parts, isInTurn);
  const shape = answerShape(snapshot.schema, document, operation, included);
  const programs = compilePrograms({ calls: calls.map(({ call }) => call) }, snapshot.schema, shape);
  return new CompiledOperation(
    parts,
    calls,
    programs,
    typenamesIn(shape),
    shape.of(shape.type as GraphQLObjectType).map(({ key }) => key),
    operation.operation,
  );
}

/** What is answered without any service. */
function typenamesIn({ type, of }: Shape): Record<string, string> {
  const fields = of(type as GraphQLObjectType).filter(({ name }) => name === "__typename");
  return Object.fromEntries(fields.map(({ key }) => [key, type.name]));
}

/** The parts' calls as one plan's; of a mutation, each part's after those of the part before. */
function joinedCalls(parts: readonly PlannedPart[], isInTurn: boolean): PreparedCall[] {
  const calls: PreparedCall[] = [];
  for (const { model, plan } of parts) {
    const first = calls.length;
    const before = isInTurn ? calls.map((_, i) => i) : [];
    for (const call of plan.calls) {
      const executor = model.executor(call.graph);
      if (!isDivided(executor)) throw new Uncompilable("service of this process");
      const after = call.after.length === 0 ? before : call.after.map((i) => i + first);
      calls.push(prepareCall({ ...call, after } satisfies Call, executor, model));
    }
  }
  return calls;
}
