/**
 * What random services answer: every value is made from the seed, the object's number and the field, so that all
 * services, and one service asked twice, agree. Knows types and fields; nothing of requests.
 */
import {
  type GraphQLEnumType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
} from "graphql";
import type { Random } from "./random.ts";
import { KEY_FIELDS, MEDIA } from "./schema.ts";

/** An object of a random service; what else a representation said of it is in `given`. */
export interface RandomObject {
  readonly __typename: string;
  readonly n: number;
  readonly given?: Readonly<Record<string, unknown>>;
}

/** So few that the same ones are met again and again. */
export const OBJECTS = 6;

const STRINGS = [
  "",
  "plain",
  "a longer text, as names have it",
  "é漢字😀",
  'quotes " and back\\slash\\',
  "line\nbreak\ttab\u2028\u0007",
  "</script>",
  "__proto__",
  '"},"data":{',
  "\ud83d",
  "null",
];
const INTS = [0, -1, 7, 123456789, -123456789, 1000000000, 2147483647, -2147483648];
const FLOATS = [0, 0.1, -1.5, 1e21, 1e-7, 3, 123456789.123, -2147483649];
const BLOBS: readonly unknown[] = ["blob", "", "é", true, "12345678901234567890"];
/** Numbers of scalars that only their service knows are not for code made for an operation. */
const NUMERIC_BLOBS: readonly unknown[] = [1.5, { a: [1, null, "x"] }, [], 9007199254740991];

function leaf(random: Random, name: string): unknown {
  switch (name) {
    case "Int":
      return random.pick(INTS);
    case "Float":
      return random.pick(FLOATS);
    case "Boolean":
      return random.chance(0.5);
    case "ID":
      return random.chance(0.2) ? String(random.int(100)) : `${random.pick(STRINGS)}${random.int(9)}`;
    case "String":
      return random.pick(STRINGS);
    default:
      return random.pick(random.chance(0.06) ? NUMERIC_BLOBS : BLOBS);
  }
}

export function randomValue(schema: GraphQLSchema, type: GraphQLOutputType, random: Random): unknown {
  if (isNonNullType(type)) return present(schema, type.ofType, random);
  return random.chance(0.1) ? null : present(schema, type, random);
}

function present(schema: GraphQLSchema, type: GraphQLOutputType, random: Random): unknown {
  if (isListType(type))
    return Array.from({ length: random.int(4) }, () => randomValue(schema, type.ofType, random));
  const named = getNamedType(type);
  if (isEnumType(named)) return random.pick((named as GraphQLEnumType).getValues()).name;
  if ("serialize" in named) return leaf(random, named.name);
  const __typename = isAbstractType(named) ? random.pick(schema.getPossibleTypes(named)).name : named.name;
  const turn = MEDIA.indexOf(__typename);
  const n = turn < 0 ? random.int(OBJECTS) : MEDIA.length * random.int(OBJECTS / MEDIA.length) + turn;
  return { __typename, n } satisfies RandomObject;
}

/** The value of a field that tells objects apart; undefined for any other. */
export function keyValue({ __typename, n }: Pick<RandomObject, "__typename" | "n">, field: string): unknown {
  switch (field) {
    case "id":
      return `${MEDIA.includes(__typename) ? "Media" : __typename}-${n}`;
    case "code":
      return ["plain", 'quo"te', "é漢", "back\\", "new\nline", ""][n];
    case "num":
      return n * 700_000_001 - 2147483648;
    case "sku":
      return `sku/${n >> 1}`;
    case "region":
      return n & 1;
    case "serial":
      return n === 2 ? null : String(n + 100);
    case "org":
      return { __typename: "Org", n };
    default:
      return undefined;
  }
}

/** The object as those have it who know the types of Media. */
export function typed(object: RandomObject): RandomObject {
  const __typename = MEDIA[object.n % MEDIA.length];
  return object.__typename === "Media" && __typename !== undefined ? { ...object, __typename } : object;
}

/** The object that a representation means. */
export function objectOf(representation: Record<string, unknown>): RandomObject | undefined {
  const { __typename, ...given } = representation as { __typename: string };
  const known = Object.entries(given).filter(([name]) => name in KEY_FIELDS || name === "org");
  for (let n = 0; n < OBJECTS; n++) {
    if (known.every(([name, value]) => isKey({ __typename, n }, name, value)))
      return { __typename, n, given };
  }
  return undefined;
}

/** The objects by their keys, where that is what the field gives: a list of them, or one. */
export function byKeys(
  field: string,
  type: GraphQLOutputType,
  args: Readonly<Record<string, unknown>>,
): { found: RandomObject | null | (RandomObject | null)[] } | undefined {
  const [, many, key] = /(By|Of)_(\w+)$/.exec(field) ?? [];
  if (key === undefined) return undefined;
  const __typename = getNamedType(type).name;
  const find = (each: unknown) =>
    objectOf({ __typename, ...(key === "keys" ? (each as object) : { [key]: each }) }) ?? null;
  const [keys] = Object.values(args);
  return { found: many === "By" ? (keys as unknown[]).map(find) : find(keys) };
}

function isKey(object: Pick<RandomObject, "__typename" | "n">, name: string, value: unknown): boolean {
  const own = keyValue(object, name);
  // Services take ids that are numbers too.
  if (name === "serial" || name === "id") return own === null ? value === null : own === String(value);
  if (name !== "org") return own === value;
  const org = own as RandomObject;
  return Object.entries(value as object).every(([field, part]) => {
    return field === "__typename" || keyValue(org, field) === part;
  });
}
