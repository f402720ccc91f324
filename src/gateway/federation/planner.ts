/**
 * Plans an operation over federated subgraphs: each field is asked of a subgraph that has been asked for its object
 * already, or of one that can be entered by a key that is to be had.
 * Knows the supergraph; nothing of variables' values, of requests, or of answers.
 */
import { Kind, type OperationTypeNode, type SelectionSetNode } from "graphql";
import { namedTypeOf, type Override } from "./join-directives.ts";
import type { RepresentationField, Selection } from "./plan.ts";
import { Preference, viewOf } from "./preference.ts";
import { type Jump, Reach, SUPPLIED } from "./reach.ts";
import { type Context, type DraftFetch, requirementOf, Spot, select } from "./spot.ts";
import type { Supergraph } from "./supergraph.ts";
import {
  type SelectionOptions,
  SelectionWants,
  SomeWants,
  signature,
  type Want,
  type Wants,
} from "./wants.ts";

/** No subgraph can be asked for something that the operation wants. */
export class Unplannable extends Error {}

type WantMap = ReadonlyMap<string, Want>;
type Unmet = Map<string, Want>;

/** More parts than any sensible operation has; only a document made for that needs them. */
const MAX_FETCHES = 1_000;
const NO_KEYS: ReadonlySet<string> = new Set();

export class Planner {
  readonly fetches: DraftFetch[] = [];
  readonly #supergraph: Supergraph;
  readonly #reach: Reach;
  readonly #preference: Preference;
  readonly options: SelectionOptions;
  /** Those that supplied what is being realized. */
  #suppliers = new Set<DraftFetch>();

  constructor(options: SelectionOptions, isInForce: (override: Override) => boolean) {
    this.#supergraph = options.supergraph;
    this.options = options;
    this.#reach = new Reach(options.supergraph, isInForce);
    this.#preference = new Preference(this.#reach);
  }

  /** Plans root fields; what a subgraph is asked comes after `after`. Throws Unplannable. */
  planRoot(operation: OperationTypeNode, wants: WantMap, after: ReadonlySet<DraftFetch>): void {
    const type = this.#supergraph.roots[operation];
    const root = new Spot(type, [], wants);
    for (const fetch of after) root.after.add(fetch);
    const unmet = this.#meet(root, wants);
    const [missing] = unmet.values();
    if (missing) throw new Unplannable(`${type}.${missing.name} can be had from no service.`);
  }

  /** Plans what is wanted of entities that came with the question, of which `supplied` is known. Throws Unplannable. */
  planEntities(root: WantMap, key: string, supplied: ReadonlyMap<string, SelectionSetNode>): void {
    const query = new Spot(this.#supergraph.roots.query, [], root);
    for (const [type, known] of supplied) {
      const spot = query.below(key, type);
      const selection = this.#newSelection(SUPPLIED, type);
      const fetch: DraftFetch = { graph: SUPPLIED, selection, entity: undefined, after: new Set() };
      spot.contexts.push({
        graph: SUPPLIED,
        fetch,
        selection,
        branch: type,
        provided: [known],
        requires: "",
      });
      const [missing] = this.#meet(spot, root.get(key)?.below?.of(type) ?? new Map()).values();
      if (missing) throw new Unplannable(`${type}.${missing.name} can be had from no service.`);
    }
  }

  /** Asks for what is wanted of a spot's objects. Returns what cannot be had. */
  #meet(spot: Spot, wants: WantMap): Unmet {
    const unmet: Unmet = new Map();
    const elsewhere: Want[] = [];
    for (const wanted of wants.values()) {
      if (wanted.name === "__typename") continue;
      const want = wanted.isInternal ? { ...wanted, key: spot.hiddenKey(wanted) } : wanted;
      const context = this.#preference.local(spot, want);
      if (!context) elsewhere.push(want);
      else this.#meetOne(spot, want, context, unmet);
    }
    for (const want of this.#preference.byCoverage(spot, elsewhere))
      this.#meetOne(spot, want, undefined, unmet);
    return unmet;
  }

  /** Asks for one field, of one subgraph after the other until all that is wanted below it is met. */
  #meetOne(spot: Spot, want: Want, first: Context | undefined, unmet: Unmet): void {
    let rest: Want | undefined = want;
    const asked = new Set<Context>();
    let next = first;
    while (rest) {
      if (!next) next = this.#preference.local(spot, rest, asked) ?? this.#jump(spot, rest, asked);
      if (!next) break;
      asked.add(next);
      rest = this.#take(spot, next, rest, asked.size > 1);
      next = undefined;
    }
    if (rest) unmet.set(rest.key, rest);
  }

