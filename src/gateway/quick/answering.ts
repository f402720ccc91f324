/**
 * Code that makes the client's answer of what the services answered. Where something is not as it should be it leaves
 * the quick road, for the reference road to say what. Knows positions and the answer's shape; nothing of requests.
 */
import {
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
} from "graphql";
import { type Code, literal, member } from "./code.ts";
import { leafValue } from "./leaves.ts";
import { type Asked, attachedName, type Layout, type Place, type Source } from "./places.ts";
import type { Shape, ShapeField } from "./shape.ts";
import { Uncompilable } from "./uncompilable.ts";

/** Writes a function of the state that gives the answer's data. Throws Uncompilable. */
export function answerFunction(code: Code, schema: GraphQLSchema, { roots }: Layout, shape: Shape): string {
  const root = shape.type as GraphQLObjectType;
  const entries = shape.of(root).map((field) => {
    if (field.name === "__typename") return property(field, literal(root.name));
    if (field.name.startsWith("__")) throw new Uncompilable("introspection");
    const found = roots.flatMap(({ part, place }) => {
      const asked = place.asked(root.name, field.key);
      return asked ? [{ asked, object: `s.d${part.call}` }] : [];
    });
    const [only] = found;
    if (found.length > 1) throw new Uncompilable("one position of several services");
    if (!only) throw new Uncompilable("field of no service");
    return property(
      field,
      fieldValue(code, schema, field, only.asked, () => only.object),
    );
  });
  return code.declare(`(s){return{${entries.join(",")}}}`);
}

function property({ key }: ShapeField, value: string): string {
  if (key === "__proto__") throw new Uncompilable("name with a meaning in JavaScript");
  return `${key}:${value}`;
}

/** `objectOf`: the expression for the upstream object that a source gives. */
function fieldValue(
  code: Code,
  schema: GraphQLSchema,
  field: ShapeField,
  { from, below: place }: Asked,
  objectOf: (source: Source) => string,
): string {
  const read = from.map(({ source, alias }) => member(objectOf(source), alias)).join("??");
  const { below: shape } = field;
  const inner = shape && place ? objectFunction(code, schema, place, shape) : undefined;
  const value = code.declare(`(x){${valueBody(code, field.type, inner)}}`);
  const [only] = from;
  // The objects of entities are shared by all that refer to them, and so is what is made of them.
  if (inner && place && only?.source.entry) {
    const memo = member(objectOf(only.source), `$m${place.id}`);
    return `(${read}==null?${value}(null):${memo}??=${value}(${read}))`;
  }
  return `${value}(${read})`;
}

/** The body of a function of `x`; `inner` is the function for objects. */
function valueBody(code: Code, type: GraphQLOutputType, inner: string | undefined): string {
  const nullable = isNonNullType(type) ? type.ofType : type;
  const whenNull = nullable === type ? "null" : "B()";
  const whenNot = isListType(nullable)
    ? listValue(code, nullable.ofType, inner)
    : isLeafType(nullable)
      ? leafValue(code, nullable as GraphQLLeafType)
      : `${inner}(x)`;
  return `return x==null?${whenNull}:${whenNot}`;
}

function listValue(code: Code, item: GraphQLOutputType, inner: string | undefined): string {
  const each = code.declare(`(x){${valueBody(code, item, inner)}}`);
  const list = code.declare(
    `(x){if(!Array.isArray(x))B();const n=x.length,r=new Array(n);for(let i=0;i<n;i++)r[i]=${each}(x[i]);return r}`,
  );
  return `${list}(x)`;
}

/** A function of an upstream object that is there. */
function objectFunction(code: Code, schema: GraphQLSchema, place: Place, shape: Shape): string {
  const check = `if(typeof o!=="object"||Array.isArray(o))B();`;
  const { typename } = place.base.selection;
  if (typename !== undefined)
    return code.declare(`(o){${check}${variant(code, schema, place, shape, typename)}}`);
  const types = isAbstractType(shape.type) ? schema.getPossibleTypes(shape.type) : [shape.type];
  const cases = types.map(({ name }) => {
    return `case ${literal(name)}:{${caught(() => variant(code, schema, place, shape, name))}}`;
  });
  return code.declare(`(o){${check}switch(o.__typename){${cases.join("")}default:B()}}`);
}

/** A type whose fields no service has here is not expected here either. */
export function caught(write: () => string): string {
  try {
    return write();
  } catch (error) {
    if (error instanceof Uncompilable && error.reason === "field of no service") return "B()";
    throw error;
  }
}

/** Statements that return what is made of the object `o` of a type. */
function variant(code: Code, schema: GraphQLSchema, place: Place, shape: Shape, typename: string): string {
  const type = schema.getType(typename) as GraphQLObjectType | undefined;
  if (!type) throw new Uncompilable("type that clients do not see");
  const used = new Set<Source>();
  const nameOf = (source: Source) => {
    if (!source.entry) return "o";
    used.add(source);
    return `e${source.entry.id}`;
  };
  const entries = shape.of(type).map((field) => {
    if (field.name === "__typename") return property(field, literal(typename));
    const asked = place.asked(typename, field.key);
    if (!asked) throw new Uncompilable("field of no service");
    return property(field, fieldValue(code, schema, field, asked, nameOf));
  });
  const attached = [...used].map(({ entry }) => {
    return entry ? `const e${entry.id}=o.${attachedName(entry)}??NONE;` : "";
  });
  return `${attached.join("")}return{${entries.join(",")}}`;
}
