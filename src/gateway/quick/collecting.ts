/**
 * Code that finds the objects which are asked for as entities, writes their representations, each once, and hangs
 * what is answered to the objects. Knows positions; nothing of the client's answer.
 */
import { type GraphQLSchema, isAbstractType, Kind, type TypeNode } from "graphql";
import type { RepresentationField } from "../federation/plan.ts";
import { type Code, literal, member } from "./code.ts";
import { wrongValue } from "./leaves.ts";
import { attachedName, type Entry, type Part, type Place, type Source } from "./places.ts";
import { Uncompilable } from "./uncompilable.ts";

/** Entries that ask the same of entities, in one request and under one name. */
export interface EntitySet {
  readonly alias: string;
  readonly entries: readonly Entry[];
}

/** How keys are read: as values that were parsed, or as texts that were checked when they were read. */
export type Keys = "values" | "texts";

/** The property of the state that has what a walk found, where others need the same; no name of GraphQL's. */
const walkName = (walk: string) => `$w${walk}`;

/** Writes a function of the state that gives the texts of the set's representations, in one. */
export function collectFunction(
  code: Code,
  schema: GraphQLSchema,
  keys: Keys,
  { entries }: EntitySet,
): string {
  const found = entries.map((entry) => findObjects(code, schema, keys, entry));
  const [only] = entries;
  const [walk = ""] = found;
  if (only && entries.length === 1) {
    const made = code.declare(
      `(s){const places=new Map(),${noted(walk)};let text="",lacks=false;${walk}return{text,objects,at,lacks,size:places.size}}`,
    );
    // Requests to several services for the same objects have the same keys, unless these come from wherever they are first.
    const shared = walk.includes("??") ? "" : `s.${walkName(made)}??=`;
    const { id } = only;
    return code.declare(
      `(s){const w=${shared}${made}(s);s.o${id}=w.objects;s.at${id}=w.at;s.l${id}=w.lacks;s.n${id}=w.size;return w.text}`,
    );
  }
  const walks = entries.map(({ id }, i) => {
    return `{const ${noted(found[i] as string)};let lacks=false;${found[i]}s.o${id}=objects;s.at${id}=at;s.l${id}=lacks}`;
  });
  const counts = entries.map(({ id }) => `s.n${id}=places.size;`);
  return code.declare(
    `(s){const places=new Map();let text="";${walks.join("")}${counts.join("")}return text}`,
  );
}

/** What a walk takes notes in. */
function noted(walk: string): string {
  return `objects=[],at=[]${walk.includes("firsts.") ? ",firsts=new Map()" : ""}`;
}

/** Statements that note every object of the entry's position. */
function findObjects(code: Code, schema: GraphQLSchema, keys: Keys, entry: Entry): string {
  const { place, entity } = entry;
  const { owner, steps } = place;
  const reader = new KeyReader(code, schema, keys, entry);
  const before = entryBefore(entry);
  if (before) {
    // Who lacked the key before lacks this one too; where it is one of several, they could be had without it.
    const lacking = entity.fields.length === 1 ? `lacks=s.l${before.id};` : `if(s.l${before.id})B();`;
    return lacking + findAgain(before, add(reader, entry, "known[c]=n;"));
  }
  const found = add(reader, entry, "");
  const at = (object: string) =>
    ifIs(schema, place.conditionFor(entity.type), object, `const o=${object};${found}`);
  // The same names for the same walk, so that it is the same text.
  let names = 0;
  const name = (prefix: string) => `${prefix}${names++}`;
  const walk = steps.reduceRight<(object: string) => string>(
    (inner, { alias, type, condition }) =>
      (object) =>
        ifIs(schema, condition, object, each(name, member(object, alias), type, inner)),
    at,
  );
  if (!("entity" in owner)) return walk(`s.d${owner.call}`);
  return `for(const e of s.e${owner.id})if(e!==null){${walk("e")}}`;
}

/** An entry of the same objects whose key, with what it was answered, is all that this one's key is made of. */
function entryBefore({ place, entity }: Entry): Entry | undefined {
  const read = entity.fields.map(({ key, below, types }) => {
    const from = below || types ? undefined : place.asked(entity.type, key)?.from;
    return from?.length === 1 ? from[0] : undefined;
  });
  return place.entries.find(({ source, entity: other }) => {
    const [key, ...more] = other.fields;
    if (!key || key.below || more.length > 0 || !read.some((from) => from?.source === source)) return false;
    const [own, ...others] = place.asked(other.type, key.key)?.from ?? [];
    const isIts = (from: (typeof read)[number]) =>
      from?.source === source || (from && from.source === own?.source && from.alias === own.alias);
    const isOfOneType = place.conditionFor(other.type) === place.conditionFor(entity.type);
    return others.length === 0 && isOfOneType && read.every(isIts);
  });
}

