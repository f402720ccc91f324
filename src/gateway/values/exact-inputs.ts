/**
 * Inputs on their way to a service: a custom scalar's numbers go as the client wrote them, whether in variables or
 * in the document. What GraphQL itself defines keeps its rules. Knows types; nothing of requests.
 */
import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isInputType,
  isListType,
  Kind,
  typeFromAST,
  type ValueNode,
} from "graphql";
import { isCustomScalar } from "./custom-scalars.ts";
import { readDefaultsAgain } from "./default-values.ts";
import { ExactNumber, numberOf } from "./exact-numbers.ts";

type Values = Record<string, unknown>;

/** `plain` with what `exact`, the same variables as written, has for the operation's custom scalars. */
export function exactVariables(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  operationName: string | null | undefined,
  plain: Values,
  exact: Values,
): Values {
  const operation = definitions.find((node) => {
    return node.kind === Kind.OPERATION_DEFINITION && (!operationName || node.name?.value === operationName);
  });
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return plain;
  const variables = { ...plain };
  for (const { variable, type } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const inputType = typeFromAST(schema, type as never) as GraphQLNamedType | undefined;
    if (inputType && isInputType(inputType) && Object.hasOwn(plain, name)) {
      variables[name] = exactInput(inputType, plain[name], exact[name]);
    }
  }
  return variables;
}

function exactInput(type: GraphQLInputType, plain: unknown, exact: unknown): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    if (!Array.isArray(plain) || !Array.isArray(exact)) return exactInput(nullable.ofType, plain, exact);
    return plain.map((item, i) => exactInput(nullable.ofType, item, exact[i]));
  }
  if (!isInputObjectType(nullable)) return exactLeaf(nullable, plain, exact);
  if (!isObject(plain) || !isObject(exact)) return plain;
  const value = { ...plain };
  for (const [name, field] of Object.entries(nullable.getFields())) {
    if (Object.hasOwn(plain, name)) value[name] = exactInput(field.type, plain[name], exact[name]);
  }
  return value;
}

/** A leaf's value as written, where its type leaves that to the service; an ID is the text of its digits. */
export function exactLeaf(type: GraphQLNamedType, plain: unknown, exact: unknown): unknown {
  if (isCustomScalar(type)) return exact;
  if (type.name === "ID" && exact instanceof ExactNumber && exact.isInteger) return exact.toString();
  return plain;
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Custom scalars of the schema read literals as they are written from now on, its defaults among them. */
export function readLiteralsExactly(schema: GraphQLSchema): GraphQLSchema {
  const custom = Object.values(schema.getTypeMap()).filter(isCustomScalar);
  for (const type of custom) type.parseLiteral = literal;
  if (custom.length > 0) readDefaultsAgain(schema);
  return schema;
}

function literal(node: ValueNode, variables?: Values | null): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return numberOf(node.value);
    case Kind.LIST:
      return node.values.map((value) => literal(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literal(value, variables)]),
      );
    case Kind.VARIABLE:
      return variables?.[node.name.value];
    default:
      return node.value;
  }
}
