/**
 * One service's part of the graph: its schema as the gateway shows it, and what is compared when graphs meet.
 * Built once for each SDL. Knows one schema only; nothing of the others, of the registry or of HTTP.
 */
import type { SubschemaConfig, Transform } from "@graphql-tools/delegate";
import type { Executor } from "@graphql-tools/utils";
import { RenameRootFields, RenameRootTypes, RenameTypes, wrapSchema } from "@graphql-tools/wrap";
import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  type OperationTypeNode,
  parse,
  validateSchema,
} from "graphql";
import { BobbinError, messageOf } from "../errors.ts";

export interface Subgraph {
  readonly name: string;
  /** Identifies the SDL together with the settings that change what is shown of it. */
  readonly hash: string;
  readonly sdl: string;
  readonly namespace: string | null;
  /** `Query.field`, for every root field that the gateway shows. */
  readonly rootFields: readonly string[];
  /** Type name → a text that is equal for types that are the same but for order and descriptions. */
  readonly types: ReadonlyMap<string, string>;
  readonly config: SubschemaConfig;
}

export interface SubgraphSource {
  readonly name: string;
  readonly sdl: string;
  readonly namespace: string | null;
}

/** What federation and stitching add to a service for the gateway's use, never shown. */
const HIDDEN_ROOT_FIELDS = new Set(["_sdl", "_service", "_entities"]);
const HIDDEN_TYPES = new Set(["_Any", "_Entity", "_Service"]);
const MAX_SDL_LENGTH = 8 * 1024 * 1024;

export function subgraphHash({ sdl, namespace }: Omit<SubgraphSource, "name">): string {
  return Bun.hash(`${namespace ?? ""}\n${sdl}`).toString(36);
}

/** Parses and checks the SDL. Throws SCHEMA_INVALID. */
export function buildSubgraph(source: SubgraphSource, executor: Executor): Subgraph {
  const { name, sdl, namespace } = source;
  if (sdl.length > MAX_SDL_LENGTH) throw invalid(`it is longer than ${MAX_SDL_LENGTH} characters`);
  const schema = buildSchema(sdl);
  const transforms = [
    ...rootTypeTransforms(schema),
    ...(namespace === null ? [] : namespaceTransforms(schema, namespace)),
  ];
  const shown = transforms.length > 0 ? wrapSchema({ schema, transforms }) : schema;
  return {
    name,
    hash: subgraphHash(source),
    sdl,
    namespace,
    rootFields: rootFieldsOf(shown),
    types: typesOf(shown),
    config: { schema, executor, transforms, batch: true },
  };
}

function buildSchema(sdl: string): GraphQLSchema {
  let schema: GraphQLSchema;
  try {
    schema = buildASTSchema(withoutHidden(parse(sdl, { noLocation: true })));
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
  const [problem] = validateSchema(schema);
  if (problem) throw invalid(problem.message);
  return schema;
}

function invalid(problem: string, cause?: unknown): BobbinError {
  return new BobbinError("SCHEMA_INVALID", `The schema is not valid: ${problem}`, { cause });
}

/** Root types get the names that they have in the graph, because the service's other types may lead back to them. */
function rootTypeTransforms(schema: GraphQLSchema): Transform[] {
  const shown = new Map(rootTypes(schema).map(({ operation, type }) => [type.name, rootName(operation)]));
  const renamed = [...shown].filter(([name, standard]) => name !== standard);
  // Another type that has the standard name is in the way; composing says so.
  if (renamed.length === 0 || renamed.some(([, standard]) => schema.getType(standard))) return [];
  return [new RenameRootTypes((name) => shown.get(name) ?? name)];
}

function namespaceTransforms(schema: GraphQLSchema, namespace: string): Transform[] {
  const rename = (name: string) => `${namespace}_${name}`;
  const renameFields = new RenameRootFields((_operation, name) => rename(name));
  const names = Object.keys(schema.getTypeMap());
  if (!names.some((name) => schema.getType(rename(name)))) return [new RenameTypes(rename), renameFields];
  // RenameTypes skips a type whose new name is still another's, so all of them step aside first.
  let aside = rename("");
  while (names.some((name) => name.startsWith(aside))) aside += "_";
  return [
    new RenameTypes((name) => `${aside}${name}`),
    new RenameTypes((name) => rename(name.slice(aside.length))),
    renameFields,
  ];
}

function withoutHidden(document: DocumentNode): DocumentNode {
  const roots = new Set(["Query", "Mutation", "Subscription"]);
  for (const node of document.definitions) {
    if (node.kind !== "SchemaDefinition") continue;
    for (const { type } of node.operationTypes) roots.add(type.name.value);
  }
  return { ...document, definitions: document.definitions.flatMap((node) => shownPart(node, roots)) };
}

function shownPart(node: DefinitionNode, roots: ReadonlySet<string>): DefinitionNode[] {
  const name = "name" in node ? node.name?.value : undefined;
  if (name && HIDDEN_TYPES.has(name)) return [];
  const isRoot =
    name && roots.has(name) && (node.kind === "ObjectTypeDefinition" || node.kind === "ObjectTypeExtension");
  if (!isRoot) return [node];
  const fields = (node.fields ?? []).filter((field) => !HIDDEN_ROOT_FIELDS.has(field.name.value));
  return [{ ...node, fields }];
}

function rootTypes(schema: GraphQLSchema) {
  return (["query", "mutation", "subscription"] as OperationTypeNode[]).flatMap((operation) => {
    const type = schema.getRootType(operation);
    return type ? [{ operation, type }] : [];
  });
}

/** `Query`, `Mutation` or `Subscription`. */
function rootName(operation: OperationTypeNode): string {
  return `${operation[0]?.toUpperCase()}${operation.slice(1)}`;
}

function rootFieldsOf(schema: GraphQLSchema): string[] {
  return rootTypes(schema).flatMap(({ operation, type }) => {
    return Object.keys(type.getFields()).map((field) => `${rootName(operation)}.${field}`);
  });
}

function typesOf(schema: GraphQLSchema): Map<string, string> {
  const roots = new Set<GraphQLNamedType>(rootTypes(schema).map(({ type }) => type));
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !roots.has(type) && !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  return new Map(types.map((type) => [type.name, shapeOf(type)]));
}

/** A text of what matters of a type, in alphabetical order. */
function shapeOf(type: GraphQLNamedType): string {
  if (isObjectType(type) || isInterfaceType(type)) {
    const fields = Object.values(type.getFields()).map((field) => {
      const args = field.args.map((arg) => `${arg.name}: ${arg.type} = ${JSON.stringify(arg.defaultValue)}`);
      return `${field.name}(${args.sort().join(", ")}): ${field.type}`;
    });
    const interfaces = type.getInterfaces().map(({ name }) => name);
    return `${isObjectType(type) ? "type" : "interface"} & ${interfaces.sort().join(" & ")} { ${fields.sort().join("; ")} }`;
  }
  if (isUnionType(type)) return `union ${names(type.getTypes())}`;
  if (isEnumType(type)) return `enum ${names(type.getValues())}`;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    return `input${type.isOneOf ? " @oneOf" : ""} ${fields
      .map((field) => `${field.name}: ${field.type} = ${JSON.stringify(field.defaultValue)}`)
      .sort()
      .join("; ")}`;
  }
  return "scalar";
}

function names(of: readonly { name: string }[]): string {
  return of
    .map(({ name }) => name)
    .sort()
    .join(" | ");
}
