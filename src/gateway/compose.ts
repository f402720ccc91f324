/**
 * Many subgraphs as one schema. Pure: subgraphs in, schema and reasons out.
 * Knows the rules of who owns what; nothing of services, fetching or time.
 */
import { stitchSchemas, ValidationLevel } from "@graphql-tools/stitch";
import { type GraphQLSchema, validateSchema } from "graphql";
import { type ErrorCode, messageOf, type Place } from "../errors.ts";
import type { Subgraph } from "./subgraph.ts";

/** Why a service, or its newest schema, is left out. */
export interface Reason extends Partial<Place> {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A service whose newest schema is not in the graph yet, with the one of it that is, if any. */
export interface Candidate {
  readonly latest: Subgraph;
  readonly previous: Subgraph | undefined;
}

export interface Composition {
  readonly schema: GraphQLSchema;
  /** What the schema consists of. */
  readonly subgraphs: readonly Subgraph[];
  /** Service → why its newest schema is not in the graph; its previous one may be. */
  readonly rejected: ReadonlyMap<string, Reason>;
}

/**
 * `incumbents` are in the graph already, unchanged, and keep what they own; `candidates` follow in order of
 * precedence. A candidate that collides is left out alone: its previous schema stays where it has one.
 */
export function compose(incumbents: readonly Subgraph[], candidates: readonly Candidate[]): Composition {
  const heldBack = new Map<Candidate, Reason>();
  for (;;) {
    const { subgraphs, rejected, taker } = choose(incumbents, candidates, heldBack);
    if (!taker) return stitch(subgraphs, candidates, rejected);
    heldBack.set(taker.candidate, taker.reason);
  }
}

interface Choice {
  readonly subgraphs: readonly Subgraph[];
  readonly rejected: Map<string, Reason>;
  /** A candidate whose newest schema takes what another has in the graph and keeps: it has to be held back. */
  readonly taker: { candidate: Candidate; reason: Reason } | undefined;
}

/**
 * Chooses a version of each candidate. The newest ones are tried against each other first, so that services which
 * change a shared type in step get through together.
 */
function choose(
  incumbents: readonly Subgraph[],
  candidates: readonly Candidate[],
  heldBack: ReadonlyMap<Candidate, Reason>,
): Choice {
  const graph = new Ownership();
  const rejected = new Map<string, Reason>();
  const newest = new Map<Subgraph, Candidate>();
  for (const incumbent of incumbents) graph.add(incumbent);
  for (const [{ latest, previous }, reason] of heldBack) {
    rejected.set(latest.name, reason);
    if (previous) graph.add(previous);
  }
  for (const candidate of candidates) {
    const { latest, previous } = candidate;
    if (heldBack.has(candidate)) continue;
    const collision = graph.collision(latest);
    if (!collision) {
      newest.set(latest, candidate);
      graph.add(latest);
      continue;
    }
    rejected.set(latest.name, collision.reason);
    const loss = previous && graph.collision(previous);
    const winner = loss?.owner && newest.get(loss.owner);
    // What the graph has already fits together, so only a newest schema can be in the way of a previous one.
    if (previous && winner) {
      const taker = { candidate: winner, reason: collisionOf(winner.latest, previous) ?? loss.reason };
      return { subgraphs: graph.subgraphs, rejected, taker };
    }
    if (previous) graph.add(previous);
  }
  return { subgraphs: graph.subgraphs, rejected, taker: undefined };
}

interface Collision {
  readonly reason: Reason;
  /** Who has what is asked for; absent where the graph itself does. */
  readonly owner?: Subgraph;
}

/** Which subgraph has which root field and which type. */
class Ownership {
  readonly subgraphs: Subgraph[] = [];
  readonly #fields = new Map<string, Subgraph>();
  readonly #types = new Map<string, Subgraph>();

  add(subgraph: Subgraph): void {
    this.subgraphs.push(subgraph);
    for (const field of subgraph.rootFields) this.#fields.set(field, subgraph);
    for (const type of subgraph.types.keys()) if (!this.#types.has(type)) this.#types.set(type, subgraph);
  }

  collision(subgraph: Subgraph): Collision | undefined {
    for (const field of subgraph.rootFields) {
      const owner = this.#fields.get(field);
      if (owner) return { owner, reason: fieldTaken(field, owner.name, subgraph.name) };
    }
    for (const [type, shape] of subgraph.types) {
      const owner = this.#types.get(type);
      if (owner && owner.types.get(type) !== shape)
        return { owner, reason: typeConflict(type, owner.name, subgraph.name) };
      if (ROOT_TYPES.has(type)) return { reason: rootTypeName(type, subgraph.name) };
    }
    return undefined;
  }
}

/** Why `later` does not fit beside `owner` alone. */
function collisionOf(later: Subgraph, owner: Subgraph): Reason | undefined {
  const graph = new Ownership();
  graph.add(owner);
  return graph.collision(later)?.reason;
}

const ROOT_TYPES = new Set(["Query", "Mutation", "Subscription"]);

function fieldTaken(field: string, owner: string, later: string): Reason {
  const message = `${field} of ${later} belongs to ${owner}, which registered it first: rename it, or give ${later} a namespace (metadata.gateway.namespace).`;
  return { code: "ROOT_FIELD_TAKEN", message };
}

function typeConflict(type: string, owner: string, later: string): Reason {
  const message = `The type ${type} of ${later} differs from the one of ${owner}: make them identical, rename it, or give ${later} a namespace (metadata.gateway.namespace).`;
  return { code: "TYPE_CONFLICT", message };
}

function rootTypeName(type: string, service: string): Reason {
  const message = `${type} is the name of a root type of the graph, but ${service} has another type of this name: rename it.`;
  return { code: "TYPE_CONFLICT", message };
}

/** Stitches everything; where that fails, adds the newcomers one by one and leaves out those that it fails with. */
function stitch(
  subgraphs: readonly Subgraph[],
  candidates: readonly Candidate[],
  rejected: Map<string, Reason>,
): Composition {
  try {
    return { schema: stitched(subgraphs), subgraphs, rejected };
  } catch (error) {
    const newest = new Map(candidates.map((candidate) => [candidate.latest, candidate]));
    const kept = subgraphs.filter((subgraph) => !newest.has(subgraph));
    let schema = kept.length > 0 ? stitched(kept) : undefined;
    for (const newcomer of subgraphs) {
      const candidate = newest.get(newcomer);
      if (!candidate) continue;
      for (const version of [newcomer, candidate.previous]) {
        if (!version) continue;
        try {
          schema = stitched([...kept, version]);
          kept.push(version);
          break;
        } catch (cause) {
          rejected.set(newcomer.name, { code: "COMPOSITION_FAILED", message: messageOf(cause) });
        }
      }
    }
    if (!schema) throw error;
    return { schema, subgraphs: kept, rejected };
  }
}

function stitched(subgraphs: readonly Subgraph[]): GraphQLSchema {
  const schema = stitchSchemas({
    subschemas: subgraphs.map(({ config }) => config),
    // Types that meet here are identical: Ownership has seen to it.
    typeMergingOptions: { validationSettings: { validationLevel: ValidationLevel.Off } },
  });
  const [problem] = validateSchema(schema);
  if (problem) throw problem;
  return schema;
}
