/**
 * Many subgraphs as one schema. Pure: subgraphs in, schema and reasons out.
 * Knows the rules of who owns what; nothing of services, fetching or time.
 */
import { stitchSchemas, ValidationLevel } from "@graphql-tools/stitch";
import { type GraphQLSchema, validateSchema } from "graphql";
import { messageOf } from "../errors.ts";
import { mergedFieldResolvers } from "./merged-fields.ts";
import { collisionOf, Ownership, type Reason } from "./ownership.ts";
import type { Subgraph } from "./subgraph.ts";

export type { Reason } from "./ownership.ts";

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
    const { subgraphs, rejected, newest, taker } = choose(incumbents, candidates, heldBack);
    if (taker) {
      heldBack.set(taker.candidate, taker.reason);
      continue;
    }
    const { schema, failed } = stitchMost(subgraphs, newest);
    const failedNewest = [...newest].flatMap(([subgraph, candidate]) => {
      const reason = failed.get(subgraph);
      return reason ? [{ candidate, reason }] : [];
    });
    if (failedNewest.length === 0) {
      // What was in the graph fails where a service is gone whose types completed its own.
      for (const [{ name }, reason] of failed) rejected.set(name, reason);
      return { schema, subgraphs: subgraphs.filter((subgraph) => !failed.has(subgraph)), rejected };
    }
    for (const { candidate, reason } of failedNewest) heldBack.set(candidate, reason);
  }
}

interface Choice {
  readonly subgraphs: readonly Subgraph[];
  readonly rejected: Map<string, Reason>;
  /** Those of `subgraphs` that are new. */
  readonly newest: ReadonlyMap<Subgraph, Candidate>;
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
      return { subgraphs: graph.subgraphs, rejected, newest, taker };
    }
    if (previous) graph.add(previous);
  }
  return { subgraphs: graph.subgraphs, rejected, newest, taker: undefined };
}

interface Stitched {
  readonly schema: GraphQLSchema;
  /** What stitching fails with. */
  readonly failed: ReadonlyMap<Subgraph, Reason>;
}

/** Stitches everything; where that fails, as much as goes together, what was in the graph before what is new. */
function stitchMost(subgraphs: readonly Subgraph[], newest: ReadonlyMap<Subgraph, Candidate>): Stitched {
  const kept: Subgraph[] = [];
  const failed = new Map<Subgraph, Reason>();
  let schema: GraphQLSchema | undefined;
  const add = (group: readonly Subgraph[]): void => {
    try {
      schema = stitched([...kept, ...group]);
      kept.push(...group);
    } catch (cause) {
      const [first] = group;
      if (group.length > 1) {
        const inOrder = [...group].sort((a, b) => Number(newest.has(a)) - Number(newest.has(b)));
        const middle = group.length >> 1;
        add(inOrder.slice(0, middle));
        add(inOrder.slice(middle));
      } else if (first) {
        failed.set(first, { code: "COMPOSITION_FAILED", message: messageOf(cause) });
      }
    }
  };
  add(subgraphs);
  if (!schema) throw new Error("no service's schema can be stitched");
  return { schema, failed };
}

function stitched(subgraphs: readonly Subgraph[]): GraphQLSchema {
  const schema = stitchSchemas({
    subschemas: subgraphs.map(({ config }) => config),
    resolvers: mergedFieldResolvers(subgraphs),
    // Fields that meet here are the same: Ownership has seen to it.
    typeMergingOptions: { validationSettings: { validationLevel: ValidationLevel.Off } },
  });
  const [problem] = validateSchema(schema);
  if (problem) throw problem;
  return schema;
}
