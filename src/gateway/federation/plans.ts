/**
 * Plans, each made once for a document and the parts of it that its variables include.
 * Knows documents by identity; how one is planned is plan-operation.ts's.
 */
import { type DocumentNode, Kind, visit } from "graphql";
import type { Plan } from "./plan.ts";
import { type PlanOptions, planOperation } from "./plan-operation.ts";
import type { Supergraph } from "./supergraph.ts";

interface Known {
  /** The variables that decide what is included. */
  readonly deciders: readonly string[];
  readonly plans: Map<string, Plan>;
}

/** Of one document; clients that decide by many variables get a new plan each time beyond. */
const MOST_PLANS = 32;

export class Plans {
  readonly #documents = new WeakMap<DocumentNode, Known>();

  /** Throws Unplannable. */
  planOf(supergraph: Supergraph, options: Omit<PlanOptions, "supergraph">): Plan {
    const { document, operation, variables, supplied } = options;
    const make = () => planOperation({ supergraph, ...options });
    // What is supplied differs with each request, and so may the side of an override that is drawn.
    if (supplied || supergraph.hasOverrides) return make();
    const known = this.#documents.get(document) ?? { deciders: decidersOf(document), plans: new Map() };
    this.#documents.set(document, known);
    const key = [operation.name?.value, ...known.deciders.map((name) => variables[name] === true)].join();
    const plan = known.plans.get(key) ?? make();
    if (known.plans.size < MOST_PLANS) known.plans.set(key, plan);
    return plan;
  }
}

/** The variables by which @skip and @include decide. */
export function decidersOf(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: [argument] = [] }) {
      const decides = name.value === "skip" || name.value === "include";
      if (decides && argument?.value.kind === Kind.VARIABLE) names.add(argument.value.name.value);
    },
  });
  return [...names];
}
