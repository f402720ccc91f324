/**
 * What nearly all values in an answer's text look like, as regular expressions: one of them goes over the fields of an
 * object three times as fast as a step for each. What a pattern does not match may still be right: a text with escapes,
 * a number of ten digits. Knows types and forms; nothing of code.
 */
import { type GraphQLOutputType, isEnumType, isLeafType, isListType, isNonNullType } from "graphql";
import type { FormField, RecordForm } from "./record-forms.ts";

const SCALARS: ReadonlyMap<string, string> = new Map([
  ["String", '"[^"\\\\]*"'],
  ["ID", '"[^"\\\\]*"'],
  ["Int", "-?(?:0|[1-9]\\d{0,8})"],
  ["Float", "-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?"],
  ["Boolean", "(?:true|false)"],
]);
/** More would be tried one after the other. */
const MOST_NAMES = 16;
const LONGEST = 2_000;

/** Of fields one after the other; undefined where there is none. `opening`: what comes before the first. */
export function fieldsPattern(fields: readonly FormField[], opening: string): string | undefined {
  let pattern = "";
  for (const [i, { alias, type, below }] of fields.entries()) {
    const value = type && valuePattern(type, below);
    if (value === undefined) return undefined;
    pattern += `${i === 0 ? opening : ","}"${alias}":${value}`;
  }
  return pattern === "" || pattern.length > LONGEST ? undefined : pattern;
}

function valuePattern(type: GraphQLOutputType, form: RecordForm | undefined): string | undefined {
  const nullable = isNonNullType(type) ? type.ofType : type;
  const there = isListType(nullable)
    ? undefined
    : isLeafType(nullable)
      ? isEnumType(nullable)
        ? enumPattern(nullable.getValues().map(({ name }) => name))
        : SCALARS.get(nullable.name)
      : form && objectPattern(form);
  return there === undefined || nullable !== type ? there : `(?:${there}|null)`;
}

function enumPattern(names: readonly string[]): string | undefined {
  return names.length > MOST_NAMES ? undefined : `"(?:${names.join("|")})"`;
}

function objectPattern({ variants, isAbstract }: RecordForm): string | undefined {
  const [fields] = variants.values();
  if (isAbstract || !fields) return undefined;
  const inner = fieldsPattern(fields, "{");
  return inner && `${inner}}`;
}
