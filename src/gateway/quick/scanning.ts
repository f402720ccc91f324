/**
 * Code that goes over a value in an answer's text and finds it to be what the client is to get, so that its bytes can
 * go on as they are: from where it begins to where it ends, or to -1. Knows types and forms; nothing of requests.
 */
import {
  type GraphQLLeafType,
  type GraphQLOutputType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
} from "graphql";
import { type Code, literal } from "./code.ts";
import { isEnd, scanBoolean, scanInt, scanNumber, scanString, scanValue } from "./json-scan.ts";
import type { FormField, RecordForm } from "./record-forms.ts";
import { fieldsPattern } from "./scan-patterns.ts";

export const SCANNERS = {
  STRING: scanString,
  INT: scanInt,
  NUMBER: scanNumber,
  BOOLEAN: scanBoolean,
  VALUE: (text: string, start: number) => scanValue(text, start),
  /** Any value but null. */
  THERE: (text: string, start: number) => (text.startsWith("null", start) ? -1 : scanValue(text, start)),
  isEnd,
};

/** Writes the function. `type`: undefined where any value will do; `form`: of the value's objects, where it has some. */
export function scanFunction(
  code: Code,
  type: GraphQLOutputType | undefined,
  form: RecordForm | undefined,
): string {
  if (!type) return "VALUE";
  const nullable = isNonNullType(type) ? type.ofType : type;
  const value = isListType(nullable)
    ? scanList(code, scanFunction(code, nullable.ofType, form))
    : isLeafType(nullable)
      ? scanLeaf(code, nullable)
      : scanObject(code, form as RecordForm);
  if (nullable !== type) return value === "VALUE" ? "THERE" : value;
  if (value === "VALUE") return value;
  return code.declare(`(t,i){return t.startsWith("null",i)?i+4:${value}(t,i)}`);
}

function scanObject(code: Code, { variants, isAbstract }: RecordForm): string {
  const cases = [...variants].map(([type, fields]) => {
    const steps = scanFields(code, fields, isAbstract ? "," : "{", "return-1");
    return [type, `${steps}return t.charCodeAt(i)===125?i+1:-1`] as const;
  });
  if (!isAbstract) return code.declare(`(t,i){${cases[0]?.[1]}}`);
  return code.declare(`(t,i){${byTypename(cases, "return-1")}}`);
}

/**
 * Statements that go over fields one after the other. `opening`: what comes before the first; `otherwise`: what is done
 * where there is something else.
 */
export function scanFields(
  code: Code,
  fields: readonly FormField[],
  opening: string,
  otherwise: string,
): string {
  const steps = fields.map((field, i) => {
    const name = `${i === 0 ? opening : ","}${literal(field.alias)}:`;
    const value = scanFunction(code, field.type, field.below);
    return `if(!t.startsWith(${literal(name)},i))${otherwise};i=${value}(t,i+${name.length});if(i<0)${otherwise};`;
  });
  const pattern = fieldsPattern(fields, opening);
  if (pattern === undefined) return steps.join("");
  // Half of a number is none.
  const tried = code.pattern(`${pattern}(?=[,}])`);
  return `${tried}.lastIndex=i;if(${tried}.test(t))i=${tried}.lastIndex;else{${steps.join("")}}`;
}

/** Statements for an object that begins with its type's name, by that; `otherwise`: for any other. */
export function byTypename(
  cases: readonly (readonly [type: string, then: string])[],
  otherwise: string,
): string {
  const begin = '{"__typename":"';
  const named = cases.map(([type, then]) => `case ${literal(type)}:{${then}}`).join("");
  return `if(!t.startsWith(${literal(begin)},i))${otherwise};i+=${begin.length};const q=t.indexOf('"',i),n=t.slice(i,q);i=q+1;switch(n){${named}default:${otherwise}}`;
}

function scanList(code: Code, item: string): string {
  return code.declare(
    `(t,i){if(t.charCodeAt(i)!==91)return-1;i++;if(t.charCodeAt(i)===93)return i+1;for(;;){i=${item}(t,i);if(i<0)return-1;const c=t.charCodeAt(i);if(c===93)return i+1;if(c!==44)return-1;i++}}`,
  );
}

/** The scalars that are a service's own may be anything. */
function scanLeaf(code: Code, type: GraphQLLeafType): string {
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
      return "VALUE";
  }
}
