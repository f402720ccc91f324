/**
 * One federated service's part of the graph, before it is composed with the others of its kind.
 * Knows one SDL; composing itself is federation/compose-supergraph.ts's.
 */
import {
  type ASTNode,
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
import { BobbinError } from "../../errors.ts";
import { federationLibrary } from "./federation-library.ts";
import { rootFieldsOf } from "./reshape.ts";
import type { StitchedSource } from "./stitched-subgraph.ts";
import { shapesOf } from "./type-shapes.ts";

/** Throws what is wrong with the SDL, or with settings that a federated service cannot have. */
export function federatedParts(source: StitchedSource) {
  const { name, sdl } = source;
  refuseShape(source);
  const document = parse(sdl, { noLocation: true });
  const [problem] = federationLibrary().validateSubgraph({ name, typeDefs: document });
  if (problem) throw new Error(withoutName(problem.message, name));
  const unserved = unservedDirective(document);
  if (unserved) throw new Error(UNSERVED[unserved]);
  const schema = plainSchema(document);
  const inaccessible = new Set(document.definitions.filter(isInaccessible).map(nameOf));
  return {
    document,
    rootFields: rootFieldsOf(schema),
    types: new Map([...shapesOf(schema)].filter(([type]) => !inaccessible.has(type))),
    mergeable: entitiesOf(document),
    canonical: new Set<string>(),
  };
}

/** Its types are the other federated services' too. */
function refuseShape({ name, namespace, hide = [], rename = {}, merge = [] }: StitchedSource): void {
  const settings = { namespace, hide: hide[0], rename: Object.keys(rename)[0], merge: merge[0] };
  const given = Object.entries(settings).flatMap(([key, value]) => (value ? [key] : []));
  if (given.length === 0) return;
  const message = `metadata.gateway of ${name} has ${given.join(" and ")}: a federated service takes no namespace, hide, rename or merge. Leave them out, or set kind to "plain" if it is not to be federated.`;
  throw new BobbinError("SCHEMA_INVALID", message);
}

/** What the composition says of a service begins with its name. */
function withoutName(message: string, name: string): string {
  return message.startsWith(`[${name}] `) ? message.slice(name.length + 3) : message;
}

const NOT_ENFORCED = (directive: string) =>
  `@${directive} would have to be enforced by the gateway, which bobbin does not do: the field would be open to everybody`;

/** What a gateway would have to do for a service that uses them: to leave it out would be wrong, or a hole. */
const UNSERVED: Readonly<Record<string, string>> = {
  fromContext: "@fromContext is not supported: take the value as an argument",
  authenticated: NOT_ENFORCED("authenticated"),
  requiresScopes: NOT_ENFORCED("requiresScopes"),
  policy: NOT_ENFORCED("policy"),
};

function unservedDirective(document: DocumentNode): string | undefined {
  const renamed = new Map<string, string>();
  visit(document, {
    // An import may give it another name: { name: "@policy", as: "@rule" }.
    ObjectValue({ fields }) {
      const text = (key: string) => fields.find(({ name }) => name.value === key)?.value;
      const [name, as] = [text("name"), text("as")];
      if (name?.kind === Kind.STRING && as?.kind === Kind.STRING)
        renamed.set(as.value.slice(1), name.value.slice(1));
    },
  });
  let found: string | undefined;
  visit(document, {
    Directive({ name }) {
      const directive = renamed.get(name.value) ?? name.value.replace(/^federation__/, "");
      if (Object.hasOwn(UNSERVED, directive)) found ??= directive;
    },
  });
  return found;
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

/** What clients never see is nobody else's concern. */
const INACCESSIBLE = new Set(["inaccessible", "federation__inaccessible"]);

function isInaccessible(node: ASTNode): boolean {
  return "directives" in node && (node.directives ?? []).some(({ name }) => INACCESSIBLE.has(name.value));
}

function nameOf(node: DefinitionNode): string | undefined {
  return "name" in node ? node.name?.value : undefined;
}

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
    const present = new Set(definitions.map(nameOf));
    const operationTypes = roots.filter(({ type }) => present.has(type.name.value));
    definitions.push({ kind: Kind.SCHEMA_DEFINITION, operationTypes });
  }
  return buildASTSchema({ kind: Kind.DOCUMENT, definitions }, { assumeValidSDL: true, assumeValid: true });
}

function withoutDirectives(document: DocumentNode): DocumentNode {
  const hidden = (node: ASTNode) => (isInaccessible(node) ? null : undefined);
  const accessible = visit(document, {
    FieldDefinition: hidden,
    InputValueDefinition: hidden,
    EnumValueDefinition: hidden,
  });
  return visit(accessible, { Directive: () => null, DirectiveDefinition: () => null });
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
