/**
 * An operation taken apart by who answers its root fields, each part with its plan. Knows islands and planning; nothing
 * of how a plan is carried out.
 */
import type { DefinitionNode, DocumentNode, OperationDefinitionNode } from "graphql";
import type { Island } from "../compose/island.ts";
import { isGroups, type Part, routeOf } from "../execute/operation.ts";
import { rootFieldsOf } from "../execute/split.ts";
import { stitchedModel } from "../execute/stitched-model.ts";
import type { FederationOptions } from "../federation/executor.ts";
import type { Plan } from "../federation/plan.ts";
import { planOperation } from "../federation/plan-operation.ts";
import { Unplannable } from "../federation/planner.ts";
import type { Snapshot } from "../snapshot.ts";
import { Uncompilable } from "./uncompilable.ts";
import type { Variables } from "./variables.ts";

/** A part of the operation with a plan of its own. */
export interface PlannedPart {
  readonly island: Island;
  /** The names of its root fields. */
  readonly fields: readonly string[];
  readonly document: DocumentNode;
  /** Which of the document's operations it is. */
  readonly operationName: string | undefined;
  readonly model: FederationOptions;
  readonly plan: Plan;
  /** The plan for the case that something fails. */
  careful(): Plan;
}

/** `included`: the variables that decide by @skip and @include. Throws Uncompilable. */
export function plannedParts(
  snapshot: Snapshot,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  included: Variables,
): PlannedPart[] {
  const route = routeOf(snapshot, { document, operationName: operation.name?.value });
  return (route?.parts ?? [])
    .filter((part) => !isTypename(part, operation))
    .map((part) => planPart(part, operation, included));
}

/** Whether nothing but the root type's name is asked, which needs no service. */
function isTypename({ island, document }: Part, operation: OperationDefinitionNode): boolean {
  return (
    !island &&
    rootFieldsOf(document, operationIn(document, operation)).every(({ name }) => name.value === "__typename")
  );
}

/** The same operation in a document that has a part of it. */
function operationIn(
  document: DocumentNode,
  { kind, name }: OperationDefinitionNode,
): OperationDefinitionNode {
  const is = (node: DefinitionNode) => node.kind === kind && node.name?.value === name?.value;
  return document.definitions.find(is) as OperationDefinitionNode;
}

function planPart(
  { island, document }: Part,
  operation: OperationDefinitionNode,
  variables: Variables,
): PlannedPart {
  if (!island) throw new Uncompilable("introspection");
  const model = isGroups(island, document) ? island.group?.execution : stitchedModel(island);
  if (!model) throw new Uncompilable("stitched services");
  const supergraph = model.supergraph();
  if (supergraph.hasOverrides) throw new Uncompilable("progressive override");
  const node = operationIn(document, operation);
  const { entityField } = model;
  const options = { supergraph, document, operation: node, variables, entityField };
  let careful: Plan | undefined;
  try {
    return {
      island,
      fields: rootFieldsOf(document, node).map(({ name }) => name.value),
      document,
      operationName: operation.name?.value,
      model,
      plan: planOperation({ ...options, isThrifty: true }),
      careful() {
        careful ??= planOperation(options);
        return careful;
      },
    };
  } catch (error) {
    if (error instanceof Unplannable) throw new Uncompilable("field of no service");
    throw error;
  }
}
