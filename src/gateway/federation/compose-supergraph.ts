/**
 * Composes federated services by the federation's rules. Pure: SDLs in, supergraph or reason out.
 * Knows documents; nothing of who executes anything.
 */
import { type DocumentNode, type GraphQLError, getOperationAST, parse } from "graphql";
import { BobbinError } from "../../errors.ts";
import { federationLibrary } from "../subgraph/federation-library.ts";
import { complaintsOf } from "./complaints.ts";
import type { Composed } from "./group.ts";
import { overrideProblem } from "./overrides.ts";
import { planOperation } from "./plan-operation.ts";
import { Unplannable } from "./planner.ts";
import { type NamedDocument, repaired } from "./repair.ts";
import { Supergraph } from "./supergraph.ts";

/** Throws COMPOSITION_FAILED with what the rules say. */
export function composeSupergraph(services: readonly NamedDocument[]): Composed {
  const supergraph = supergraphOf(services);
  return { supergraph, open: federationLibrary().transformSupergraphToPublicSchema(supergraph) };
}

function supergraphOf(services: readonly NamedDocument[]): DocumentNode {
  const problem = overrideProblem(services);
  if (problem !== undefined) throw failed(problem);
  const named = services.map(({ name, document }) => ({ name, typeDefs: document }));
  const { composeServices, compositionHasErrors } = federationLibrary();
  const composed = composeServices(named);
  if (!compositionHasErrors(composed)) return repaired(composed.supergraphDocumentNode, services);
  const { errors } = composed;
  if (errors.every((error) => error.extensions.code === "SATISFIABILITY_ERROR")) {
    const lenient = composeServices(named, { disableValidationRules: ["SatisfiabilityRule"] });
    const document = compositionHasErrors(lenient)
      ? undefined
      : repaired(lenient.supergraphDocumentNode, services);
    if (document && errors.every((error) => isSatisfied(error, document))) return document;
  }
  throw failed(complaintsOf(errors, services));
}

function failed(complaints: string): BobbinError {
  return new BobbinError("COMPOSITION_FAILED", `The federated services do not compose: ${complaints}.`);
}

/**
 * The library finds some queries unanswerable that can be answered (audit: requires-with-fragments). Each complaint
 * shows its query: where the planner has an answer to it, there is one.
 */
function isSatisfied(error: GraphQLError, document: DocumentNode): boolean {
  const query = /supergraph API query:\n([\s\S]*?)\ncannot be satisfied/.exec(error.message)?.[1];
  if (query === undefined) return false;
  const asked = parse(query, { noLocation: true });
  const operation = getOperationAST(asked);
  if (!operation) return false;
  try {
    planOperation({ supergraph: new Supergraph(document), document: asked, operation, variables: {} });
    return true;
  } catch (problem) {
    if (problem instanceof Unplannable) return false;
    throw problem;
  }
}
