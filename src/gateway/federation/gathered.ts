/**
 * What subgraphs answered, gathered into one tree of objects: values under the plan's keys, and where a value is
 * missing because something failed, the error in its place. Knows the plan's data; nothing of requests.
 */
import { GraphQLError } from "graphql";
import type { EntityFetch, RepresentationField, Segment, Selected, Selection } from "./plan.ts";

/** The object's type, where it is known. */
export const TYPENAME = Symbol("typename");

export interface Gathered {
  [TYPENAME]: string | undefined;
  [key: string]: unknown;
}

type Answer = Readonly<Record<string, unknown>>;

export function newGathered(typename: string | undefined): Gathered {
  const object = Object.create(null) as Gathered;
  object[TYPENAME] = typename;
  return object;
}

export function isGathered(value: unknown): value is Gathered {
  return typeof value === "object" && value !== null && TYPENAME in value;
}

/** Takes over what was asked for from an upstream answer's object. */
export function gather(selection: Selection, answer: Answer, into: Gathered): void {
  if (selection.isAbstract && typeof answer.__typename === "string") into[TYPENAME] = answer.__typename;
  for (const { alias, key, selection: below } of askedOf(selection, into[TYPENAME])) {
    // A name may be one that every object inherits.
    const value = Object.hasOwn(answer, alias) ? answer[alias] : undefined;
    if (!below) {
      if (into[key] === undefined || into[key] === null) into[key] = value;
    } else {
      into[key] = gatherBelow(below, value, into[key]);
    }
  }
}

/** What is asked of an object of the type. */
function* askedOf({ branches, type }: Selection, typename: string | undefined): Iterable<Selected> {
  yield* branches.get(type)?.values() ?? [];
  if (typename !== undefined && typename !== type) yield* branches.get(typename)?.values() ?? [];
}

/** What another subgraph answered for the same position stays; lists are of the same objects in the same order. */
function gatherBelow(selection: Selection, value: unknown, known: unknown): unknown {
  if (value === null || value === undefined) return known ?? value;
  if (Array.isArray(value)) {
    const before = Array.isArray(known) ? known : [];
    return value.map((item, i) => gatherBelow(selection, item, before[i]));
  }
  const object = isGathered(known) ? known : newGathered(selection.typename);
  gather(selection, value as Answer, object);
  return object;
}

/** An object, and how it is reached in the answer. */
export interface Found {
  readonly object: Gathered;
  readonly path: readonly (string | number)[];
}

/** The objects at a position that are of the type. `isOf`: whether an object of a type counts as one of another. */
export function find(
  root: Gathered,
  { path, type }: Pick<EntityFetch, "path" | "type">,
  isOf: (typename: string, type: string) => boolean,
): Found[] {
  let found: Found[] = [{ object: root, path: [] }];
  for (const segment of path) found = found.flatMap((each) => step(each, segment, isOf));
  return found.filter(({ object }) => isOfType(object, type, isOf));
}

function step(
  { object, path }: Found,
  { type, key }: Segment,
  isOf: (typename: string, type: string) => boolean,
): Found[] {
  if (!isOfType(object, type, isOf)) return [];
  const found: Found[] = [];
  const collect = (value: unknown, at: readonly (string | number)[]): void => {
    if (Array.isArray(value))
      value.forEach((item, i) => {
        collect(item, [...at, i]);
      });
    else if (isGathered(value)) found.push({ object: value, path: at });
  };
  collect(object[key], [...path, key]);
  return found;
}

function isOfType(
  object: Gathered,
  type: string,
  isOf: (typename: string, type: string) => boolean,
): boolean {
  const typename = object[TYPENAME];
  return typename === undefined || typename === type || isOf(typename, type);
}

/**
 * The representation of an object; the error because of which there is none; undefined where a key is null, so that
 * the object cannot be asked for.
 */
