/**
 * Defaults of arguments and input fields with custom scalars in them, whose values may be objects and whose numbers
 * count as they are written. Knows schemas; nothing of services.
 */
import {
  __InputValue,
  astFromValue,
  type ConstValueNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  print,
  valueFromAST,
} from "graphql";
import { isObject } from "./asked-fields.ts";
import { isCustomScalar } from "./custom-scalars.ts";
import { ExactNumber } from "./exact-numbers.ts";

/** Reads the defaults that the schema's nodes have once more, as its scalars read literals now. */
export function readDefaultsAgain(schema: GraphQLSchema): void {
  const done = new Set<GraphQLNamedType>();
  const read = (input: GraphQLArgument | GraphQLInputField): void => {
    // A value of an input object has the defaults of its fields in it.
    readFields(getNamedType(input.type));
    const node = input.astNode?.defaultValue;
    if (node) input.defaultValue = valueFromAST(node, input.type);
  };
  const readFields = (type: GraphQLNamedType): void => {
    if (!isInputObjectType(type) || done.has(type)) return;
    done.add(type);
    for (const field of Object.values(type.getFields())) read(field);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    readFields(type);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { args } of Object.values(type.getFields())) for (const argument of args) read(argument);
  }
  for (const { args } of schema.getDirectives()) for (const argument of args) read(argument);
}

// graphql-js' own way knows no literal for an object or an exact number of a custom scalar, and throws: introspection
// would fail for every client. Its type of introspection is one for all schemas.
const { defaultValue } = __InputValue.getFields();
if (defaultValue)
  defaultValue.resolve = ({ defaultValue, type }: GraphQLArgument) => {
    const literal = literalOf(defaultValue, type);
    return literal ? print(literal) : null;
  };

/** The value as the type's literal; undefined where there is none. */
function literalOf(value: unknown, type: GraphQLInputType): ConstValueNode | undefined {
  const nullable = getNullableType(type);
  if (value === undefined || (value === null && nullable !== type)) return undefined;
  if (value === null) return { kind: Kind.NULL };
  if (isListType(nullable)) {
    if (!Array.isArray(value)) return literalOf(value, nullable.ofType);
    return { kind: Kind.LIST, values: value.flatMap((item) => literalOf(item, nullable.ofType) ?? []) };
  }
  if (isInputObjectType(nullable)) {
    if (!isObject(value)) return undefined;
    return objectOf(
      Object.values(nullable.getFields()).map(({ name, type: of }) => [name, literalOf(value[name], of)]),
    );
  }
  if (isCustomScalar(nullable)) return literal(nullable.serialize(value));
  return (astFromValue(value, nullable) as ConstValueNode | null) ?? undefined;
}

function literal(value: unknown): ConstValueNode | undefined {
  if (value === null) return { kind: Kind.NULL };
  if (typeof value === "boolean") return { kind: Kind.BOOLEAN, value };
  if (typeof value === "string") return { kind: Kind.STRING, value };
  if (typeof value === "number" || value instanceof ExactNumber) {
    const text = String(value);
    return { kind: /^-?\d+$/.test(text) ? Kind.INT : Kind.FLOAT, value: text };
  }
  if (Array.isArray(value)) return { kind: Kind.LIST, values: value.flatMap((item) => literal(item) ?? []) };
  return isObject(value)
    ? objectOf(Object.entries(value).map(([name, member]) => [name, literal(member)]))
    : undefined;
}

function objectOf(members: readonly (readonly [string, ConstValueNode | undefined])[]): ConstValueNode {
  return {
    kind: Kind.OBJECT,
    fields: members.flatMap(([name, value]) =>
      value ? [{ kind: Kind.OBJECT_FIELD, name: { kind: Kind.NAME, value: name }, value }] : [],
    ),
  };
}
