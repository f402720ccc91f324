/**
 * What is wrong with a service's declarations of merging, told to their author: a wrong one would compose well and
 * fail in every query. Pure. Knows one schema whose directives are defined; nothing of who else has its types.
 */
import { getDirective } from "@graphql-tools/utils";
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isSpecifiedScalarType,
  Kind,
  NoUnusedFragmentsRule,
  parse,
  parseValue,
  type SelectionSetNode,
  specifiedRules,
  validate,
} from "graphql";
import { messageOf } from "../../errors.ts";
import { keyArgumentProblem } from "./check-key-arguments.ts";

type Field = GraphQLField<unknown, unknown>;

interface Merge {
  readonly keyField?: string;
  readonly keyArg?: string;
  readonly key?: readonly string[];
  readonly argsExpr?: string;
  readonly additionalArgs?: string;
  readonly types?: readonly string[];
}

/** Each problem in one sentence that says what to do. Throws where a directive's arguments are not of their types. */
export function* declarationProblems(schema: GraphQLSchema): Generator<string> {
  const query = schema.getQueryType();
  const roots = [query, schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const key = selectionOf(schema, type, "key");
    if (key !== undefined) {
      const problem = roots.includes(type) ? "it is a root type" : selectionProblem(schema, type, key);
      if (problem)
        yield `@key of ${type}: ${problem}. Name fields of ${type} that identify it, as in @key(selectionSet: "{ id }").`;
    }
    for (const field of Object.values(type.getFields())) {
      yield* computedProblems(schema, type, field);
      const merge = mergeOf(schema, field);
      if (!merge) continue;
      const place = `@merge of ${type}.${field.name}`;
      if (type !== query) yield `${place}: types are merged by fields of Query only. Move it there.`;
      else for (const problem of mergeProblems(schema, field, merge)) yield `${place}: ${problem}`;
    }
  }
}

function* computedProblems(schema: GraphQLSchema, type: GraphQLObjectType, field: Field): Generator<string> {
  const needed = selectionOf(schema, field, "computed");
  if (needed === undefined) return;
  const place = `@computed of ${type}.${field.name}`;
  const parsed = parseSelection(type, needed);
  if (typeof parsed === "string") {
    yield `${place}: ${parsed}. Name what it needs of other services, as in @computed(selectionSet: "{ price }").`;
  }
  if (selectionOf(schema, type, "key") === undefined) {
    yield `${place}: ${type} has no key. Give the type a @key(selectionSet:).`;
  }
  const isPassed = Object.values(schema.getQueryType()?.getFields() ?? {}).some((other) => {
    const merge = mergeOf(schema, other);
    return merge && merge.keyField === undefined && mergedTypes(schema, other, merge).includes(type);
  });
  if (!isPassed) {
    yield `${place}: no @merge passes what it needs. Give Query a field with @merge and without keyField that returns ${type}; its argument is of an input type with the fields of @key and @computed.`;
  }
}

function* mergeProblems(schema: GraphQLSchema, field: Field, merge: Merge): Generator<string> {
  const { keyField, key, argsExpr, keyArg, additionalArgs } = merge;
  const ofList = getNullableType(field.type);
  const item = isListType(ofList) ? getNullableType(ofList.ofType) : ofList;
  if (!isCompositeType(item)) {
    yield `it returns ${field.type}. Return an object, or a list of objects in the order of their keys.`;
    return;
  }
  if (keyField !== undefined && key) yield "keyField and key exclude each other. Leave one of them out.";
  if (argsExpr !== undefined && (keyArg ?? additionalArgs ?? key) !== undefined) {
    yield "argsExpr says all arguments. Leave keyArg, key and additionalArgs out.";
  }
  const types = mergedTypes(schema, field, merge);
  for (const type of types) yield* keyProblems(schema, type, merge);
  if (argsExpr === undefined) yield* argumentProblems(field, merge);
  else {
    const problem = keyArgumentProblem(schema, types[0], field, argsExpr);
    if (problem !== undefined) yield `argsExpr: ${problem}.`;
  }
}

/** Whether the key that is passed is one of `type`. */
function* keyProblems(schema: GraphQLSchema, type: GraphQLObjectType, merge: Merge): Generator<string> {
  const { keyField, key, argsExpr } = merge;
  if (keyField !== undefined) {
    const problem = selectionProblem(schema, type, `{ ${keyField} }`);
    if (problem) yield `keyField "${keyField}": ${problem}. Name a field of ${type} that identifies it.`;
    return;
  }
  const selections = [selectionOf(schema, type, "key")];
  if (selections[0] === undefined) {
    yield `${type} has no key. Say keyField, or give the type a @key(selectionSet:).`;
  }
  for (const field of Object.values(type.getFields()))
    selections.push(selectionOf(schema, field, "computed"));
  const available = new Set(
    selections.flatMap((text) => (text === undefined ? [] : topLevelNames(type, text))),
  );
  const used = key
    ? key.map((part) => part.replace(/^[^:]*:/, "").split(".")[0] ?? "")
    : [...(argsExpr ?? "").matchAll(/\$key\.(\w+)/g)].map(([, name = ""]) => name);
  const unknown = used.find((name) => !available.has(name));
  if (unknown !== undefined) {
    yield `it passes "${unknown}", which is not in the @key of ${type}. Add it there, or name a field that is.`;
  }
}

