/**
 * How types that services share are merged, as one service declares it in its SDL: @key, @merge, @computed and
 * @canonical of graphql-tools. Knows one service's SDL; nothing of who else has its types.
 */
import type {
  MergedTypeConfig,
  MergedTypeEntryPoint,
  MergedTypeResolver,
  SubschemaConfig,
} from "@graphql-tools/delegate";
import { createMergedTypeResolver } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { getDirective, parseSelectionSet } from "@graphql-tools/utils";
import {
  type DirectiveDefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  Kind,
  parse,
  visit,
} from "graphql";
import { messageOf } from "../../errors.ts";

/** An SDL taken apart: the schema alone, and the schema with its declarations where it has any. */
export interface SeparateDeclarations {
  readonly plain: DocumentNode;
  /** Complete with the directives' definitions. */
  readonly declared: DocumentNode | undefined;
}

export interface MergeRules {
  readonly config: NonNullable<SubschemaConfig["merge"]>;
  /** The types that the service can be asked for by a key, and the interfaces that such a field returns. */
  readonly mergeable: ReadonlySet<string>;
  /** `Type` and `Type.field` where the service says that its definition is the one to show. */
  readonly canonical: ReadonlySet<string>;
}

const { stitchingDirectivesTypeDefs, stitchingDirectivesTransformer } = stitchingDirectives();

const DEFINITIONS = new Map(
  parse(stitchingDirectivesTypeDefs, { noLocation: true }).definitions.map((node) => {
    const definition = node as DirectiveDefinitionNode;
    return [definition.name.value, definition];
  }),
);
const MENTION = new RegExp(`@\\s*(?:${[...DEFINITIONS.keys()].join("|")})\\b`);

/** The directives are for the gateway's use: they are in no schema that is composed. */
export function separateDeclarations(sdl: string): SeparateDeclarations {
  const document = parse(sdl, { noLocation: true });
  if (!MENTION.test(sdl)) return { plain: document, declared: undefined };
  const own = new Map<string, DirectiveDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.DIRECTIVE_DEFINITION && DEFINITIONS.has(node.name.value))
      own.set(node.name.value, node);
  const foreign = new Set([...own.values()].filter(isForeign).map(({ name }) => name.value));
  let isDeclared = false;
  visit(document, {
    Directive: ({ name }) => {
      isDeclared ||= DEFINITIONS.has(name.value) && !foreign.has(name.value);
    },
  });
  const plain = without(document, new Set(DEFINITIONS.keys()));
  if (!isDeclared) return { plain, declared: undefined };
  const rest = without(document, foreign);
  const missing = [...DEFINITIONS.values()].filter(
    ({ name }) => !own.has(name.value) || foreign.has(name.value),
  );
  return { plain, declared: { ...rest, definitions: [...rest.definitions, ...missing] } };
}

/** Another directive of this name, such as federation's @key(fields:), declares nothing here. */
function isForeign({ name, arguments: args = [] }: DirectiveDefinitionNode): boolean {
  const known = new Set(DEFINITIONS.get(name.value)?.arguments?.map((arg) => arg.name.value));
  return known.size > 0 && !args.some((arg) => known.has(arg.name.value));
}

function without(document: DocumentNode, directives: ReadonlySet<string>): DocumentNode {
  const drop = ({ name }: { name: { value: string } }) => (directives.has(name.value) ? null : undefined);
  return visit(document, { Directive: drop, DirectiveDefinition: drop });
}

/** The rules of a schema with sound declarations. Throws where graphql-tools finds one that it cannot read. */
export function mergeRules(schema: GraphQLSchema): MergeRules {
  const merge = readRules(schema);
  const config: MergeRules["config"] = {};
  const mergeable = new Set<string>();
  const canonical = new Set<string>();
  const query = schema.getQueryType();
  const roots = new Set(
    [query, schema.getMutationType(), schema.getSubscriptionType()].map((type) => type?.name),
  );
  for (const [type, declared] of Object.entries(merge)) {
    // A root type is not shared: each of its fields has one owner.
    if (roots.has(type)) continue;
    const rule = withEntryPoints(declared);
    config[type] = rule;
    if (rule.fieldName !== undefined || rule.entryPoints) mergeable.add(type);
    if (rule.canonical) canonical.add(type);
    for (const [field, { canonical: isCanonical }] of Object.entries(rule.fields ?? {}))
      if (isCanonical) canonical.add(`${type}.${field}`);
  }
  for (const field of Object.values(query?.getFields() ?? {})) {
    const type = getNamedType(field.type);
    if (isInterfaceType(type) && getDirective(schema, field, "merge")) mergeable.add(type.name);
  }
  return { config, mergeable, canonical };
}

function readRules(schema: GraphQLSchema): MergeRules["config"] {
  try {
    return stitchingDirectivesTransformer({ schema }).merge ?? {};
  } catch (error) {
    throw new Error(`a @merge cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * A @key beside @merge(keyField:) becomes an entry point that no field serves. Left in, it would make a second
 * subschema out of every such service.
 */
function withEntryPoints(rule: MergedTypeConfig): MergedTypeConfig {
  if (!rule.entryPoints) return rule.fieldName === undefined ? rule : { ...rule, ...askedByKey(rule) };
  const { entryPoints, ...rest } = rule;
  const served = entryPoints.filter(({ fieldName }) => fieldName !== undefined).map(askedByKey);
  return served.length === 1 ? { ...rest, ...served[0] } : { ...rest, entryPoints: served };
}

/** An object without its key is asked for nowhere: its null would make the call fail for all objects in it. */
export function askedByKey(entry: MergedTypeEntryPoint): MergedTypeEntryPoint {
  const ask = createMergedTypeResolver(entry);
  const key = entry.selectionSet === undefined ? [] : parseSelectionSet(entry.selectionSet).selections;
  const names = key.flatMap((node) => (node.kind === Kind.FIELD ? [(node.alias ?? node.name).value] : []));
  const resolve: MergedTypeResolver = (object, ...rest) => {
    const missing = names.find((name) => object[name] == null || object[name] instanceof Error);
    return missing === undefined ? ask?.(object, ...rest) : (object[missing] ?? null);
  };
  return { ...entry, resolve };
}
