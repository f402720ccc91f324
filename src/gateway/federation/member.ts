/**
 * One federated service's part of the graph, before it is composed with the others of its kind.
 * Knows one SDL; composing itself is group.ts's.
 */
import { validateSubgraph } from "@theguild/federation-composition";
import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  parse,
  type TypeDefinitionNode,
  type TypeExtensionNode,
  visit,
} from "graphql";
import { rootFieldsOf } from "../reshape.ts";
import type { StitchedSource } from "../stitched-subgraph.ts";
import { shapesOf } from "../type-shapes.ts";

/** Throws what is wrong with the SDL, or with settings that a federated service cannot have. */
export function memberParts(source: StitchedSource) {
  const { name, sdl, namespace, hide = [], rename = {}, merge = [] } = source;
  const isShaped = namespace || hide.length > 0 || Object.keys(rename).length > 0 || merge.length > 0;
  // Its types are the other federated services' too.
  if (isShaped)
    throw new Error("a federated service takes no namespace, hide, rename or merge (metadata.gateway)");
  const document = parse(sdl, { noLocation: true });
  const [problem] = validateSubgraph({ name, typeDefs: document });
  if (problem) throw new Error(withoutName(problem.message, name));
  const schema = plainSchema(document);
  return {
    document,
    rootFields: rootFieldsOf(schema),
    types: shapesOf(schema),
    mergeable: entitiesOf(document),
    canonical: new Set<string>(),
  };
}

/** What the composition says of a service begins with its name. */
function withoutName(message: string, name: string): string {
  return message.startsWith(`[${name}] `) ? message.slice(name.length + 3) : message;
}

/** The types that have a key: the other services of the graph can ask for them by it. */
function entitiesOf({ definitions }: DocumentNode): Set<string> {
  const entities = new Set<string>();
  for (const node of definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
    if (node.directives?.some(({ name }) => KEYS.has(name.value))) entities.add(node.name.value);
  }
  return entities;
}

const KEYS = new Set(["key", "federation__key"]);

/** What the federation adds for its own use: never shown, in no schema that is compared. */
const MACHINERY =
  /^(_Any|_Entity|_Service|_FieldSet|FieldSet|link__\w+|federation__\w+|join__\w+|core__\w+)$/;
const HIDDEN_FIELDS = new Set(["_service", "_entities", "_sdl"]);

/** The service's own types, with what it extends as if it were its own, and without directives. */
function plainSchema(document: DocumentNode): GraphQLSchema {
  const byName = new Map<string, TypeDefinitionNode>();
  const roots = [];
  for (const node of withoutDirectives(document).definitions) {
    if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION) {
      roots.push(...(node.operationTypes ?? []));
      continue;
    }
    const definition = definitionOf(node);
    if (!definition || MACHINERY.test(definition.name.value)) continue;
    const known = byName.get(definition.name.value);
    byName.set(definition.name.value, known ? join(known, definition) : definition);
  }
  const definitions: DefinitionNode[] = [...byName.values()].map(withoutHiddenFields).filter(hasContent);
  if (roots.length > 0) {
    const present = new Set(definitions.map((node) => ("name" in node ? node.name?.value : "")));
    const operationTypes = roots.filter(({ type }) => present.has(type.name.value));
    definitions.push({ kind: Kind.SCHEMA_DEFINITION, operationTypes });
  }
  return buildASTSchema({ kind: Kind.DOCUMENT, definitions }, { assumeValidSDL: true, assumeValid: true });
}

function withoutDirectives(document: DocumentNode): DocumentNode {
  return visit(document, { Directive: () => null, DirectiveDefinition: () => null });
}

/** An extension as the definition that it may be in another service. */
function definitionOf(node: DefinitionNode): TypeDefinitionNode | undefined {
  if (node.kind.endsWith("TypeDefinition")) return node as TypeDefinitionNode;
  if (!node.kind.endsWith("TypeExtension")) return undefined;
  const kind = node.kind.replace("Extension", "Definition");
  return { ...(node as TypeExtensionNode), kind } as TypeDefinitionNode;
}

const LISTS = ["fields", "interfaces", "types", "values"] as const;

function join(a: TypeDefinitionNode, b: TypeDefinitionNode): TypeDefinitionNode {
  const joined: Record<string, unknown> = { ...a };
  for (const list of LISTS) {
    const items = [...itemsOf(a, list), ...itemsOf(b, list)];
    if (items.length > 0) joined[list] = [...new Map(items.map((item) => [item.name.value, item])).values()];
  }
  return joined as unknown as TypeDefinitionNode;
}

function itemsOf(node: TypeDefinitionNode, list: (typeof LISTS)[number]): { name: { value: string } }[] {
  return (
    ((node as unknown as Record<string, unknown>)[list] as { name: { value: string } }[] | undefined) ?? []
  );
}

function withoutHiddenFields(node: TypeDefinitionNode): TypeDefinitionNode {
  if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) return node;
  return { ...node, fields: (node.fields ?? []).filter(({ name }) => !HIDDEN_FIELDS.has(name.value)) };
}

function hasContent(node: TypeDefinitionNode): boolean {
  return node.kind !== Kind.OBJECT_TYPE_DEFINITION || (node.fields ?? []).length > 0;
}
