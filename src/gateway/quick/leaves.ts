/**
 * Code that checks a leaf's value by its type, as graphql-js and the reference road do, and leaves what they would
 * change or refuse to them. Knows types; nothing of where a value comes from.
 */
import { type GraphQLLeafType, isEnumType } from "graphql";
import type { Code } from "./code.ts";

/** An expression for the value of the variable `x`, which is neither null nor undefined. `B()` leaves the quick road. */
export function leafValue(code: Code, type: GraphQLLeafType): string {
  if (isEnumType(type)) {
    const values = code.constant(new Set(type.getValues().map(({ value }) => value)));
    return `(${values}.has(x)?x:B())`;
  }
  switch (type.name) {
    case "Int":
      return "((x|0)===x?x:B())";
    case "Float":
      return "(Number.isFinite(x)?x:B())";
    case "Boolean":
      return '(typeof x==="boolean"?x:B())';
    case "String":
      return '(typeof x==="string"?x:B())';
    case "ID":
      return '(typeof x==="string"?x:Number.isSafeInteger(x)?""+x:B())';
    default:
      // Of a custom scalar's numbers, parsing may have lost digits.
      return '(typeof x==="string"||typeof x==="boolean"?x:B())';
  }
}
