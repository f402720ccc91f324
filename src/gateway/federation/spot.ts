/**
 * The planner's working state: positions in the answer, and what is asked for there in which request.
 * Knows how asked fields are named; nothing of which subgraph has them.
 */
import type { SelectionSetNode, TypeNode } from "graphql";
import { print } from "graphql";
import type { EntityFetch, RepresentationField, Segment, Selected, Selection } from "./plan.ts";
import { signature, type Want } from "./wants.ts";

/** A request's part while it is being planned. */
export interface DraftFetch {
  readonly graph: string;
  readonly selection: Selection;
  readonly entity: (Omit<EntityFetch, "fields"> & { readonly fields: RepresentationField[] }) | undefined;
  /** What has to be answered before it is asked. */
  readonly after: Set<DraftFetch>;
}

/** A way to ask for fields of a spot's objects: the objects as one request has them. */
export interface Context {
  readonly graph: string;
  readonly fetch: DraftFetch;
  readonly selection: Selection;
  /** The type condition within the selection: the objects' type, or the interface that they are to the subgraph. */
  readonly branch: string;
  /** External fields that the subgraph answers here all the same. */
  readonly provided: readonly SelectionSetNode[];
  /** What the representation has beyond its key; empty where nothing. */
  readonly requires: string;
}

/** Objects of one type at one position. */
export class Spot {
  /** Of the objects; an interface's name where the type does not matter or is not known. */
  readonly type: string;
  readonly path: readonly Segment[];
  readonly contexts: Context[] = [];
  /** What has to be answered before the objects are known to be of the type. */
  readonly after = new Set<DraftFetch>();
  /** The subgraphs that could have given the objects; undefined: any. */
  readonly holders: ReadonlySet<string> | undefined;
  readonly #client: ReadonlyMap<string, Want>;
  /** Name in the gathered object → what it stands for. */
  readonly #names = new Map<string, string>();
  readonly #below = new Map<string, Map<string, Spot>>();

  constructor(
    type: string,
    path: readonly Segment[],
    client: ReadonlyMap<string, Want>,
    holders?: ReadonlySet<string>,
  ) {
    this.type = type;
    this.holders = holders;
    this.path = path;
    this.#client = client;
    for (const want of client.values()) this.#names.set(want.key, signature(want));
  }

  /** The spot below a field, for objects of one type. */
  below(key: string, type: string, holders?: ReadonlySet<string>): Spot {
    const spots = this.#below.get(key) ?? new Map<string, Spot>();
    this.#below.set(key, spots);
    const known = spots.get(type);
    if (known) return known;
    const path = [...this.path, { type: this.type, key }];
    const spot = new Spot(type, path, this.#client.get(key)?.below?.of(type) ?? new Map(), holders);
    spots.set(type, spot);
    return spot;
  }

  /** The spots below a field, one for each type that its objects may have. */
  spotsBelow(key: string): Spot[] {
    return [...(this.#below.get(key)?.values() ?? [])];
  }

  /** The name under which something that the client may not have asked for is gathered. */
  hiddenKey(want: Pick<Want, "name" | "args">): string {
    const wanted = signature(want);
    for (const [key, held] of this.#names) if (held === wanted) return key;
    let key = want.name;
    for (let n = 1; this.#names.has(key); n++) key = `_${want.name}_${n}`;
    this.#names.set(key, wanted);
    return key;
  }
}

/** Adds a field to what is asked under a condition, under a name that no other type's field of the name contradicts. */
export function select(
  selection: Selection,
  branch: string,
  { key, name, args }: Want,
  type: TypeNode,
  below: () => Selection | undefined,
): Selected {
  const fields = selection.branches.get(branch) ?? new Map<string, Selected>();
  selection.branches.set(branch, fields);
  for (const asked of fields.values()) if (asked.key === key) return asked;
  const typeText = print(type);
  const contradicts = (alias: string) =>
    [...selection.branches.values()].some((others) => {
      const other = others.get(alias);
      return other !== undefined && print(other.type) !== typeText;
    });
  let alias = key;
  for (let n = 1; contradicts(alias); n++) alias = `_${branch}_${key}_${n}`;
  const selected: Selected = { alias, key, name, args, type, selection: below() };
  fields.set(alias, selected);
  return selected;
}

/** What tells one way to enter an entity from another. */
export function requirementOf(requires: SelectionSetNode | undefined): string {
  return requires ? print(requires) : "";
}
