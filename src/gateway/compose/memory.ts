/**
 * What compositions are made of, each part made once: what did not change is not composed again.
 * Knows parts by identity; nothing of why they are tried together.
 */
import { setImmediate } from "node:timers/promises";
import type { GraphQLSchema } from "graphql";
import { composeSupergraph } from "../federation/compose-supergraph.ts";
import { type Composed, Group, type Member } from "../federation/group.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { GraphSchemas } from "./graph-schema.ts";
import { type Island, makeIsland } from "./island.ts";
import type { IslandParts } from "./islands.ts";

export interface Memory {
  /** Throws what composing the federated services fails with, or Unready where that takes a while. */
  group(members: readonly Member[]): Group;
  /** Throws what stitching fails with. */
  island(parts: IslandParts, members: readonly Subgraph[]): Island;
  join(islands: readonly Island[]): GraphQLSchema;
  /** A composition is done: of what it tried, only the latest is kept. */
  settle(): void;
  /** Builds the island that the service is if it is one for itself. */
  prepare(subgraph: Subgraph): void;
}

/** Composes federated services elsewhere. */
export interface Elsewhere {
  /** Rejects with what composing fails with. */
  compose(members: readonly Member[]): Promise<Composed>;
  /** Whether composing may take a while: not before there is somebody to serve meanwhile. */
  isAllowed(): boolean;
}

/** Part of a composition is being made; it can be tried again when `ready` resolves. */
export class Unready extends Error {
  readonly ready: Promise<void>;

  constructor(ready: Promise<void>) {
    super("the federated services are being composed");
    this.ready = ready;
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

interface Known<T> {
  readonly key: readonly unknown[];
  readonly outcome: Outcome<T>;
}

/** Of one service or of the federated ones: what is in the graph, and what was tried beside it. */
const REMEMBERED = 4;
/**
 * A composition that waits for federated services begins anew with each of the sets that it tries, so all of them are
 * kept until it is done. Where it tries more than this it cannot come to an end, and is given up.
 */
const MOST_TRIED = 500;

/** Without `elsewhere`, everything is made at once. */
export function compositionMemory(elsewhere?: Elsewhere): Memory {
  const groups: Known<Group>[] = [];
  /** By the first part, so that what nobody has any more is forgotten. */
  const islands = new WeakMap<object, Known<Island>[]>();
  const schemas = new GraphSchemas();
  const memory: Memory = {
    group(members) {
      if (elsewhere?.isAllowed() && !isKnown(groups, members)) {
        if (groups.length >= MOST_TRIED)
          throw new Error(`${MOST_TRIED} sets of federated services were tried`);
        const made = elsewhere.compose(members).then(
          (composed) => () => new Group(composed, members),
          (error: unknown) => () => {
            throw error;
          },
        );
        throw new Unready(
          made.then(async (make) => {
            // Requests are served between reading what came, building from it, and composing with it.
            await setImmediate();
            remember(groups, members, make);
            await setImmediate();
          }),
        );
      }
      return recall(groups, members, () => new Group(composeSupergraph(members), members), MOST_TRIED);
    },
    island(parts, members) {
      const { subgraphs, group } = parts;
      const key = [group, ...subgraphs];
      const first = group ?? subgraphs[0] ?? parts;
      const known = islands.get(first) ?? [];
      islands.set(first, known);
      return recall(known, key, () => makeIsland(parts, members), REMEMBERED);
    },
    join: (all) => schemas.join(all.map(({ shown }) => shown)),
    settle() {
      groups.splice(REMEMBERED);
    },
    prepare(subgraph) {
      const { document, mergeable } = subgraph;
      if (document || mergeable.size > 0) return;
      try {
        memory.island({ subgraphs: [subgraph], group: undefined }, []);
      } catch {
        // It is remembered, and becomes the reason when the graph is composed.
      }
    },
  };
  return memory;
}

/** The latest used are first, and the others go. */
function recall<T>(known: Known<T>[], key: readonly unknown[], make: () => T, most: number): T {
  const at = known.findIndex((each) => isSame(each.key, key));
  const found = known[at] ?? { key, outcome: attempt(make) };
  if (at >= 0) known.splice(at, 1);
  known.unshift(found);
  known.splice(most);
  if ("error" in found.outcome) throw found.outcome.error;
  return found.outcome.value;
}

function isKnown<T>(known: readonly Known<T>[], key: readonly unknown[]): boolean {
  return known.some((each) => isSame(each.key, key));
}

function remember<T>(known: Known<T>[], key: readonly unknown[], make: () => T): void {
  known.unshift({ key, outcome: attempt(make) });
}

function attempt<T>(make: () => T): Outcome<T> {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}
