/**
 * What can be had for objects from where, and how many requests that takes.
 * Knows the supergraph and which subgraphs have been asked for the objects; changes nothing.
 */
import { type FieldNode, Kind, type SelectionNode, type SelectionSetNode } from "graphql";
import { type Key, namedTypeOf, type Override, type Source } from "./join-directives.ts";
import { type Context, requirementOf } from "./spot.ts";
import type { Supergraph } from "./supergraph.ts";

/** A subgraph that has been asked for the objects. */
export type Origin = Pick<Context, "graph" | "branch" | "provided" | "requires">;

/** Objects of one type, and who has been asked for them. */
export interface View {
  readonly type: string;
  readonly origins: readonly Origin[];
}

/** A way to ask another subgraph for a field. */
export interface Jump {
  readonly graph: string;
  readonly source: Source;
  /** The type that the subgraph is asked for: the objects', or an interface that they are to it. */
  readonly typename: string;
  /** Absent for a root type, which needs none. */
  readonly key: Key | undefined;
  /** How many more requests it takes, this one included. */
  readonly cost: number;
}

/** Stands for the question itself, where entities came with it. */
export const SUPPLIED = "";
const PLAIN = { isExternal: false, requires: undefined, provides: undefined, override: undefined };

const IMPOSSIBLE = Number.POSITIVE_INFINITY;
/** Longer chains of keys than this are not followed. */
const MAX_JUMPS = 8;

export class Reach {
  readonly #supergraph: Supergraph;
  readonly #isInForce: (override: Override) => boolean;

  constructor(supergraph: Supergraph, isInForce: (override: Override) => boolean) {
    this.#supergraph = supergraph;
    this.#isInForce = isInForce;
  }