/** Whether the field has an argument for the key, and can be called with nothing else. */
function* argumentProblems(field: Field, merge: Merge): Generator<string> {
  const { keyArg, keyField, key } = merge;
  if (keyArg === undefined && field.args.length !== 1) {
    yield `it has ${field.args.length} arguments. Say with keyArg which of them takes the key.`;
    return;
  }
  const path = (keyArg ?? field.args[0]?.name ?? "").split(".");
  const target = argumentAt(field.args, path);
  if (!target) {
    yield `there is no argument "${path.join(".")}". Name one of ${field.args.map(({ name }) => name).join(", ")} as keyArg.`;
    return;
  }
  const takesList = isListType(getNullableType(target.type));
  if (takesList !== isListType(getNullableType(field.type))) {
    yield takesList
      ? `"${target.name}" takes a list, so return a list: one object, or null, for each key in its order.`
      : `it returns a list, so let "${target.name}" take a list of keys.`;
  }
  const type = getNamedType(target.type);
  const isPlain = isSpecifiedScalarType(type) || isEnumType(type);
  if (isPlain && keyField === undefined) {
    const why = key ? "key passes an object" : "without keyField the whole key is passed, an object";
    yield `"${target.name}" takes ${type}, but ${why}. Say keyField, or let it take an input type.`;
  }
  if (isInputObjectType(type) && keyField !== undefined) {
    yield `"${target.name}" takes ${type}, but keyField passes ${keyField} alone. Leave keyField out, or say key.`;
  }
  const given = additionalNames(merge.additionalArgs);
  if (typeof given === "string") {
    yield `additionalArgs: ${given}. Write arguments as in additionalArgs: "first: 10".`;
    return;
  }
  const missing = field.args.find(
    (arg) => arg.name !== path[0] && isRequiredArgument(arg) && !given.has(arg.name),
  );
  if (missing)
    yield `the argument "${missing.name}" is required too. Make it optional, or give it with additionalArgs.`;
}

function argumentAt(
  args: readonly GraphQLArgument[],
  [first, ...rest]: readonly string[],
): GraphQLArgument | GraphQLInputField | undefined {
  let found: GraphQLArgument | GraphQLInputField | undefined = args.find(({ name }) => name === first);
  for (const name of rest) {
    const type = found && getNamedType(found.type);
    found = isInputObjectType(type) ? type.getFields()[name] : undefined;
  }
  return found;
}

/** The names of the arguments, or why the text cannot be read. */
function additionalNames(text: string | undefined): ReadonlySet<string> | string {
  if (text === undefined) return new Set();
  try {
    const value = parseValue(`{ ${text} }`, { noLocation: true });
    return new Set(value.kind === Kind.OBJECT ? value.fields.map(({ name }) => name.value) : []);
  } catch (error) {
    return messageOf(error);
  }
}

function mergedTypes(schema: GraphQLSchema, field: Field, { types }: Merge): readonly GraphQLObjectType[] {
  const type = getNamedType(field.type);
  if (!isAbstractType(type)) return isObjectType(type) ? [type] : [];
  return schema.getPossibleTypes(type).filter(({ name }) => types === undefined || types.includes(name));
}

function mergeOf(schema: GraphQLSchema, field: Field): Merge | undefined {
  return getDirective(schema, field, "merge")?.[0];
}

function selectionOf(
  schema: GraphQLSchema,
  node: Field | GraphQLObjectType,
  directive: "key" | "computed",
): string | undefined {
  return getDirective(schema, node, directive)?.[0]?.selectionSet;
}

const SELECTION_RULES = specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule);

/** Why the text selects nothing of `type`, if so. */
function selectionProblem(schema: GraphQLSchema, type: GraphQLObjectType, text: string): string | undefined {
  const parsed = parseSelection(type, text);
  if (typeof parsed === "string") return parsed;
  const [error] = validate(schema, fragmentOf(type, text), SELECTION_RULES);
  return error && withoutStop(error.message);
}

function topLevelNames(type: GraphQLObjectType, text: string): string[] {
  const parsed = parseSelection(type, text);
  if (typeof parsed === "string") return [];
  return parsed.selections.flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : []));
}

/** The selection, or why the text is none. */
function parseSelection(type: GraphQLObjectType, text: string): SelectionSetNode | string {
  try {
    const [fragment, more] = fragmentOf(type, text).definitions;
    if (fragment?.kind === Kind.FRAGMENT_DEFINITION && !more) return fragment.selectionSet;
    return "it is more than a selection";
  } catch (error) {
    return withoutStop(messageOf(error));
  }
}

function fragmentOf(type: GraphQLObjectType, text: string) {
  return parse(`fragment Selection on ${type.name} ${text}`, { noLocation: true });
}

function withoutStop(message: string): string {
  return message.replace(/\.$/, "");
}
