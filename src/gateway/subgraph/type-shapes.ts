/**
 * What is compared of types when graphs meet: everything but order and descriptions.
 * Pure. Knows one schema; nothing of whose it is or what a difference means.
 */
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from "graphql";

export interface TypeShape {
  readonly kind: "type" | "interface" | "union" | "enum" | "input" | "scalar";
  /** Equal for types that are the same. */
  readonly text: string;
  /** Field → a text that is equal for fields of the same type and arguments; of objects and interfaces only. */
  readonly fields?: ReadonlyMap<string, string>;
}

/** Type name → its shape, for every type of the schema's own but the root types. */
export function shapesOf(schema: GraphQLSchema): Map<string, TypeShape> {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const types = Object.values(schema.getTypeMap()).filter(
    (type) =>
      !roots.includes(type as GraphQLObjectType) &&
      !isIntrospectionType(type) &&
      !isSpecifiedScalarType(type),
  );
  return new Map(types.map((type) => [type.name, shapeOf(type)]));
}

function shapeOf(type: GraphQLNamedType): TypeShape {
  if (isObjectType(type) || isInterfaceType(type)) return shapeOfFields(type);
  if (isUnionType(type)) return { kind: "union", text: names(type.getTypes()) };
  if (isEnumType(type)) return { kind: "enum", text: names(type.getValues()) };
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).map(textOf).sort();
    return { kind: "input", text: `${type.isOneOf ? "@oneOf " : ""}${fields.join("; ")}` };
  }
  return { kind: "scalar", text: "" };
}

function shapeOfFields(type: GraphQLObjectType | GraphQLInterfaceType): TypeShape {
  const fields = new Map(Object.values(type.getFields()).map((field) => [field.name, fieldText(field)]));
  const texts = [...fields].map(([name, text]) => name + text).sort();
  const text = `& ${names(type.getInterfaces())} { ${texts.join("; ")} }`;
  return { kind: isObjectType(type) ? "type" : "interface", text, fields };
}

function fieldText({ args, type }: GraphQLField<unknown, unknown>): string {
  return args.length > 0 ? `(${args.map(textOf).sort().join(", ")}): ${type}` : `: ${type}`;
}

function textOf({
  name,
  type,
  defaultValue,
}: {
  name: string;
  type: unknown;
  defaultValue?: unknown;
}): string {
  return defaultValue === undefined
    ? `${name}: ${type}`
    : `${name}: ${type} = ${JSON.stringify(defaultValue)}`;
}

function names(of: readonly { name: string }[]): string {
  return of
    .map(({ name }) => name)
    .sort()
    .join(" | ");
}
