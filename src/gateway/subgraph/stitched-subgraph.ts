/**
 * A service whose schema is stitched: a plain one, or one with stitching directives.
 * Knows one SDL and its settings; nothing of the others, of the registry or of HTTP.
 */
import type { SubschemaConfig } from "@graphql-tools/delegate";
import type { Executor } from "@graphql-tools/utils";
import { wrapSchema } from "@graphql-tools/wrap";
import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  validateSchema,
} from "graphql";
import { BobbinError } from "../../errors.ts";
import { notingErrorsBesideValues } from "../values/beside-values.ts";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import { declarationProblems } from "./check-declarations.ts";
import { mergeSettingProblem } from "./check-merge-settings.ts";
import {
  type MergeRules,
  mergeRules,
  type SeparateDeclarations,
  separateDeclarations,
} from "./merge-declarations.ts";
import { withMergeSettings } from "./merge-settings.ts";
import { checkShape, hidden, namesInGraph, rootFieldsOf, type ShapeOf } from "./reshape.ts";
import { shapesOf, type TypeShape } from "./type-shapes.ts";

export interface StitchedSource extends ShapeOf {
  readonly name: string;
  readonly sdl: string;
}

export interface StitchedParts extends Pick<MergeRules, "mergeable" | "canonical"> {
  readonly rootFields: readonly string[];
  readonly types: ReadonlyMap<string, TypeShape>;
  readonly config: SubschemaConfig;
  /** What the service itself has, under its own names. */
  readonly own: GraphQLSchema;
}

/** What federation and stitching add to a service for the gateway's use, never shown. */
const HIDDEN_ROOT_FIELDS = new Set(["_sdl", "_service", "_entities"]);
const HIDDEN_TYPES = new Set(["_Any", "_Entity", "_Service"]);
const UNDECLARED: MergeRules = { config: {}, mergeable: new Set(), canonical: new Set() };

/** Throws what is wrong with the SDL. */
export function stitchedParts(source: StitchedSource, executor: Executor): StitchedParts {
  const { name, sdl, merge = [] } = source;
  const { plain, declared } = separateDeclarations(withMergeSettings(sdl, merge));
  const schema = buildSchema(plain);
  const problem = mergeSettingProblem(name, schema, merge);
  if (problem !== undefined) throw new BobbinError("SCHEMA_INVALID", problem);
  checkShape(schema, source);
  const renaming = namesInGraph(schema, source);
  const hiding = hidden(source);
  const transforms = [...renaming, ...hiding];
  const config = { name, schema, executor: withSchema(executor, schema), transforms, batch: true };
  const shown = transforms.length > 0 ? wrapSchema(config) : schema;
  const rules = declared ? rulesOf(declared, source) : UNDECLARED;
  const named = renaming.length > 0 ? { ...config, transforms: renaming } : undefined;
  return {
    rootFields: rootFieldsOf(shown),
    types: shapesOf(shown),
    mergeable: rules.mergeable,
    canonical: rules.canonical,
    own: schema,
    config: noting(
      declared
        ? { ...(named ? asNamed(name, wrapSchema(named), hiding) : config), merge: rules.config }
        : config,
    ),
  };
}

function noting(config: SubschemaConfig): SubschemaConfig {
  return { ...config, transforms: [notingErrorsBesideValues, ...(config.transforms ?? [])] };
}

/** The executor learns with each request for which schema it was made. */
function withSchema(executor: Executor, schema: GraphQLSchema): Executor {
  return (request) => executor({ ...request, schema, isOwnSchema: true } as typeof request);
}

function buildSchema(document: DocumentNode): GraphQLSchema {
  const schema = readLiteralsExactly(buildASTSchema(withoutHidden(document)));
  const [problem] = validateSchema(schema);
  if (problem) throw problem;
  return schema;
}

/**
 * Declarations hold under the names that the graph shows: the `Product` of a service with the namespace Thief merges
 * with other services' `Thief_Product`, and a selection in them that names a type names it so.
 */
function rulesOf(declared: NonNullable<SeparateDeclarations["declared"]>, shape: ShapeOf): MergeRules {
  const schema = buildSchema(declared);
  const transforms = namesInGraph(schema, shape);
  const shown = transforms.length > 0 ? wrapSchema({ schema, transforms }) : schema;
  const [problem] = declarationProblems(shown);
  if (problem) throw new Error(problem);
  return mergeRules(shown);
}

/**
 * Stitching looks up merged types by the names before a transform in one place and after it in another, so a service
 * whose types are renamed is stitched under its names in the graph, and answers through its renamed schema.
 */
function asNamed(name: string, named: GraphQLSchema, hiding: SubschemaConfig["transforms"]): SubschemaConfig {
  return { name, schema: named, batch: true, ...(hiding?.length ? { transforms: hiding } : {}) };
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