  /** Where the field comes from if it is asked for right there. */
  local({ graph, branch, provided, requires }: Origin, field: string): Source | undefined {
    if (graph === SUPPLIED) return this.#supplied(provided, branch, field);
    const source = this.#supergraph.source(branch, field, graph);
    if (!source || !this.#holds(source)) return undefined;
    if (source.requires && requires !== requirementOf(source.requires)) return undefined;
    if (source.isExternal && !provided.some((set) => this.#find(set, branch, field).length > 0))
      return undefined;
    return source;
  }

  /** A field of an entity that came with the question. */
  #supplied(provided: readonly SelectionSetNode[], type: string, field: string): Source | undefined {
    const fieldType = this.#supergraph.fieldType(type, field);
    if (!fieldType || !provided.some((set) => this.#find(set, type, field).length > 0)) return undefined;
    return { ...PLAIN, graph: SUPPLIED, type: fieldType };
  }

  /** What a field's objects are provided with, by what the field says and by what its own object was provided with. */
  providedBelow(origin: Origin, field: string, source: Source): readonly SelectionSetNode[] {
    const below = origin.provided.flatMap((set) =>
      this.#find(set, origin.branch, field).flatMap(({ selectionSet }) => selectionSet ?? []),
    );
    return source.provides ? [...below, source.provides] : below;
  }

  /** The subgraphs that could answer the field for objects that any of `holders` could have given. */
  holders(
    { type, holders }: { type: string; holders: ReadonlySet<string> | undefined },
    field: string,
  ): Set<string> {
    const found = new Set<string>();
    for (const source of this.#supergraph.sources(type, field)) {
      const { graph, isExternal } = source;
      const isHolder = !holders || holders.has(graph) || this.#supergraph.keys(type, graph).length > 0;
      if (!isExternal && isHolder && this.#holds(source)) found.add(graph);
    }
    return found;
  }

  /**
   * The types that objects of a field of this type are asked as. Of a union whose members differ between the
   * subgraphs that could answer (`holders`), those that all of them know: who answers makes no difference to clients.
   */
  typesBelow(graph: string, type: string, holders?: ReadonlySet<string>): readonly string[] {
    if (graph === SUPPLIED) return this.#supergraph.possibleTypes(type);
    if (this.#supergraph.isInterfaceObject(type, graph)) return [type];
    const types = this.#supergraph.possibleTypesIn(graph, type);
    if (types.length === 0) return [type];
    if (!holders || !this.#supergraph.isUnion(type)) return types;
    const others = [...holders].filter((holder) => this.#supergraph.hasType(type, holder));
    return types.filter((each) =>
      others.every((other) => this.#supergraph.possibleTypesIn(other, type).includes(each)),
    );
  }

  /** The ways to a field that none of the objects' subgraphs has, the shortest first. */
  jumps(view: View, field: string, excluded: ReadonlySet<string> = new Set(), depth = 0): Jump[] {
    if (depth >= MAX_JUMPS) return [];
    const jumps: Jump[] = [];
    for (const typename of this.#entryTypes(view.type)) {
      for (const source of this.#supergraph.sources(typename, field)) {
        const { graph, isExternal, requires } = source;
        if (isExternal || !this.#holds(source)) continue;
        if (typename !== view.type && !this.#supergraph.isInterfaceObject(typename, graph)) continue;
        const id = `${graph} ${typename} ${requirementOf(requires)}`;
        if (excluded.has(id)) continue;
        const without = new Set([...excluded, id]);
        const required = requires ? this.cost(view, requires, without, depth + 1) : 0;
        if (required === IMPOSSIBLE) continue;
        const best = this.entry(view, graph, typename, without, depth);
        if (best) jumps.push({ graph, source, typename, key: best.key, cost: 1 + required + best.cost });
      }
    }
    return jumps.sort((a, b) => a.cost - b.cost);
  }

  /** The cheapest key by which the subgraph can be asked for the objects as this type. */
  entry(
    view: View,
    graph: string,
    typename: string,
    excluded: ReadonlySet<string>,
    depth = 0,
  ): { key: Key | undefined; cost: number } | undefined {
    if (this.#supergraph.isRoot(typename)) return { key: undefined, cost: 0 };
    let best: { key: Key; cost: number } | undefined;
    for (const key of this.#supergraph.keys(typename, graph)) {
      const cost = this.cost(view, key.fields, excluded, depth + 1);
      if (cost < (best?.cost ?? IMPOSSIBLE)) best = { key, cost };
    }
    return best;
  }

  /** How many more requests the fields take; infinite where they cannot be had. */
  cost(view: View, set: SelectionSetNode, excluded: ReadonlySet<string>, depth = 0): number {
    let sum = 0;
    for (const node of this.#fieldsOf(set.selections, view.type)) {
      sum += this.#fieldCost(view, node, excluded, depth);
      if (sum === IMPOSSIBLE) return IMPOSSIBLE;
    }
    return sum;
  }

  #fieldCost(view: View, node: FieldNode, excluded: ReadonlySet<string>, depth: number): number {
    const field = node.name.value;
    if (field === "__typename") return 0;
    let best = IMPOSSIBLE;
    for (const origin of view.origins) {
      const source = this.local(origin, field);
      if (source) best = Math.min(best, this.#costBelow(origin, source, node, excluded, depth));
      if (best === 0) return 0;
    }
    for (const jump of best === IMPOSSIBLE ? this.jumps(view, field, excluded, depth) : []) {
      const { graph, typename, source, cost } = jump;
      const origin = { graph, branch: typename, provided: [], requires: requirementOf(source.requires) };
      best = Math.min(best, cost + this.#costBelow(origin, source, node, excluded, depth + 1));
    }
    return best;
  }

  #costBelow(
    origin: Origin,
    source: Source,
    { name, selectionSet }: FieldNode,
    excluded: ReadonlySet<string>,
    depth: number,
  ): number {
    if (!selectionSet) return 0;
    const provided = this.providedBelow(origin, name.value, source);
    const { graph } = origin;
    const costs = this.typesBelow(graph, namedTypeOf(source.type)).map((type) =>
      this.cost(
        { type, origins: [{ graph, branch: type, provided, requires: "" }] },
        selectionSet,
        excluded,
        depth,
      ),
    );
    return Math.max(0, ...costs);
  }

  /** The types under which subgraphs may know an object of this type. */
  #entryTypes(type: string): readonly string[] {
    return [type, ...this.#supergraph.interfacesOf(type)];
  }

  #holds({ override }: Source): boolean {
    return !override || this.#isInForce(override) === override.whenInForce;
  }

  #find(set: SelectionSetNode, type: string, field: string): FieldNode[] {
    return this.#fieldsOf(set.selections, type).filter((node) => node.name.value === field);
  }

  /** The fields asked of an object of the type, those in fragments that cover it among them. */
  #fieldsOf(selections: readonly SelectionNode[], type: string): FieldNode[] {
    return selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      if (node.kind !== Kind.INLINE_FRAGMENT) return [];
      const condition = node.typeCondition?.name.value ?? type;
      return this.#supergraph.covers(condition, type)
        ? this.#fieldsOf(node.selectionSet.selections, type)
        : [];
    });
  }
}
