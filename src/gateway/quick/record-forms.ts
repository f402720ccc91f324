/**
 * How the objects of services' answers are read where their text is to go on: which fields stay text, in runs that the
 * client gets as they came, and which are kept apart, as keys and as objects that others' answers are put into.
 * Knows positions and the answer's shape; nothing of how code is made of it.
 */
import { type GraphQLOutputType, type GraphQLSchema, isAbstractType, Kind, typeFromAST } from "graphql";
import type { Plan, RepresentationField, Selected } from "../federation/plan.ts";
import { type Asked, attachedName, type Layout, type Place, type Source } from "./places.ts";
import type { Shape, ShapeField } from "./shape.ts";

/** One position of the client's answer as one service has a part of it. */
interface View {
  readonly place: Place;
  readonly source: Source;
  /** Undefined where clients see nothing of it. */
  readonly shape: Shape | undefined;
}

export interface FormField {
  readonly alias: string;
  /** Undefined where clients do not see the type. */
  readonly type: GraphQLOutputType | undefined;
  /** How its objects are read. */
  readonly below: RecordForm | undefined;
  /** Whether null is no value for it, though it may be one for clients. */
  readonly isNeeded: boolean;
  /** Whether its value is kept under its name: a text, or, where `below` is not plain, records. */
  isKept: boolean;
  /** The first field of the run of text that it belongs to. */
  run: number | undefined;
}

/** Objects of one position would have to be read in several ways, as the services are asked. */
export class Unreadable extends Error {}

/** The objects of one upstream position, which all positions of the client's answer that they serve have in common. */
export class RecordForm {
  /** Whether the text is the client's as it is. */
  readonly isPlain: boolean;
  readonly isAbstract: boolean;
  /** Equal for forms that are read alike. */
  readonly signature: string;
  /** Properties in which its records get the entities that others answer. */
  readonly slots: readonly string[];
  readonly #variants = new Map<string, readonly FormField[]>();

  constructor(forms: RecordForms, views: readonly View[]) {
    const [first] = views as [View];
    this.isAbstract = first.source.selection.isAbstract;
    const entries = views.flatMap(({ place, source }) => (source === place.base ? place.entries : []));
    this.slots = [...new Set(entries.map(attachedName))];
    for (const type of forms.typesOf(views)) this.#variants.set(type, forms.fieldsOf(views, type));
    this.isPlain = views.every((view) => this.#isWhole(forms, view));
    const fieldText = ({ alias, isKept, run, below }: FormField) =>
      `${alias}:${isKept}:${run ?? ""}${below?.signature ?? ""}`;
    const fieldTexts = [...this.#variants.values()].map((fields) => fields.map(fieldText).join());
    // Where the service does not say of which type an object is, all are read as one.
    if (!this.isAbstract && new Set(fieldTexts).size > 1) throw new Unreadable();
    this.signature = `${this.isPlain}{${[...this.#variants.keys()].map((type, i) => `${type}(${fieldTexts[i]})`).join()}}`;
  }

  /** Type → its fields, in the order in which the service answers them. */
  get variants(): ReadonlyMap<string, readonly FormField[]> {
    return this.#variants;
  }

  #isWhole(forms: RecordForms, { place, shape }: View): boolean {
    if (!shape || place.entries.length > 0 || forms.isLookedInto(place)) return false;
    return [...this.#variants].every(([type, fields]) => {
      const wanted = forms.wanted(shape, type);
      const visible = this.isAbstract && wanted[0]?.key === "__typename" ? wanted.slice(1) : wanted;
      if (this.isAbstract && visible === wanted) return false;
      const isOne = fields.length > 0 && fields.every(({ run, isKept }) => run === 0 && !isKept);
      return isOne && fields.length === visible.length;
    });
  }
}

/** Root fields, or entities that a request's answer has under a name. */
export interface RecordPart {
  readonly alias: string | undefined;
  readonly form: RecordForm;
}

