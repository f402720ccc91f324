/**
 * Code that puts the client's answer together of the text that services answered. Where something is missing that may
 * not be, it leaves this road. Knows positions, forms of records and the answer's shape; nothing of requests.
 */
import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isListType,
  isNonNullType,
} from "graphql";
import { caught } from "./answering.ts";
import { type Code, literal, member } from "./code.ts";
import { type Asked, attachedName, type Layout, type Place, type Source } from "./places.ts";
import { BEGIN, runName } from "./reading.ts";
import type { RecordForms } from "./record-forms.ts";
import type { Shape, ShapeField } from "./shape.ts";
import { Uncompilable } from "./uncompilable.ts";

/** An expression for the record that a source gives; null where it may give none. */
type RecordOf = (source: Source) => { readonly record: string; readonly mayLack: boolean };

/** Writes a function of the state that gives the answer's text. */
export function weaveFunction(
  code: Code,
  schema: GraphQLSchema,
  forms: RecordForms,
  { roots }: Layout,
  shape: Shape,
): string {
  const root = shape.type as GraphQLObjectType;
  const calls = new Map(roots.map(({ part, place }) => [place.base, part.call]));
  const asked = (key: string) => {
    const [only, ...others] = roots.flatMap(({ place }) => place.asked(root.name, key) ?? []);
    if (others.length > 0) throw new Uncompilable("one position of several services");
    return only;
  };
  const recordOf = (source: Source) => ({ record: `s.d${calls.get(source)}`, mayLack: false });
  const members = new Weaver(code, schema, forms).members(shape.of(root), root.name, asked, recordOf);
  return code.declare(`(s){return ${joined([BEGIN, ...members, "}}"])}}`);
}

/** A literal, or an expression in code. */
type Text = string | { readonly expression: string };

/** An expression for texts one after the other. */
function joined(texts: readonly Text[]): string {
  const parts: Text[] = [];
  for (const text of texts) {
    const last = parts.at(-1);
    if (typeof text === "string" && typeof last === "string") parts[parts.length - 1] = last + text;
    else parts.push(text);
  }
  return parts.map((part) => (typeof part === "string" ? literal(part) : `(${part.expression})`)).join("+");
}

class Weaver {
  readonly #code: Code;
  readonly #schema: GraphQLSchema;
  readonly #forms: RecordForms;

  constructor(code: Code, schema: GraphQLSchema, forms: RecordForms) {
    this.#code = code;
    this.#schema = schema;
    this.#forms = forms;
  }

  /** The members of an object of the type, with commas between them. */
  members(
    fields: readonly ShapeField[],
    typename: string,
    askedOf: (key: string) => Asked | undefined,
    recordOf: RecordOf,
  ): Text[] {
    const texts: Text[] = [];
    for (let i = 0; i < fields.length; ) {
      const field = fields[i] as ShapeField;
      const { length, text } = this.#member(fields.slice(i), field, typename, askedOf(field.key), recordOf);
      if (i > 0) texts.push(",");
      texts.push(...text);
      i += length;
    }
    return texts;
  }

  /** The first of the fields, and those that are in one run of text with it. */
  #member(
    fields: readonly ShapeField[],
    { key, name, type }: ShapeField,
    typename: string,
    asked: Asked | undefined,
    recordOf: RecordOf,
  ): { length: number; text: Text[] } {
    if (name === "__typename") return { length: 1, text: [`${literal(key)}:${literal(typename)}`] };
    if (name.startsWith("__")) throw new Uncompilable("introspection");
    if (!asked) throw new Uncompilable("field of no service");
    const [{ source, alias }] = asked.from as [Asked["from"][number]];
    const own = this.#forms.of(source).variants.get(typename) ?? [];
    const at = own.findIndex((field) => field.alias === alias);
    const { run, below, isKept } = own[at] ?? {};
    const { record, mayLack } = recordOf(source);
    if (run !== undefined) {
      const length = own.filter((field) => field.run === run).length;
      const text = member(record, runName(run));
      if (!mayLack) return { length, text: [{ expression: text }] };
      const covered = fields.slice(0, length);
      const nulls = covered.some((field) => isNonNullType(field.type))
        ? "B()"
        : literal(covered.map((field) => `${literal(field.key)}:null`).join(","));
      return { length, text: [{ expression: `${record}==null?${nulls}:${text}` }] };
    }
    if (!isKept) throw new Uncompilable("field of no service");
    const head = `${literal(key)}:`;
    const shape = fields[0]?.below;
    if (!below || below.isPlain || !shape || !asked.below) {
      const read = asked.from.map((from) => this.#read(recordOf(from.source), from.alias)).join("??");
      return {
        length: 1,
        text: [head, { expression: `${read}??${isNonNullType(type) ? "B()" : '"null"'}` }],
      };
    }
    const value = this.#value(type, this.#object(asked.below, shape));
    if (!mayLack) return { length: 1, text: [head, { expression: `${value}(${member(record, alias)})` }] };
    // The objects of entities are shared by all that refer to them, and so is what is made of them.
    const memo = member(record, `$m${asked.below.id}`);
    const expression = `${record}==null?${value}(null):${memo}??=${value}(${member(record, alias)})`;
    return { length: 1, text: [head, { expression }] };
  }

  #read({ record, mayLack }: ReturnType<RecordOf>, alias: string): string {
    return mayLack ? `${record}?.${alias}` : member(record, alias);
  }

  /** A function for a value of the type. */
  #value(type: GraphQLOutputType, object: string): string {
    const nullable = isNonNullType(type) ? type.ofType : type;
    const whenNull = nullable === type ? '"null"' : "B()";
    const there = isListType(nullable) ? this.#list(this.#value(nullable.ofType, object)) : object;
    return this.#code.declare(`(x){return x==null?${whenNull}:${there}(x)}`);
  }

  #list(item: string): string {
    return this.#code.declare(
      `(x){const n=x.length;if(n===0)return"[]";let r="["+${item}(x[0]);for(let i=1;i<n;i++)r+=","+${item}(x[i]);return r+"]"}`,
    );
  }

  /** A function for a record of the position. */
  #object(place: Place, shape: Shape): string {
    const { typename } = place.base.selection;
    if (typename !== undefined) return this.#code.declare(`(o){${this.#variant(place, shape, typename)}}`);
    const types = isAbstractType(shape.type) ? this.#schema.getPossibleTypes(shape.type) : [shape.type];
    const cases = types.map(({ name }) => {
      return `case ${literal(name)}:{${caught(() => this.#variant(place, shape, name))}}`;
    });
    return this.#code.declare(`(o){switch(o.__typename){${cases.join("")}default:B()}}`);
  }

  #variant(place: Place, shape: Shape, typename: string): string {
    const type = this.#schema.getType(typename) as GraphQLObjectType | undefined;
    if (!type) throw new Uncompilable("type that clients do not see");
    const used = new Set<Source>();
    const recordOf = (source: Source) => {
      if (!source.entry) return { record: "o", mayLack: false };
      used.add(source);
      return { record: `e${source.entry.id}`, mayLack: true };
    };
    const members = this.members(shape.of(type), typename, (key) => place.asked(typename, key), recordOf);
    const attached = [...used].map(({ entry }) =>
      entry ? `const e${entry.id}=o.${attachedName(entry)};` : "",
    );
    return `${attached.join("")}return ${joined(["{", ...members, "}"])}`;
  }
}
