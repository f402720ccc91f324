/**
 * How a service is asked for its entities by a root field, as its merge rules say: the field, and the values of its
 * arguments for what is known of some objects. Knows merge rules; nothing of plans.
 */
import type { MergedTypeEntryPoint } from "@graphql-tools/delegate";
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isListType,
  parseType,
  type TypeNode,
} from "graphql";
import type { EntityField } from "../federation/plan.ts";
import type { Representation } from "../federation/run.ts";
import type { Lists } from "./one-by-one.ts";

/** A way to ask a service for entities of a type. */
export interface Entry {
  readonly field: EntityField;
  /** Of each argument of the field, its values for some representations: of a list one list, or one for each. */
  valuesOf(representations: readonly Representation[]): Readonly<Record<string, unknown>>;
}

/** Undefined where what a field is given cannot be told from its declaration. */
export function entryOf(schema: GraphQLSchema, point: MergedTypeEntryPoint, lists: Lists): Entry | undefined {
  const { fieldName, key, argsFromKeys, args: argsOf } = point;
  const field = fieldName === undefined ? undefined : schema.getQueryType()?.getFields()[fieldName];
  if (!field) return undefined;
  if (isListType(getNullableType(field.type))) {
    if (!key || !argsFromKeys) return undefined;
    const args = argumentsOf(field, () => argsFromKeys([]));
    return entry(field, args, typeOf, (representations) =>
      inputs(args, argsFromKeys(representations.map((each) => key(each)))),
    );
  }
  if (!argsOf) return undefined;
  const args = argumentsOf(field, () => argsOf({}));
  return entry(
    field,
    args,
    (arg) => lists.listOf(typeOf(arg)),
    (representations) => {
      const each = representations.map((representation) => inputs(args, argsOf(representation)));
      return Object.fromEntries(args.map(({ name }) => [name, each.map((values) => values[name])]));
    },
  );
}

type Field = GraphQLField<unknown, unknown>;

function entry(
  { name }: Field,
  args: readonly GraphQLArgument[],
  type: (arg: GraphQLArgument) => TypeNode,
  valuesOf: Entry["valuesOf"],
): Entry {
  return { field: { name, args: args.map((arg) => ({ name: arg.name, type: type(arg) })) }, valuesOf };
}

const typeOf = ({ type }: GraphQLArgument) => parseType(String(type), { noLocation: true });

/** The field's arguments that get a value. */
function argumentsOf({ args }: Field, given: () => Readonly<Record<string, unknown>>): GraphQLArgument[] {
  const names = Object.keys(given());
  return args.filter(({ name }) => names.includes(name));
}

function inputs(args: readonly GraphQLArgument[], values: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(args.map(({ name, type }) => [name, asInput(type, values[name])]));
}

/** An object's key may say more of it than its input type takes. */
function asInput(outer: GraphQLInputType, value: unknown): unknown {
  const type = getNullableType(outer);
  if (isListType(type) && Array.isArray(value)) return value.map((item) => asInput(type.ofType, item));
  if (!isInputObjectType(type) || typeof value !== "object" || value === null) return value;
  const known = Object.values(type.getFields()).filter(({ name }) => Object.hasOwn(value, name));
  return Object.fromEntries(
    known.map((field) => [field.name, asInput(field.type, (value as Record<string, unknown>)[field.name])]),
  );
}
