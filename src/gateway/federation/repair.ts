/**
 * Mends what @theguild/federation-composition 0.27.0 leaves out of a supergraph, as the public federation audit shows:
 * - a field that one subgraph has as an object and another as a union or interface of it has the wider type
 *   (audit: union-intersection);
 * - a field that an interface's object type declares @external is external there (interface-object-with-requires).
 * Knows documents; nothing of services or of planning.
 */
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  print,
  type TypeNode,
} from "graphql";
import { namedTypeOf } from "./join-directives.ts";
import { Supergraph } from "./supergraph.ts";

export interface NamedDocument {
  readonly name: string;
  readonly document: DocumentNode;
}

/** A field as one subgraph declares it. */
interface Declared {
  readonly type: TypeNode;
  readonly isExternal: boolean;
}

/** `Type.field` → subgraph → its declaration. */
type Declarations = ReadonlyMap<string, ReadonlyMap<string, Declared>>;

export function repaired(document: DocumentNode, subgraphs: readonly NamedDocument[]): DocumentNode {
  const supergraph = new Supergraph(document);
  const declarations = declarationsOf(supergraph, subgraphs);
  return {
    ...document,
    definitions: document.definitions.map((node) => repairedType(node, supergraph, declarations)),
  };
}

function repairedType(
  node: DefinitionNode,
  supergraph: Supergraph,
  declarations: Declarations,
): DefinitionNode {
  if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) return node;
  const type = node.name.value;
  const fields = node.fields?.map((field) => {
    const declared = declarations.get(`${type}.${field.name.value}`);
    if (!declared) return field;
    return withExternal(type, withWiderType(field, declared, supergraph), declared, supergraph);
  });
  return { ...node, fields: fields ?? [] } as DefinitionNode;
}

function withWiderType(
  field: FieldDefinitionNode,
  declared: ReadonlyMap<string, Declared>,
  supergraph: Supergraph,
): FieldDefinitionNode {
  const types = [...declared.values()].map(({ type }) => type);
  const names = new Set(types.map(namedTypeOf));
  const widest = types.find((type) => [...names].every((name) => supergraph.covers(namedTypeOf(type), name)));
  if (names.size < 2 || !widest || namedTypeOf(widest) === namedTypeOf(field.type)) return field;
  const others = (field.directives ?? []).filter(({ name }) => name.value !== "join__field");
  const joins = [...declared].map(([graph, { type }]) => {
    const known = field.directives?.find((join) => isJoinOf(join, graph));
    const args = (known?.arguments ?? []).filter(
      ({ name }) => name.value !== "graph" && name.value !== "type",
    );
    const [graphArg, typeArg] = [join(graph), text("type", print(type))];
    return { ...graphArg, arguments: [...(graphArg.arguments ?? []), typeArg, ...args] };
  });
  const isNullable = types.some(({ kind }) => kind !== Kind.NON_NULL_TYPE);
  const type = isNullable && widest.kind === Kind.NON_NULL_TYPE ? widest.type : widest;
  return { ...field, type, directives: [...others, ...joins] };
}

function withExternal(
  type: string,
  field: FieldDefinitionNode,
  declared: ReadonlyMap<string, Declared>,
  supergraph: Supergraph,
): FieldDefinitionNode {
  const isJoined = field.directives?.some(({ name }) => name.value === "join__field");
  const isLost = [...declared].some(
    ([graph, { isExternal }]) => isExternal && supergraph.isInterfaceObject(type, graph),
  );
  if (isJoined || !isLost) return field;
  const joins = [...declared].map(([graph, { isExternal }]) => {
    const known = join(graph);
    return isExternal ? { ...known, arguments: [...(known.arguments ?? []), EXTERNAL] } : known;
  });
  return { ...field, directives: [...(field.directives ?? []), ...joins] };
}

function isJoinOf({ name, arguments: args = [] }: ConstDirectiveNode, graph: string): boolean {
  return (
    name.value === "join__field" &&
    args.some(({ name: key, value }) => key.value === "graph" && "value" in value && value.value === graph)
  );
}

function declarationsOf(supergraph: Supergraph, subgraphs: readonly NamedDocument[]): Declarations {
  const enums = new Map([...supergraph.graphs].map(([graph, name]) => [name, graph]));
  const declarations = new Map<string, Map<string, Declared>>();
  for (const { name, document } of subgraphs) {
    const graph = enums.get(name);
    if (graph === undefined) continue;
    const roots = rootNames(document);
    for (const node of document.definitions) {
      if (!("fields" in node) || node.kind.startsWith("InputObject")) continue;
      const type = roots.get(node.name.value) ?? node.name.value;
      for (const field of (node as ObjectTypeDefinitionNode).fields ?? []) {
        const id = `${type}.${field.name.value}`;
        const byGraph = declarations.get(id) ?? new Map<string, Declared>();
        declarations.set(id, byGraph);
        const isExternal = (field.directives ?? []).some(({ name: { value } }) => EXTERNALS.has(value));
        byGraph.set(graph, { type: field.type, isExternal });
      }
    }
  }
  return declarations;
}

const EXTERNALS = new Set(["external", "federation__external"]);

/** The names that a subgraph gives its root types → those that they have in the graph. */
function rootNames({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const node of definitions) {
    if (node.kind !== Kind.SCHEMA_DEFINITION && node.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const { operation, type } of node.operationTypes ?? [])
      names.set(type.name.value, `${operation[0]?.toUpperCase()}${operation.slice(1)}`);
  }
  return names;
}

const argument = (name: string, value: NonNullable<ConstDirectiveNode["arguments"]>[number]["value"]) =>
  ({ kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: name }, value }) as const;

const text = (name: string, value: string) => argument(name, { kind: Kind.STRING, value });

const EXTERNAL = argument("external", { kind: Kind.BOOLEAN, value: true });

function join(graph: string): ConstDirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: "join__field" },
    arguments: [argument("graph", { kind: Kind.ENUM, value: graph })],
  };
}
