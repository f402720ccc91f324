/**
 * What is wrong with a registration's merge settings, in the words and names of the registration.
 * Pure. Knows one service's own schema; nothing of the directives that the settings become.
 */
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
} from "graphql";
import type { MergeSetting } from "../../registry/metadata.ts";
import { keyArgumentProblem, signature } from "./check-key-arguments.ts";

type Field = GraphQLField<unknown, unknown>;
type Merged = GraphQLObjectType | GraphQLInterfaceType;

/** The first problem, in one sentence that names the service and the setting. */
export function mergeSettingProblem(
  service: string,
  schema: GraphQLSchema,
  settings: readonly MergeSetting[],
): string | undefined {
  for (const setting of settings) {
    const type = schema.getType(setting.type);
    const field = schema.getQueryType()?.getFields()[setting.field];
    // That they are there was seen when the setting was put into the SDL; what is hidden there is not here.
    if (!field || !(isObjectType(type) || isInterfaceType(type))) continue;
    const problem =
      keyProblem(schema, type, setting) ??
      returnProblem(schema, type, field, setting) ??
      argumentProblem(schema, type, field, setting);
    if (problem === undefined) continue;
    return `metadata.gateway.merge of ${service}, ${type} by Query.${field.name}: ${problem}.`;
  }
  return undefined;
}

function keyProblem(schema: GraphQLSchema, type: Merged, { key, args }: MergeSetting): string | undefined {
  if ([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].includes(type as never))
    return `${type} is a root type, whose fields are not merged`;
  const fields = type.getFields();
  const unknown = key.find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined)
    return `key names "${unknown}", but ${type} has ${Object.keys(fields).join(", ")}`;
  const composite = key.find((name) => !isLeafType(getNamedType(fields[name]?.type)));
  if (composite !== undefined)
    return `key names "${composite}", which is ${fields[composite]?.type}: name fields with plain values`;
  const passed = [...(args ?? "").matchAll(/\$key\.(\w+)/g)].map(([, name = ""]) => name);
  const foreign = passed.find((name) => !key.includes(name));
  return foreign === undefined
    ? undefined
    : `args passes $key.${foreign}, but key names ${key.join(", ")}: add it there, or pass one that is`;
}

function returnProblem(schema: GraphQLSchema, type: Merged, field: Field, { key, args }: MergeSetting) {
  const ofList = getNullableType(field.type);
  const item = isListType(ofList) ? getNullableType(ofList.ofType) : ofList;
  const others = isAbstractType(item) ? schema.getPossibleTypes(item) : [];
  if (item !== type && !others.includes(type as GraphQLObjectType))
    return `it returns ${field.type}, neither ${type} nor a list of ${type}`;
  const keyless = others.find((other) => args === undefined && !other.getFields()[key[0] ?? ""]);
  return keyless && `it returns ${field.type}, of which ${keyless} has no ${key[0]}`;
}

function argumentProblem(schema: GraphQLSchema, type: Merged, field: Field, { args }: MergeSetting) {
  if (args !== undefined) {
    const problem = keyArgumentProblem(schema, type, field, args);
    return problem && `args: ${problem}`;
  }
  const [argument, more] = field.args;
  if (!argument || more) return `it takes ${signature(field)}, so args has to say how the key is passed`;
  if (isInputObjectType(getNamedType(argument.type)))
    return `it takes ${signature(field)}, an object, so args has to say how the key is passed`;
  const takesList = isListType(getNullableType(argument.type));
  if (takesList === isListType(getNullableType(field.type))) return undefined;
  return takesList
    ? `it takes ${signature(field)}, a list of keys, but returns ${field.type}, no list`
    : `it returns ${field.type}, a list, but takes ${signature(field)}, no list of keys`;
}