export class RecordForms {
  readonly #schema: GraphQLSchema;
  /** Of each position, what clients see of it. */
  readonly #shapes = new Map<Place, Set<Shape>>();
  /** Of each source, the names whose values are needed for keys. */
  readonly #keys = new Map<Source, Set<string>>();
  readonly #forms = new Map<Source, RecordForm>();
  readonly #parts: readonly (readonly RecordPart[])[];

  constructor(schema: GraphQLSchema, { calls }: Plan, { roots, entries }: Layout, shape: Shape) {
    this.#schema = schema;
    for (const { place } of roots) this.#see(place, shape);
    for (const entry of entries.flat()) this.#note(entry.place, entry.entity.type, entry.entity.fields);
    this.#parts = calls.map((_, call) => {
      const own = roots.filter(({ part }) => part.call === call);
      const byAlias = Map.groupBy(entries[call] ?? [], ({ entity }) => entity.alias);
      return [
        ...own.map(({ place }) => ({ alias: undefined, form: this.#formOf(this.#views(place, place.base)) })),
        ...[...byAlias].map(([alias, all]) => ({
          alias,
          form: this.#formOf(all.flatMap(({ place, source }) => this.#views(place, source))),
        })),
      ];
    });
  }

  #views(place: Place, source: Source): View[] {
    return [...(this.#shapes.get(place) ?? [undefined])].map((shape) => ({ place, source, shape }));
  }

  /** The parts of a request's answer, in its order. */
  partsOf(call: number): readonly RecordPart[] {
    return this.#parts[call] ?? [];
  }

  of(source: Source): RecordForm {
    const form = this.#forms.get(source);
    if (!form) throw new Error("no such source");
    return form;
  }

  /** The fields that clients see of an object of the type. */
  wanted(shape: Shape, type: string): readonly ShapeField[] {
    const object = this.#schema.getType(type);
    return object && "getInterfaces" in object ? shape.of(object as never) : [];
  }

  /** Whether keys are read of the position's objects. */
  isLookedInto({ base }: Place): boolean {
    return this.#keys.has(base);
  }

  /** The types that the objects may be of. */
  typesOf(views: readonly View[]): Set<string> {
    return new Set(
      views.flatMap(({ source, shape }) =>
        shape ? this.#typesIn(source, shape) : (source.selection.typename ?? []),
      ),
    );
  }

  #typesIn({ selection: { typename } }: Source, { type }: Shape): readonly string[] {
    if (typename !== undefined) return [typename];
    return isAbstractType(type) ? this.#schema.getPossibleTypes(type).map(({ name }) => name) : [type.name];
  }

  /** The fields of the service's objects of a type, in runs. */
  fieldsOf(views: readonly View[], type: string): FormField[] {
    const asked = this.#upstream((views[0] as View).source, type);
    const fields = asked.map((selected) => this.#field(views, type, selected));
    const isCut = this.#cuts(views, type, fields);
    let run = 0;
    for (const [i, field] of fields.entries()) {
      if (field.run === undefined) continue;
      if (isCut.has(i) || fields[i - 1]?.run === undefined) run = i;
      field.run = run;
    }
    return fields;
  }

  /** What the service is asked of objects of a type. */
  #upstream({ selection }: Source, type: string): Selected[] {
    const fields = new Map<string, Selected>();
    for (const [condition, branch] of selection.branches) {
      if (!this.#covers(condition, type)) continue;
      for (const [alias, selected] of branch) if (!fields.has(alias)) fields.set(alias, selected);
    }
    return [...fields.values()];
  }

  #covers(condition: string, type: string): boolean {
    const known = this.#schema.getType(condition);
    if (condition === type || !isAbstractType(known)) return condition === type;
    return this.#schema.getPossibleTypes(known).some(({ name }) => name === type);
  }

  /** `run` is 0 where the field may be part of one. */
  #field(views: readonly View[], type: string, selected: Selected): FormField {
    const { alias } = selected;
    const seen = this.#seen(views, type, alias);
    const below = this.#below(views, type, selected, seen);
    const isKey = views.some(({ source }) => this.#keys.get(source)?.has(alias));
    const isText = !below || below.isPlain;
    const isInRun =
      isText &&
      seen.length > 0 &&
      seen.every(({ field, asked }) => field.key === alias && asked.from.length === 1);
    const own = typeFromAST(this.#schema, selected.type as never) as GraphQLOutputType | undefined;
    return {
      alias,
      type: seen[0]?.field.type ?? own,
      isNeeded: isKey && selected.type.kind === Kind.NON_NULL_TYPE,
      below,
      isKept: isKey || !isText || (seen.length > 0 && !isInRun),
      run: isInRun ? 0 : undefined,
    };
  }

  /** Which of the client's fields a field of the view's source gives; -1 where it gives none. */
  #indexOf({ shape, place, source }: View, type: string, alias: string): number {
    if (!shape) return -1;
    const gives = ({ key }: ShapeField) =>
      place.asked(type, key)?.from.some((from) => from.source === source && from.alias === alias) ?? false;
    return this.wanted(shape, type).findIndex(gives);
  }

  /** The client's fields that a field gives, of each view one. */
  #seen(views: readonly View[], type: string, alias: string): { field: ShapeField; asked: Asked }[] {
    return views.flatMap((view) => {
      const field = view.shape && this.wanted(view.shape, type)[this.#indexOf(view, type, alias)];
      const asked = field && view.place.asked(type, field.key);
      return asked ? [{ field, asked }] : [];
    });
  }

  #below(
    views: readonly View[],
    type: string,
    { key, selection }: Selected,
    seen: readonly { field: ShapeField; asked: Asked }[],
  ): RecordForm | undefined {
    if (!selection) return undefined;
    const places = new Set(seen.flatMap(({ asked }) => asked.below ?? []));
    for (const { place } of views) {
      const hidden = place.asked(type, key)?.below;
      if (hidden) places.add(hidden);
    }
    return this.#formOf([...places].flatMap((place) => this.#views(place, place.base)));
  }

