/**
 * Code that checks a leaf's value by its type, as graphql-js and the reference road do, and leaves what they would
 * change or refuse to them. Knows types; nothing of where a value comes from.
 */
import { type GraphQLLeafType, type GraphQLNamedType, isEnumType } from "graphql";
import type { Code } from "./code.ts";

/** An expression for the value of the variable `x`, which is neither null nor undefined. `B()` leaves the quick road. */
export function leafValue(code: Code, type: GraphQLLeafType): string {
  if (isEnumType(type)) {
    const values = code.constant(new Set(type.getValues().map(({ value }) => value)));
    return `(${values}.has(x)?x:B())`;
  }
  if (type.name === "ID") return '(typeof x==="string"?x:Number.isSafeInteger(x)?""+x:B())';
  // Of a custom scalar's numbers, parsing may have lost digits.
  const wrong = wrongValue(type) ?? 'typeof x!=="string"&&typeof x!=="boolean"';
  return `(${wrong}?B():x)`;
}

/** Whether `x`, which is there, is not of the type; undefined where any value may be of it. */
export function wrongValue(type: GraphQLNamedType | undefined): string | undefined {
  if (isEnumType(type)) return 'typeof x!=="string"';
  switch (type?.name) {
    case "Int":
      return "(x|0)!==x";
    case "Float":
      return "!Number.isFinite(x)";
    case "Boolean":
      return 'typeof x!=="boolean"';
    case "String":
      return 'typeof x!=="string"';
    case "ID":
      return 'typeof x!=="string"&&!Number.isInteger(x)';
    default:
      return undefined;
  }
}