  /** Asks a further subgraph for the spot's objects, one that has the field. */
  #jump(spot: Spot, want: Want, asked: ReadonlySet<Context>): Context | undefined {
    const best = this.#preference.jump(spot, want, asked);
    return best && this.#enter(spot, best);
  }

  #enter(spot: Spot, { graph, typename, key, source }: Omit<Jump, "cost">): Context {
    const requires = requirementOf(source.requires);
    const after = new Set(spot.after);
    const fields: RepresentationField[] = [];
    const { path, type } = spot;
    const field = key && this.options.entityField?.(graph, typename, key.text);
    const keyNames = key?.fields.selections.flatMap((node) =>
      "name" in node ? (node.name?.value ?? []) : [],
    );
    const entity = key &&
      keyNames && { typename, path, type, fields, key: key.text, keyNames, field, alias: "" };
    const fetch: DraftFetch = { graph, selection: this.#newSelection(graph, typename), entity, after };
    for (const set of [key?.fields, source.requires]) {
      if (!set) continue;
      const { fields: supplied, suppliers } = this.#supply(spot, set);
      fields.push(...supplied);
      for (const supplier of suppliers) after.add(supplier);
    }
    if (this.fetches.push(fetch) > MAX_FETCHES)
      throw new Unplannable("The operation asks for too much at once.");
    const context = { graph, fetch, selection: fetch.selection, branch: typename, provided: [], requires };
    spot.contexts.push(context);
    return context;
  }

  /** Sees to it that the fields of a key or a requirement are gathered. */
  #supply(spot: Spot, set: SelectionSetNode): { fields: RepresentationField[]; suppliers: Set<DraftFetch> } {
    const outer = this.#suppliers;
    this.#suppliers = new Set();
    const wants = new SelectionWants([{ type: spot.type, set }], { ...this.options, isInternal: true });
    const fields = this.#supplyWants(spot, wants);
    const suppliers = this.#suppliers;
    this.#suppliers = outer;
    for (const supplier of suppliers) outer.add(supplier);
    return { fields, suppliers };
  }

  #supplyWants(spot: Spot, wants: Wants): RepresentationField[] {
    const [missing] = this.#meet(spot, wants.of(spot.type)).values();
    if (missing) throw new Unplannable(`${spot.type}.${missing.name} can be had from no service.`);
    return this.#representation(spot, wants);
  }

  #representation(spot: Spot, wants: Wants): RepresentationField[] {
    return [...wants.of(spot.type).values()].flatMap((want): RepresentationField[] => {
      const { name, below } = want;
      if (name === "__typename") return [];
      const key = spot.hiddenKey(want);
      if (!below) return [{ name, key, types: undefined, below: undefined, withTypename: false }];
      const spots = spot.spotsBelow(key);
      const fields = spots.flatMap((deeper) => {
        const types = spots.length > 1 && this.#supergraph.isObject(deeper.type) ? [deeper.type] : undefined;
        return this.#representation(deeper, below).map((field) => ({ ...field, types }));
      });
      return [{ name, key, types: undefined, below: fields, withTypename: spots.length > 1 }];
    });
  }

  /** Asks for the field there. `again`: it was asked of another subgraph before. Returns what is still wanted. */
  #take(spot: Spot, context: Context, want: Want, again: boolean): Want | undefined {
    const source = this.#reach.local(context, want.name);
    if (!source) return want;
    this.#suppliers.add(context.fetch);
    const { graph, fetch } = context;
    const { below } = want;
    const type = namedTypeOf(source.type);
    const selected = select(context.selection, context.branch, want, source.type, () =>
      below ? this.#newSelection(graph, type) : undefined,
    );
    const { selection } = selected;
    if (!below || !selection) return undefined;
    const provided = this.#reach.providedBelow(context, want.name, source);
    const holders = this.#reach.holders(spot, want.name);
    const branches = this.#reach.typesBelow(graph, type, holders);
    const originOf = (branch: string) => ({ graph, branch, provided, requires: "" });
    const barred = again ? this.#preference.barred(branches, below, originOf) : NO_KEYS;
    const unmet = new Map<string, WantMap>();
    for (const branch of branches) {
      const deeper = spot.below(want.key, branch, holders);
      for (const each of spot.after) deeper.after.add(each);
      if (!deeper.contexts.some((known) => known.selection === selection))
        deeper.contexts.push({ ...originOf(branch), fetch, selection });
      const wanted = [...below.of(branch)];
      const missing = this.#isUnknown(deeper, graph, below)
        ? this.#meetOnceKnown(spot, want, deeper)
        : new Map([[branch, this.#meet(deeper, new Map(wanted.filter(([key]) => !barred.has(key))))]]);
      for (const [each, wants] of missing) if (wants.size > 0) unmet.set(each, wants);
      const kept = wanted.filter(([key]) => barred.has(key));
      if (kept.length > 0) unmet.set(branch, new Map([...kept, ...(unmet.get(branch) ?? [])]));
    }
    return unmet.size > 0 ? { ...want, below: stillWanted(below, unmet) } : undefined;
  }

  #newSelection(graph: string, type: string): Selection {
    const typename = this.#supergraph.isObject(type) ? type : undefined;
    const isAbstract = typename === undefined && !this.#supergraph.isInterfaceObject(type, graph);
    return { type, isAbstract, typename, branches: new Map() };
  }

  /** Whether the subgraph has the objects as an interface's, and what is wanted depends on what they are. */
  #isUnknown(spot: Spot, graph: string, wants: Wants): boolean {
    if (!this.#supergraph.isInterfaceObject(spot.type, graph)) return false;
    const asInterface = wants.of(spot.type);
    if (asInterface.has("__typename")) return true;
    for (const want of asInterface.values())
      if (!this.#supergraph.hasField(spot.type, want.name)) return true;
    return this.#supergraph.possibleTypes(spot.type).some((type) => {
      const asObject = wants.of(type);
      return (
        !this.#supergraph.isInaccessible(type) &&
        (asObject.size !== asInterface.size ||
          [...asObject].some(([key, want]) => {
            const other = asInterface.get(key);
            return !other || signature(other) !== signature(want);
          }))
      );
    });
  }

  /** Asks a subgraph that has the interface what the objects are, and then for what is wanted of them. */
  #meetOnceKnown(parent: Spot, { key, below }: Want, spot: Spot): Map<string, WantMap> {
    const interfaceName = spot.type;
    const unmet = new Map<string, WantMap>();
    if (!below) return unmet;
    for (const graph of this.#supergraph.graphsOf(interfaceName)) {
      if (this.#supergraph.isInterfaceObject(interfaceName, graph)) continue;
      const entry = this.#reach.entry(viewOf(spot), graph, interfaceName, new Set());
      if (!entry?.key) continue;
      const plain = {
        graph,
        isExternal: false,
        requires: undefined,
        provides: undefined,
        override: undefined,
      };
      const source = {
        ...plain,
        type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: interfaceName } },
      } as const;
      const known = spot.contexts.find((context) => context.graph === graph);
      const context = known ?? this.#enter(spot, { graph, typename: interfaceName, key: entry.key, source });
      for (const type of this.#supergraph.possibleTypesIn(graph, interfaceName)) {
        const deeper = parent.below(key, type);
        deeper.after.add(context.fetch);
        for (const each of [
          { ...context, branch: type },
          ...spot.contexts.filter((other) => other !== context),
        ])
          if (!deeper.contexts.some((held) => held.selection === each.selection)) deeper.contexts.push(each);
        const missing = this.#meet(deeper, below.of(type));
        if (missing.size > 0) unmet.set(type, missing);
      }
      return unmet;
    }
    for (const type of this.#supergraph.possibleTypes(interfaceName)) unmet.set(type, below.of(type));
    if (unmet.size === 0) unmet.set(interfaceName, below.of(interfaceName));
    return unmet;
  }
}

/**
 * What is to be asked for elsewhere. A field that was asked of an abstract type is asked of all its types again: the
 * objects of one position come from one subgraph.
 */
function stillWanted(wants: Wants, unmet: ReadonlyMap<string, WantMap>): Wants {
  const exploded = new Set<string>();
  for (const missing of unmet.values())
    for (const [key, want] of missing) if (want.isOfAbstract) exploded.add(key);
  if (exploded.size === 0) return new SomeWants(unmet);
  return {
    of(type) {
      const missing = unmet.get(type);
      const all = [...wants.of(type)].filter(([key, want]) => want.isOfAbstract && exploded.has(key));
      return new Map([...all, ...(missing ?? [])]);
    },
  };
}