/** Statements for the objects that an entry before has found: those that have its key in common have all in common. */
function findAgain({ id }: Entry, found: string): string {
  const next = `const o=before[i],c=keys[i],m=known[c];if(m!==undefined){if(m>=0){objects.push(o);at.push(m)}continue}`;
  return `const before=s.o${id},keys=s.at${id},known=[];for(let i=0;i<before.length;i++){${next}known[c]=-1;{${found}}}`;
}

/** Writes a function of the state and the answer's data that takes the set's entities. `owners`: whose are looked through. */
export function takeFunction(code: Code, { alias, entries }: EntitySet, owners: ReadonlySet<Part>): string {
  const [first] = entries;
  const takes = entries.map((entry) => {
    const { id } = entry;
    const attach = `objects[i].${attachedName(entry)}=a[at[i]];`;
    const begin = `const objects=s.o${id},at=s.at${id};`;
    if (!owners.has(entry)) return `{${begin}for(let i=0;i<objects.length;i++)${attach}}`;
    if (entries.length === 1) return `{${begin}for(let i=0;i<objects.length;i++)${attach}s.e${id}=a}`;
    // What comes below is looked for in the entities that are the entry's own.
    const own = `if(seen[at[i]]===0){seen[at[i]]=1;own.push(a[at[i]])}`;
    return `{${begin}const own=[],seen=new Uint8Array(a.length);for(let i=0;i<objects.length;i++){${attach}${own}}s.e${id}=own}`;
  });
  return code.declare(
    `(s,d){const a=${member("d", alias)};if(!Array.isArray(a)||a.length!==s.n${first?.id})B();` +
      `for(let i=0;i<a.length;i++){const e=a[i];if(e!==null&&(typeof e!=="object"||Array.isArray(e)))B()}` +
      `${takes.join("")}}`,
  );
}

/** `condition`: the type that the object has to be of. */
function ifIs(schema: GraphQLSchema, condition: string | undefined, object: string, then: string): string {
  if (!condition) return then;
  const type = schema.getType(condition);
  const names = isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [condition];
  const is = names.map((name) => `${object}.__typename===${literal(name)}`).join("||");
  return `if(${is || "false"}){${then}}`;
}

/** Statements for each object of a value, through the lists that its type has. */
function each(
  name: (prefix: string) => string,
  value: string,
  type: TypeNode,
  then: (object: string) => string,
): string {
  const node = type.kind === Kind.NON_NULL_TYPE ? type.type : type;
  const x = name("x");
  if (node.kind === Kind.LIST_TYPE) {
    const i = name("i");
    const items = each(name, `${x}[${i}]`, node.type, then);
    return `const ${x}=${value};if(${x}!=null){if(!Array.isArray(${x}))B();for(let ${i}=0;${i}<${x}.length;${i}++){${items}}}`;
  }
  return `const ${x}=${value};if(${x}!=null){if(typeof ${x}!=="object"||Array.isArray(${x}))B();${then(x)}}`;
}

/**
 * Statements that note the object `o`, and its representation where it is a new one. `then`: what is done with its place
 * among them, which is `n`.
 */