  #formOf(views: readonly View[]): RecordForm {
    const form = new RecordForm(this, views);
    for (const { source } of views) {
      const known = this.#forms.get(source);
      if (known && known.signature !== form.signature) throw new Unreadable();
      this.#forms.set(source, form);
    }
    return form;
  }

  /** Before which fields a run has to end, since a client's answer has them elsewhere. */
  #cuts(views: readonly View[], type: string, fields: readonly FormField[]): Set<number> {
    const cuts = new Set<number>();
    for (const view of views) {
      if (!view.shape) continue;
      const at = fields.map(({ alias }) => this.#indexOf(view, type, alias));
      for (let i = 1; i < at.length; i++) {
        const [before, here] = [at[i - 1] as number, at[i] as number];
        // Where this view has neither of the two, it does not matter to it.
        if ((before >= 0 || here >= 0) && here !== before + 1) cuts.add(i);
      }
    }
    return cuts;
  }

  #see(place: Place, shape: Shape): void {
    const known = this.#shapes.get(place) ?? new Set();
    this.#shapes.set(place, known);
    if (known.has(shape)) return;
    known.add(shape);
    for (const type of this.#typesIn(place.base, shape)) {
      for (const { key, below } of this.wanted(shape, type)) {
        const deeper = place.asked(type, key)?.below;
        if (below && deeper) this.#see(deeper, below);
      }
    }
  }

  #note(place: Place, type: string, fields: readonly RepresentationField[]): void {
    for (const { key, below } of fields) {
      const asked = place.asked(type, key);
      if (!asked) continue;
      for (const { source, alias } of asked.from) {
        const names = this.#keys.get(source) ?? new Set();
        this.#keys.set(source, names.add(alias));
      }
      const deeper = asked.below;
      const typename = deeper?.base.selection.typename;
      if (below && deeper && typename !== undefined) this.#note(deeper, typename, below);
    }
  }
}
