/**
 * Whether a request's variables can go to services as they were parsed. What is wrong with others, and how the numbers
 * of custom scalars are kept, is the reference road's. Knows types and values; nothing of services.
 */
import {
  type GraphQLInputType,
  type GraphQLSchema,
  getVariableValues,
  isEnumType,
  isListType,
  isNonNullType,
  isScalarType,
  isSpecifiedScalarType,
  type OperationDefinitionNode,
  typeFromAST,
} from "graphql";

export type Variables = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** `text`: the request that they were parsed from. */
export type VariablesCheck = (variables: Variables, text: string) => boolean;

export function variablesCheck(schema: GraphQLSchema, operation: OperationDefinitionNode): VariablesCheck {
  const definitions = operation.variableDefinitions ?? [];
  const areValid = (variables: Variables) =>
    getVariableValues(schema, definitions, variables, { maxErrors: 1 }).errors === undefined;
  const simple: { name: string; check: Check; mayLack: boolean }[] = [];
  for (const { variable, type: node, defaultValue } of definitions) {
    const type = typeFromAST(schema, node as never) as GraphQLInputType | undefined;
    const check = type && checkOf(type);
    // Objects, and scalars that services check themselves.
    if (!type || !check) return (variables, text) => isExact(text) && areValid(variables);
    const mayLack = defaultValue !== undefined || !isNonNullType(type);
    simple.push({ name: variable.name.value, check, mayLack });
  }
  return (variables) => {
    for (const { name, check, mayLack } of simple) {
      const value = variables[name];
      if (value === undefined ? !mayLack : !check(value)) return false;
    }
    return true;
  };
}

/** Undefined where values of the type are not told apart so easily. */
function checkOf(type: GraphQLInputType): Check | undefined {
  if (isNonNullType(type)) {
    const inner = checkOf(type.ofType);
    return inner && ((value) => value !== null && inner(value));
  }
  if (isListType(type)) {
    const inner = checkOf(type.ofType);
    return inner && ((value) => (Array.isArray(value) ? value.every(inner) : inner(value)));
  }
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => value === null || (typeof value === "string" && names.has(value));
  }
  if (!isScalarType(type) || !isSpecifiedScalarType(type)) return undefined;
  switch (type.name) {
    case "Int":
      return (value) => value === null || (typeof value === "number" && (value | 0) === value);
    case "Float":
      return (value) => value === null || Number.isFinite(value);
    case "Boolean":
      return (value) => value === null || typeof value === "boolean";
    case "ID":
      return (value) => value === null || typeof value === "string" || Number.isSafeInteger(value);
    default:
      return (value) => value === null || typeof value === "string";
  }
}

/** A number with a fraction, an exponent or many digits, as far as it can be seen without parsing. */
const MAY_LOSE_DIGITS = /\d[.eE]|\d{16}|-0/;

function isExact(text: string): boolean {
  return !MAY_LOSE_DIGITS.test(text);
}
