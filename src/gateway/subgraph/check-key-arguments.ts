/**
 * Whether a field of Query can be called with arguments that are written with `$key`: a wrong one would fail in every
 * query. Pure. Knows one schema and the text; nothing of where that was written.
 */
import {
  GraphQLError,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  KnownArgumentNamesRule,
  ProvidedRequiredArgumentsRule,
  parse,
  UniqueArgumentNamesRule,
  UniqueInputFieldNamesRule,
  type ValidationRule,
  ValuesOfCorrectTypeRule,
  validate,
} from "graphql";
import { messageOf } from "../../errors.ts";

type Field = GraphQLField<unknown, unknown>;

const RULES = [
  KnownArgumentNamesRule,
  ProvidedRequiredArgumentsRule,
  UniqueArgumentNamesRule,
  UniqueInputFieldNamesRule,
  ValuesOfCorrectTypeRule,
];
const KEY = /\$\w+((?:\.\w+)*)/g;
/** Stands for `$key` and the dots behind it, which are no names in GraphQL. */
const MARK = "key__";
const DOT = "__dot__";

/** Why the text does not call the field by a key of `type`, in one sentence without its stop; undefined where it does. */
export function keyArgumentProblem(
  schema: GraphQLSchema,
  type: GraphQLNamedType | undefined,
  field: Field,
  text: string,
): string | undefined {
  const takes = `${field.name} takes ${signature(field)}`;
  const written = text.replace(KEY, (_, path: string) => `$${MARK}${path.replaceAll(".", DOT)}`);
  if (!written.includes(`$${MARK}`)) return `nothing of the key is in it: write $key.name; ${takes}`;
  const isMany = text.includes("[[");
  const outside = written.replace(/\[\[.*?\]\]/gs, "");
  if (/\[\[|\]\]/.test(outside)) return 'each "[[" needs its "]]"';
  if (isMany && outside.includes(`$${MARK}`)) return "beside [[ ]] no key can be passed alone";
  if (isMany !== isListType(getNullableType(field.type))) {
    return isMany
      ? `[[ ]] passes many keys, but ${field.name} returns ${field.type}, no list`
      : `${field.name} returns ${field.type}, so pass many keys at once, as in [[$key.name]]`;
  }
  try {
    const document = parse(`{ ${field.name}(${written.replaceAll("[[", "[").replaceAll("]]", "]")}) }`);
    const [error] = validate(schema, document, [...RULES, keysFitRule(type, isMany ? 1 : 0)], {
      maxErrors: 1,
    });
    if (!error) return undefined;
    return `${asWritten(error)}; ${takes}`;
  } catch (error) {
    return `it cannot be read: ${asWritten(error)}`;
  }
}

function asWritten(error: unknown): string {
  return messageOf(error).replaceAll(MARK, "key").replaceAll(DOT, ".").replace(/\.$/, "");
}

/** A field's arguments as its SDL writes them. */
export function signature({ args }: Field): string {
  if (args.length === 0) return "no arguments";
  return `(${args.map(({ name, type }) => `${name}: ${type}`).join(", ")})`;
}

/** What is passed of a key has to be of the form that is taken; values of leaf types become one another. */
function keysFitRule(type: GraphQLNamedType | undefined, lists: number): ValidationRule {
  return (context) => ({
    Variable(node, _key, _parent, _path, ancestors) {
      const within = ancestors.filter((each) => "kind" in each && each.kind === Kind.LIST);
      if (within.length > lists) {
        context.reportError(new GraphQLError(`$${node.name.value} cannot stand in a list of its own`));
        return;
      }
      const path = node.name.value.split(DOT).slice(1);
      const key = path.length === 0 ? type : typeAt(type, path);
      const taken = context.getInputType();
      if (!key || !taken || fits(taken, key)) return;
      const shown =
        path.length === 0 ? "the whole key, an object" : `${type}.${path.join(".")}, which is ${key}`;
      context.reportError(new GraphQLError(`$${node.name.value} is ${shown}, where ${taken} is taken`));
    },
  });
}

function typeAt(type: GraphQLType | undefined, [name, ...rest]: readonly string[]): GraphQLType | undefined {
  if (name === undefined) return type;
  const from = type && getNamedType(type);
  const field = isObjectType(from) || isInterfaceType(from) ? from.getFields()[name] : undefined;
  return typeAt(field?.type, rest);
}

function fits(taken: GraphQLInputType, key: GraphQLType): boolean {
  const [to, from] = [getNullableType(taken), getNullableType(key)] as [GraphQLInputType, GraphQLType];
  // A single value is a list of one.
  if (isListType(to)) return fits(to.ofType, isListType(from) ? from.ofType : from);
  if (isInputObjectType(to)) return !isListType(from) && !isLeafType(from);
  const isPlain = isEnumType(to) || isSpecifiedScalarType(to);
  return !isPlain || isLeafType(from);
}
