/**
 * Federated services as one: composed by the federation's rules, and executed as one subgraph among the others.
 * Knows SDLs and their composition; nothing of registrations or of the rest of the graph.
 */

import type { Executor } from "@graphql-tools/utils";
import { composeServices, compositionHasErrors } from "@theguild/federation-composition";
import { type DocumentNode, type GraphQLError, getOperationAST, parse } from "graphql";
import { BobbinError } from "../../errors.ts";
import { federationExecutor } from "./executor.ts";
import { planOperation } from "./plan-operation.ts";
import { Unplannable } from "./planner.ts";
import { repaired } from "./repair.ts";
import { type ShownSchemas, schemasOf } from "./schemas.ts";
import { Supergraph } from "./supergraph.ts";

export interface Member {
  readonly name: string;
  readonly document: DocumentNode;
  readonly executor: Executor;
}

export interface Group extends ShownSchemas {
  readonly supergraph: Supergraph;
  /** Executes what the executable schema allows. */
  readonly executor: Executor;
}

/** How many of the composition's complaints are told. */
const TOLD = 3;

/** Throws COMPOSITION_FAILED with what the rules say. */
export function composeGroup(members: readonly Member[]): Group {
  const document = repaired(supergraphOf(members), members);
  const supergraph = new Supergraph(document);
  const schemas = schemasOf(document, supergraph);
  const executors = new Map(members.map(({ name, executor }) => [name, executor]));
  const executor = federationExecutor({
    supergraph,
    schema: schemas.executable,
    executor(graph) {
      const found = executors.get(supergraph.graphs.get(graph) ?? "");
      if (!found) throw new Error(`no member of the supergraph is ${graph}`);
      return found;
    },
  });
  return { ...schemas, supergraph, executor };
}

function supergraphOf(members: readonly Member[]): DocumentNode {
  const services = members.map(({ name, document }) => ({ name, typeDefs: document }));
  const composed = composeServices(services);
  if (!compositionHasErrors(composed)) return composed.supergraphDocumentNode;
  const { errors } = composed;
  if (errors.every((error) => error.extensions.code === "SATISFIABILITY_ERROR")) {
    const lenient = composeServices(services, { disableValidationRules: ["SatisfiabilityRule"] });
    if (
      !compositionHasErrors(lenient) &&
      errors.every((error) => isSatisfied(error, members, lenient.supergraphDocumentNode))
    )
      return lenient.supergraphDocumentNode;
  }
  throw failed(errors);
}

/**
 * The library finds some queries unanswerable that can be answered (audit: requires-with-fragments). Each complaint
 * shows its query: where the planner has an answer to it, there is one.
 */
function isSatisfied(error: GraphQLError, members: readonly Member[], document: DocumentNode): boolean {
  const query = /supergraph API query:\n([\s\S]*?)\ncannot be satisfied/.exec(error.message)?.[1];
  const supergraph = new Supergraph(repaired(document, members));
  try {
    const asked = parse(query ?? "", { noLocation: true });
    const operation = getOperationAST(asked);
    if (!operation) return false;
    planOperation({ supergraph, document: asked, operation, variables: {} });
    return true;
  } catch (problem) {
    if (problem instanceof Unplannable || query === undefined) return false;
    throw problem;
  }
}

function failed(errors: readonly GraphQLError[]): BobbinError {
  const told = errors.slice(0, TOLD).map(({ message }) => message);
  if (errors.length > TOLD) told.push(`and ${errors.length - TOLD} more`);
  return new BobbinError("COMPOSITION_FAILED", `The federated services do not compose: ${told.join("; ")}`);
}
