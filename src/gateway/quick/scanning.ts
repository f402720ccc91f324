/**
 * Code that goes over an answer's text and finds it to be what the client is to get, so that its bytes can go on as
 * they are. Whatever it does not expect, parsing sees to. Knows positions and the answer's shape; nothing of requests.
 */
import {
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
} from "graphql";
import { type Code, literal } from "./code.ts";
import { isEnd, scanBoolean, scanInt, scanNumber, scanString } from "./json-scan.ts";
import type { Layout, Place } from "./places.ts";
import type { Shape, ShapeField } from "./shape.ts";

/** Where the root fields of an answer's text begin and end, in turns; undefined where it is not as expected. */
export type Scan = (text: string) => readonly number[] | undefined;

/** How the client's answer is put together of pieces of the services' answers. */
export interface Splicing {
  readonly scans: readonly Scan[];
  /** Of each root field, in the client's order: the call, and the field's number in that. */
  readonly pieces: readonly { readonly call: number; readonly field: number }[];
  /** Whether one call's answer is the client's as it is. */
  readonly isWhole: boolean;
}

/** Undefined where the services' answers are not the client's. */
export function splicing(
  code: Code,
  schema: GraphQLSchema,
  { roots, entries }: Layout,
  shape: Shape,
): { scans: string[]; pieces: Splicing["pieces"]; isWhole: boolean } | undefined {
  if (entries.some((each) => each.length > 0)) return undefined;
  const type = shape.type as GraphQLObjectType;
  const wanted = new Map(shape.of(type).map((field) => [field.key, field]));
  const pieces = new Map<string, { call: number; field: number }>();
  const scans: string[] = [];
  for (const { part, place } of roots) {
    const keys = keysOf(place, type.name);
    const fields = keys?.map((key) => wanted.get(key));
    if (!keys || !fields?.every((field) => field !== undefined)) return undefined;
    const values = fields.map((field) => fieldScan(code, schema, place, type.name, field));
    if (!values.every((value) => value !== undefined)) return undefined;
    for (const [field, key] of keys.entries()) pieces.set(key, { call: part.call, field });
    scans[part.call] = rootScan(code, keys, values);
  }
  if ([...wanted.keys()].some((key) => !pieces.has(key))) return undefined;
  const inOrder = [...wanted.keys()].flatMap((key) => pieces.get(key) ?? []);
  const isWhole = roots.length === 1 && inOrder.every(({ field }, i) => field === i);
  return { scans, pieces: inOrder, isWhole };
}

export const SCANNERS = {
  STRING: scanString,
  INT: scanInt,
  NUMBER: scanNumber,
  BOOLEAN: scanBoolean,
  isEnd,
};

const BEGIN = '{"data":{';

/** The names of what is asked of a position's objects; undefined where they differ from the client's. */
function keysOf({ base }: Place, type: string): string[] | undefined {
  const { branches, isAbstract } = base.selection;
  if (isAbstract || branches.size !== 1) return undefined;
  const fields = [...(branches.get(type)?.values() ?? [])];
  return fields.every(({ alias, key }) => alias === key) ? fields.map(({ key }) => key) : undefined;
}

function rootScan(code: Code, keys: readonly string[], values: readonly string[]): string {
  const steps = keys.map((key, i) => {
    const name = `${literal(key)}:`;
    const comma = i === 0 ? "" : "if(t.charCodeAt(i)!==44)return;i++;";
    return `${comma}if(!t.startsWith(${literal(name)},i))return;at.push(i);i=${values[i]}(t,i+${name.length});if(i<0)return;at.push(i);`;
  });
  return code.declare(
    `(t){if(!t.startsWith(${literal(BEGIN)}))return;let i=${BEGIN.length};const at=[];${steps.join("")}if(!t.startsWith("}}",i)||!isEnd(t,i+2))return;return at}`,
  );
}

/** A function from the text and where the value begins to where it ends; undefined where it is not the client's. */
function fieldScan(
  code: Code,
  schema: GraphQLSchema,
  place: Place,
  typename: string,
  { key, type, below }: ShapeField,
): string | undefined {
  const asked = place.asked(typename, key);
  if (!asked) return undefined;
  const object = below && asked.below && objectScan(code, schema, asked.below, below);
  if (below && !object) return undefined;
  return valueScan(code, type, object);
}

function objectScan(code: Code, schema: GraphQLSchema, place: Place, shape: Shape): string | undefined {
  const { typename } = place.base.selection;
  const type = typename === undefined ? undefined : (schema.getType(typename) as GraphQLObjectType);
  if (!type || typename === undefined || type !== shape.type) return undefined;
  const keys = keysOf(place, typename);
  const fields = shape.of(type);
  if (keys?.length !== fields.length || fields.some(({ key }, i) => key !== keys[i])) return undefined;
  const values = fields.map((field) => fieldScan(code, schema, place, typename, field));
  if (!values.every((value) => value !== undefined)) return undefined;
  const steps = fields.map(({ key }, i) => {
    const name = `${i === 0 ? "{" : ","}${literal(key)}:`;
    return `if(!t.startsWith(${literal(name)},i))return-1;i=${values[i]}(t,i+${name.length});if(i<0)return-1;`;
  });
  return code.declare(`(t,i){${steps.join("")}return t.charCodeAt(i)===125?i+1:-1}`);
}

function valueScan(code: Code, type: GraphQLOutputType, object: string | undefined): string | undefined {
  const nullable = isNonNullType(type) ? type.ofType : type;
  const value = isListType(nullable)
    ? listScan(code, nullable.ofType, object)
    : isLeafType(nullable)
      ? leafScan(code, nullable)
      : object;
  if (!value || nullable !== type) return value;
  return code.declare(`(t,i){return t.startsWith("null",i)?i+4:${value}(t,i)}`);
}

function listScan(code: Code, item: GraphQLOutputType, object: string | undefined): string | undefined {
  const each = valueScan(code, item, object);
  return (
    each &&
    code.declare(
      `(t,i){if(t.charCodeAt(i)!==91)return-1;i++;if(t.charCodeAt(i)===93)return i+1;for(;;){i=${each}(t,i);if(i<0)return-1;const c=t.charCodeAt(i);if(c===93)return i+1;if(c!==44)return-1;i++}}`,
    )
  );
}

/** Undefined for the scalars that are a service's own, whose values may be anything. */
function leafScan(code: Code, type: GraphQLLeafType): string | undefined {
  if (isEnumType(type)) {
    const names = code.constant(new Set(type.getValues().map(({ name }) => name)));
    return code.declare(`(t,i){const e=STRING(t,i);return e>0&&${names}.has(t.slice(i+1,e-1))?e:-1}`);
  }
  switch (type.name) {
    case "String":
    case "ID":
      return "STRING";
    case "Int":
      return "INT";
    case "Float":
      return "NUMBER";
    case "Boolean":
      return "BOOLEAN";
    default:
      return undefined;
  }
}
