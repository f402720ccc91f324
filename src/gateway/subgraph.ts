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
  type GraphQLSchema,
  type OperationTypeNode,
  validateSchema,
} from "graphql";
import { BobbinError, messageOf } from "../errors.ts";
import { declarationProblems } from "./check-declarations.ts";
import {
  type MergeRules,
  mergeRules,
  type SeparateDeclarations,
  separateDeclarations,
} from "./merge-declarations.ts";
import { shapesOf, type TypeShape } from "./type-shapes.ts";

export interface Subgraph {
  readonly name: string;
  /** Identifies the SDL together with the settings that change what is shown of it. */
  readonly hash: string;
  readonly sdl: string;
  readonly namespace: string | null;
  /** `Query.field`, for every root field that the gateway shows. */
  readonly rootFields: readonly string[];
  readonly types: ReadonlyMap<string, TypeShape>;
  readonly mergeable: MergeRules["mergeable"];
  readonly canonical: MergeRules["canonical"];
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

const UNDECLARED: MergeRules = { config: {}, mergeable: new Set(), canonical: new Set() };

/** Parses and checks the SDL. Throws SCHEMA_INVALID. */
export function buildSubgraph(source: SubgraphSource, executor: Executor): Subgraph {
  const { name, sdl, namespace } = source;
  if (sdl.length > MAX_SDL_LENGTH) throw invalid(`it is longer than ${MAX_SDL_LENGTH} characters`);
  const { plain, declared } = attempt(() => separateDeclarations(sdl));
  const schema = buildSchema(plain);
  const transforms = transformsOf(schema, namespace);
  const config = { name, schema, executor, transforms, batch: true };
  const shown = transforms.length > 0 ? wrapSchema(config) : schema;
  const rules = declared ? rulesOf(declared, namespace) : UNDECLARED;
  return {
    name,
    hash: subgraphHash(source),
    sdl,
    namespace,
    rootFields: rootFieldsOf(shown),
    types: shapesOf(shown),
    mergeable: rules.mergeable,
    canonical: rules.canonical,
    config: declared
      ? { ...(namespace === null ? config : asShown(name, shown)), merge: rules.config }
      : config,
  };
}

function buildSchema(document: DocumentNode): GraphQLSchema {
  const schema = attempt(() => buildASTSchema(withoutHidden(document)));
  const [problem] = validateSchema(schema);
  if (problem) throw invalid(problem.message);
  return schema;
}

/**
 * Declarations hold under the names that the graph shows: the `Product` of a service with the namespace Thief merges
 * with other services' `Thief_Product`, and a selection in them that names a type names it so.
 */
function rulesOf(
  declared: NonNullable<SeparateDeclarations["declared"]>,
  namespace: string | null,
): MergeRules {
  const schema = buildSchema(declared);
  const transforms = transformsOf(schema, namespace);
  return attempt(() => {
    const shown = transforms.length > 0 ? wrapSchema({ schema, transforms }) : schema;
    const [problem] = declarationProblems(shown);
    if (problem) throw invalid(problem);
    return mergeRules(shown);
  });
}

/**
 * Stitching looks up merged types by the names before a transform in one place and after it in another, so a service
 * whose types are renamed is stitched as it is shown, and answers through its renamed schema.
 */
function asShown(name: string, shown: GraphQLSchema): SubschemaConfig {
  return { name, schema: shown, batch: true };
}

function attempt<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof BobbinError ? error : invalid(messageOf(error), error);
  }
}

function invalid(problem: string, cause?: unknown): BobbinError {
  return new BobbinError("SCHEMA_INVALID", `The schema is not valid: ${problem}`, { cause });
}

function transformsOf(schema: GraphQLSchema, namespace: string | null): Transform[] {
  return [
    ...rootTypeTransforms(schema),
    ...(namespace === null ? [] : namespaceTransforms(schema, namespace)),
  ];
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