export function represent(
  fields: readonly RepresentationField[],
  object: Gathered,
): Record<string, unknown> | GraphQLError | undefined {
  const representation: Record<string, unknown> = {};
  for (const field of fields) {
    const value = represented(field, object[field.key]);
    if (value instanceof GraphQLError) return value;
    if (value === undefined) return undefined;
    const known = representation[field.name];
    representation[field.name] = isMergeable(known, value) ? { ...known, ...value } : value;
  }
  return representation;
}

function isMergeable(a: unknown, b: unknown): a is Record<string, unknown> {
  return typeof a === "object" && a !== null && !Array.isArray(a) && typeof b === "object" && b !== null;
}

function represented(field: RepresentationField, value: unknown): unknown {
  const { below, withTypename } = field;
  if (value instanceof GraphQLError || value === null || value === undefined || !below) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => represented(field, item));
    return items.find((item) => item instanceof GraphQLError) ?? items;
  }
  const object = value as Gathered;
  const result: Record<string, unknown> = withTypename ? { __typename: object[TYPENAME] } : {};
  for (const each of below) {
    if (each.types && !each.types.includes(object[TYPENAME] ?? "")) continue;
    const item = represented(each, object[each.key]);
    if (item instanceof GraphQLError) return item;
    result[each.name] = item ?? null;
  }
  return result;
}

/** Puts an error in the place of everything that was asked of the object and is not there. Returns whether there is such. */
export function fail(selection: Selection, object: Gathered, error: GraphQLError): boolean {
  let isMissing = false;
  for (const { key } of askedOf(selection, object[TYPENAME])) {
    if (object[key] !== undefined && object[key] !== null) continue;
    object[key] = error;
    isMissing = true;
  }
  return isMissing;
}

/** Puts an error in the place of the first null that is below what was asked of the object. Returns whether there is one. */
export function failBelow(selection: Selection, object: Gathered, error: GraphQLError): boolean {
  const failIn = (below: Selection, value: unknown): boolean => {
    if (Array.isArray(value)) return value.some((item) => failIn(below, item));
    return isGathered(value) && failBelow(below, value, error);
  };
  for (const { key, selection: below } of askedOf(selection, object[TYPENAME])) {
    if (object[key] === undefined || object[key] === null) {
      object[key] = error;
      return true;
    }
    if (below && failIn(below, object[key])) return true;
  }
  return false;
}

/** The first name that was asked of the object. */
export function firstKey(selection: Selection, object: Gathered): string | undefined {
  for (const { key } of askedOf(selection, object[TYPENAME])) return key;
  return undefined;
}

/**
 * Puts an upstream error where it belongs: `path` is the rest of its path from the object on, in upstream names.
 * Returns it with its whole path where the place has a value, or a failure, of its own.
 */
export function place(
  selection: Selection,
  { object, path: at }: Found,
  path: readonly (string | number)[],
  error: GraphQLError,
): GraphQLError | undefined {
  const [alias, ...rest] = path;
  const asked = [...askedOf(selection, object[TYPENAME])].find((each) => each.alias === alias);
  if (!asked) {
    fail(selection, object, error);
    return undefined;
  }
  let holder: Record<string | number, unknown> = object;
  let key: string | number = asked.key;
  const here = [...at, key];
  while (typeof rest[0] === "number" && Array.isArray(holder[key])) {
    holder = holder[key] as never;
    key = rest.shift() as number;
    here.push(key);
  }
  const value = holder[key];
  if (isGathered(value) && rest.length > 0 && asked.selection) {
    return place(asked.selection, { object: value, path: here }, rest, error);
  }
  // What is below a null keeps its own path.
  const located = rest.length > 0 ? withPath(error, [...here, ...rest]) : error;
  if (value !== null && value !== undefined) return withPath(error, [...here, ...rest]);
  holder[key] = located;
  return undefined;
}

function withPath({ message, extensions }: GraphQLError, path: readonly (string | number)[]): GraphQLError {
  return new GraphQLError(message, { path: [...path], extensions });
}