function add(reader: KeyReader, { entity, place }: Entry, then: string): string {
  const { fields, typename, type } = entity;
  if (new Set(fields.map(({ name }) => name)).size < fields.length) throw new Uncompilable("key in parts");
  const head = `{"__typename":${literal(typename)}`;
  const note = (key: string, text: string) =>
    `let n=places.get(${key});if(n===undefined){n=places.size;places.set(${key},n);text+=(n===0?"":",")+${text}}objects.push(o);at.push(n);${then}`;
  const [only] = fields;
  if (only && fields.length === 1 && !only.below) {
    const text = `${literal(`${head},${literal(only.name)}:`)}+${reader.text("k")}+"}"`;
    return `const k=${reader.value(place, type, only, "o")};if(${entity.field ? "k!=null" : "k!==undefined"}){${note("k", text)}}else lacks=true;`;
  }
  const names = fields.map((_, i) => `k${i}`);
  const texts = fields.map((field, i) => `const k${i}=${reader.fieldText(place, type, field, "o")};`);
  const text = fields.map(({ name }, i) => `${literal(`,${literal(name)}:`)}+k${i}`).join("+");
  // Some of these may be needed for a part of the fields only, and the rest could be had without.
  const isLacking = names.map((name) => `${name}===undefined`).join("||") || "false";
  // Objects that have the first in common mostly have them all, which is found out without making a text of them.
  const [first, ...rest] = names;
  const isKnown = ["f!==undefined", ...rest.map((name) => `f.${name}===${name}`)].join("&&");
  const made = `const k=${literal(head)}+${text || '""'}+"}";n=places.get(k);if(n===undefined){n=places.size;places.set(k,n);text+=(n===0?"":",")+k}`;
  const whole = `const f=firsts.get(${first});let n;if(${isKnown})n=f.n;else{${made}firsts.set(${first},{${["n", ...rest].join(",")}})}objects.push(o);at.push(n);${then}`;
  // A null in a list of keys would make a field of the service's own fail for all of them.
  const nulls = entity.field
    ? fields.flatMap(({ name }, i) => (entity.keyNames.includes(name) ? `k${i}==="null"` : []))
    : [];
  return `${texts.join("")}if(${isLacking})B();${nulls.length > 0 ? `if(!(${nulls.join("||")})){${whole}}` : whole}`;
}

/** Expressions for the keys of objects. */
class KeyReader {
  readonly #code: Code;
  readonly #schema: GraphQLSchema;
  readonly #keys: Keys;
  /** Whether the texts are parsed to be made arguments of. */
  readonly #isParsed: boolean;

  constructor(code: Code, schema: GraphQLSchema, keys: Keys, { entity }: Entry) {
    this.#code = code;
    this.#schema = schema;
    this.#keys = keys;
    this.#isParsed = entity.field !== undefined;
  }

  /** The upstream value of a field of an object, as one of a type. */
  value(place: Place, type: string, { key, types }: RepresentationField, object: string): string {
    if (types) throw new Uncompilable("key of an abstract type");
    const asked = place.asked(type, key);
    if (!asked) throw new Uncompilable("field of no service");
    const of = ({ entry }: Source) => (entry ? `(${object}.${attachedName(entry)}??NONE)` : object);
    const read = asked.from.map(({ source, alias }) => member(of(source), alias)).join("??");
    return this.#keys === "texts" ? `(${read})` : `${this.#check(asked.type)}(${read})`;
  }

  /** A key's value as JSON; undefined where it has none. */
  text(value: string): string {
    return `${this.#keys === "values" ? "Q" : this.#isParsed ? "SAFE" : "T"}(${value})`;
  }

  /** A field's JSON text; undefined where it is not there. */
  fieldText(place: Place, type: string, field: RepresentationField, object: string): string {
    const value = this.value(place, type, field, object);
    const { below, key, withTypename } = field;
    if (!below) return this.text(value);
    const deeper = place.asked(type, key)?.below;
    const typename = deeper?.base.selection.typename;
    if (!deeper || typename === undefined || withTypename) throw new Uncompilable("key of an abstract type");
    const members = below.map((each, i) => {
      const text = this.fieldText(deeper, typename, each, "o");
      return `${literal(`${i ? "," : ""}${literal(each.name)}:`)}+(${text}??"null")`;
    });
    const name = this.#code.name("t");
    return `${this.#code.declare(`(v){const ${name}=o=>{if(o==null)return o===null?"null":undefined;if(Array.isArray(o))return"["+o.map(x=>${name}(x)??"null").join(",")+"]";if(typeof o!=="object")B();return"{"+${members.join("+") || '""'}+"}"};return ${name}(v)}`)}(${value})`;
  }

  /** A function that gives a key's value back, and leaves where it is not of the type that its service says. */
  #check(type: TypeNode): string {
    const isRequired = type.kind === Kind.NON_NULL_TYPE;
    const named = isRequired ? type.type : type;
    const wrong =
      named.kind === Kind.NAMED_TYPE ? wrongValue(this.#schema.getType(named.name.value)) : undefined;
    return this.#code.declare(
      `(x){${isRequired ? "if(x===null)B();" : ""}${wrong ? `if(x!=null&&(${wrong}))B();` : ""}return x}`,
    );
  }
}
