/**
 * A plan read the other way round: for each position of the answer, which requests give its objects and their fields.
 * Knows plans; nothing of what clients see or of how code is made of it.
 */
import type { TypeNode } from "graphql";
import type { EntityFetch, Fetch, Plan, Selection } from "../federation/plan.ts";
import { Uncompilable } from "./uncompilable.ts";

/** What one part of a request gives to the objects of a position. */
export interface Source {
  /** The part that asks for the objects as entities; undefined: they are part of the answer that they are found in. */
  readonly entry: Entry | undefined;
  readonly selection: Selection;
}

/** Where a field of a position's objects is to be read. */
export interface Asked {
  readonly from: { readonly source: Source; readonly alias: string }[];
  readonly type: TypeNode;
  /** The position below. */
  below: Place | undefined;
}

/** One step from an upstream object to those below it. */
export interface Step {
  readonly alias: string;
  readonly type: TypeNode;
  /** Of the objects that the step is made from, only those of this type have what is stepped to; undefined: all. */
  readonly condition: string | undefined;
}

/** A position in the answer. */
export class Place {
  readonly id: number;
  /** The part of a request in whose answer the objects are found, and the way to them from its root or its entities. */
  readonly owner: Part;
  readonly steps: readonly Step[];
  readonly base: Source;
  /** The entries here, in the order of the plan. */
  readonly entries: Entry[] = [];
  readonly #asked = new Map<string, Map<string, Asked>>();

  constructor(id: number, owner: Part, steps: readonly Step[], base: Source) {
    this.id = id;
    this.owner = owner;
    this.steps = steps;
    this.base = base;
  }

  /** What objects of the type are asked for under the key: as that type, or as what they are to a subgraph. */
  asked(type: string, key: string): Asked | undefined {
    const own = this.#asked.get(type)?.get(key);
    if (own) return own;
    for (const { selection } of [this.base, ...this.entries.map(({ source }) => source)]) {
      const asked = selection.type === type ? undefined : this.#asked.get(selection.type)?.get(key);
      if (asked) return asked;
    }
    return undefined;
  }

  /** The entry for `asked` under a condition, made where there is none. */
  ask(condition: string, key: string, type: TypeNode): Asked {
    const fields = this.#asked.get(condition) ?? new Map<string, Asked>();
    this.#asked.set(condition, fields);
    const asked = fields.get(key) ?? { from: [], type, below: undefined };
    fields.set(key, asked);
    return asked;
  }

  /** The type, where `__typename` has to say whether an object here is of it. */
  conditionFor(type: string): string | undefined {
    return conditionIn(this.base.selection, type);
  }
}

/** A part of a plan's request. */
export interface Part {
  readonly id: number;
  /** The request's position in the plan. */
  readonly call: number;
  readonly fetch: Fetch;
}

/** A part that asks for entities, with the position whose objects it asks for. */
export interface Entry extends Part {
  readonly entity: EntityFetch;
  readonly place: Place;
  readonly source: Source;
}

/** The property in which an object has the entity that an entry got for it; no name of GraphQL's. */
export function attachedName({ id }: Part): string {
  return `$${id}`;
}

export interface Layout {
  /** The positions of the root: of one for each request that asks for root fields. */
  readonly roots: readonly { readonly part: Part; readonly place: Place }[];
  /** Of each request, its parts. */
  readonly entries: readonly (readonly Entry[])[];
  /** The parts in whose answers there are objects to be asked for as entities. */
  readonly owners: ReadonlySet<Part>;
}

/** Code for more than this takes longer to be made than the interpreter needs for some answers. */
const MOST_PLACES = 1_000;

/** Throws Uncompilable. */
export function layout(plan: Plan): Layout {
  const roots: { part: Part; place: Place }[] = [];
  const entries: Entry[][] = plan.calls.map(() => []);
  let parts = 0;
  let places = 0;

  const take = (place: Place, owner: Part, steps: readonly Step[], source: Source): void => {
    for (const [condition, fields] of source.selection.branches) {
      for (const { key, alias, type, selection } of fields.values()) {
        if (key === "__proto__" || alias === "__proto__")
          throw new Uncompilable("name with a meaning in JavaScript");
        const asked = place.ask(condition, key, type);
        asked.from.push({ source, alias });
        if (!selection) continue;
        if (asked.below) throw new Uncompilable("one position of several services");
        if (!selection.isAbstract && selection.typename === undefined)
          throw new Uncompilable("interface object");
        const step = { alias, type, condition: conditionIn(source.selection, condition) };
        const base = { entry: undefined, selection };
        if (places === MOST_PLACES) throw new Uncompilable("document too long");
        asked.below = new Place(places++, owner, [...steps, step], base);
        take(asked.below, owner, [...steps, step], base);
      }
    }
  };

  for (const [call, { fetches }] of plan.calls.entries()) {
    for (const fetch of fetches) {
      const part: Part = { id: parts++, call, fetch };
      const { entity, selection } = fetch;
      if (!entity) {
        const base = { entry: undefined, selection };
        const place = new Place(places++, part, [], base);
        roots.push({ part, place });
        take(place, part, [], base);
        continue;
      }
      const place = find(roots, entity);
      const source = { selection } as { selection: Selection; entry: Entry };
      const entry: Entry = { ...part, entity, place, source };
      source.entry = entry;
      place.entries.push(entry);
      entries[call]?.push(entry);
      take(place, entry, [], source);
    }
  }
  return { roots, entries, owners: new Set(entries.flat().map(({ place }) => place.owner)) };
}

function conditionIn({ isAbstract, type }: Selection, condition: string): string | undefined {
  return isAbstract && condition !== type ? condition : undefined;
}

/** The position of an entity fetch, which is below what was planned before it. */
function find(roots: Layout["roots"], { path }: EntityFetch): Place {
  const [first, ...rest] = path;
  let place = first && roots.map(({ place }) => place.asked(first.type, first.key)?.below).find(Boolean);
  for (const { type, key } of rest) place = place?.asked(type, key)?.below;
  if (!place) throw new Uncompilable("interface object");
  return place;
}
