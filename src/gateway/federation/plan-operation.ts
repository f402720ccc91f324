/**
 * From an operation to its plan. Knows documents, and the values of the variables that decide what is included.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from "graphql";
import { assemble } from "./assemble.ts";
import type { Override } from "./join-directives.ts";
import type { Plan } from "./plan.ts";
import { Planner } from "./planner.ts";
import type { DraftFetch } from "./spot.ts";
import type { Supergraph } from "./supergraph.ts";
import { type EntityFieldOf, SelectionWants, type Want } from "./wants.ts";

export interface PlanOptions {
  readonly supergraph: Supergraph;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** Coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Key of a root field whose entities are there already → type → what is known of them. */
  readonly supplied?: ReadonlyMap<string, ReadonlyMap<string, SelectionSetNode>> | undefined;
  /** For answers of which nothing fails: fewer requests, each of which more depends on. */
  readonly isThrifty?: boolean;
  readonly entityField?: EntityFieldOf | undefined;
}

/** Throws Unplannable. */
export function planOperation(options: PlanOptions): Plan {
  const { supergraph, document, operation, variables, supplied, isThrifty, entityField } = options;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const planner = new Planner(
    {
      supergraph,
      fragments,
      isIncluded: (node) =>
        !node.directives?.length ||
        (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if !== true &&
          getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false),
      isInternal: false,
      entityField,
    },
    inForce(),
  );
  const rootType = supergraph.roots[operation.operation];
  const all = new SelectionWants([{ type: rootType, set: operation.selectionSet }], planner.options).of(
    rootType,
  );
  const wants = new Map([...all].filter(([key, { name }]) => !name.startsWith("__") && !supplied?.has(key)));
  if (supplied) for (const [key, byType] of supplied) planner.planEntities(all, key, byType);
  if (operation.operation === OperationTypeNode.MUTATION) planInTurn(planner, wants);
  else planner.planRoot(operation.operation, wants, new Set());
  const { operation: kind, variableDefinitions = [] } = operation;
  return assemble(planner.fetches, kind, variableDefinitions, isThrifty);
}

/** A mutation's root fields are carried out one after the other, each with all that is below it. */
function planInTurn(planner: Planner, wants: ReadonlyMap<string, Want>): void {
  let before: ReadonlySet<DraftFetch> = new Set();
  for (const [key, want] of wants) {
    planner.planRoot(OperationTypeNode.MUTATION, new Map([[key, want]]), before);
    before = new Set(planner.fetches);
  }
}

/** A label `percent(N)` is in force for that part of the requests; others are nowhere switched on. */
function inForce(): (override: Override) => boolean {
  const drawn = Math.random() * 100;
  return ({ label }) => {
    const percent = /^percent\((\d+(?:\.\d+)?)\)$/.exec(label)?.[1];
    return percent !== undefined && drawn < Number(percent);
  };
}
