/**
 * What the join directives of a supergraph say of one type: in which subgraphs it is, by which keys it is entered, and
 * where each field comes from. Pure: syntax in, models out. Knows nothing of queries.
 */
import {
  type ArgumentNode,
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  Kind,
  type NamedTypeNode,
  type ObjectTypeDefinitionNode,
  parse,
  parseType,
  type SelectionSetNode,
  type TypeNode,
  type UnionTypeDefinitionNode,
} from "graphql";

/** Where a field comes from, in one subgraph. */
export interface Source {
  readonly graph: string;
  /** The field's type as this subgraph has it, which may be narrower than the graph's. */
  readonly type: TypeNode;
  /** Declared in this subgraph for its keys or requirements only: answered by others, or where it is provided. */
  readonly isExternal: boolean;
  readonly requires: SelectionSetNode | undefined;
  readonly provides: SelectionSetNode | undefined;
  /** Of a progressive override: this source holds, or does not hold, for this part of the requests. */
  readonly override: Override | undefined;
}

export interface Override {
  readonly label: string;
  /** Whether the source holds where the label is in force (the new owner), or where it is not (the former). */
  readonly whenInForce: boolean;
}

export interface Key {
  readonly text: string;
  readonly fields: SelectionSetNode;
}

export interface Membership {
  /** Those by which the subgraph can be asked for the type. */
  readonly keys: Key[];
  /** The subgraph has an object type of the name where the graph has an interface. */
  isInterfaceObject: boolean;
}

export interface FieldModel {
  readonly type: TypeNode;
  readonly sources: ReadonlyMap<string, Source>;
}

export interface TypeModel {
  /** Clients never see it. */
  readonly isInaccessible: boolean;
  readonly kind: "OBJECT" | "INTERFACE" | "UNION";
  readonly graphs: Map<string, Membership>;
  readonly fields: ReadonlyMap<string, FieldModel>;
  /** Subgraph → the interfaces that the type has there. */
  readonly interfaces: Map<string, Set<string>>;
  /** Subgraph → the members that the union has there. */
  readonly members: Map<string, Set<string>>;
}

export function typeWithFields(
  kind: "OBJECT" | "INTERFACE",
  node: ObjectTypeDefinitionNode,
  graphsByName: ReadonlyMap<string, string>,
): TypeModel {
  const memberships = membershipsOf(node.directives);
  const interfaces = new Map<string, Set<string>>();
  for (const directive of named(node.directives, "join__implements"))
    add(interfaces, enumOf(directive, "graph"), text(directive, "interface"));
  const fields = new Map<string, FieldModel>();
  for (const field of node.fields ?? []) {
    fields.set(field.name.value, { type: field.type, sources: sourcesOf(field, memberships, graphsByName) });
  }
  const isInaccessible = named(node.directives, "inaccessible").length > 0;
  return { isInaccessible, kind, graphs: memberships, fields, interfaces, members: new Map() };
}

export function unionType(node: UnionTypeDefinitionNode): TypeModel {
  const members = new Map<string, Set<string>>();
  for (const directive of named(node.directives, "join__unionMember"))
    add(members, enumOf(directive, "graph"), text(directive, "member"));
  return {
    isInaccessible: named(node.directives, "inaccessible").length > 0,
    kind: "UNION",
    graphs: membershipsOf(node.directives),
    fields: new Map(),
    interfaces: new Map(),
    members,
  };
}

function membershipsOf(directives: readonly ConstDirectiveNode[] | undefined): Map<string, Membership> {
  const memberships = new Map<string, Membership>();
  for (const directive of named(directives, "join__type")) {
    const graph = enumOf(directive, "graph");
    if (graph === undefined) continue;
    const membership = memberships.get(graph) ?? { keys: [], isInterfaceObject: false };
    memberships.set(graph, membership);
    membership.isInterfaceObject ||= flag(directive, "isInterfaceObject") ?? false;
    const key = text(directive, "key");
    if (key !== undefined && flag(directive, "resolvable") !== false) {
      membership.keys.push({ text: key, fields: selectionSetOf(key) });
    }
  }
  return memberships;
}

/** A field without a word on where it comes from is in every subgraph of its type. */
function sourcesOf(
  field: FieldDefinitionNode,
  memberships: ReadonlyMap<string, Membership>,
  graphsByName: ReadonlyMap<string, string>,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  const joins = named(field.directives, "join__field");
  if (joins.length === 0) {
    for (const graph of memberships.keys()) sources.set(graph, plainSource(graph, field.type));
    return sources;
  }
  for (const join of joins) {
    const graph = enumOf(join, "graph");
    const label = text(join, "overrideLabel");
    const isOverridden = flag(join, "usedOverridden") ?? false;
    if (graph === undefined || (isOverridden && label === undefined)) continue;
    sources.set(graph, {
      ...plainSource(graph, typeOf(join) ?? field.type),
      isExternal: flag(join, "external") ?? false,
      requires: selectionSetIn(join, "requires"),
      provides: selectionSetIn(join, "provides"),
    });
  }
  for (const join of joins) {
    const label = text(join, "overrideLabel");
    const from = graphsByName.get(text(join, "override") ?? "");
    const to = enumOf(join, "graph");
    if (label === undefined || to === undefined) continue;
    for (const [graph, whenInForce] of [
      [to, true],
      [from, false],
    ] as const) {
      const source = graph === undefined ? undefined : sources.get(graph);
      if (source) sources.set(source.graph, { ...source, override: { label, whenInForce } });
    }
  }
  return sources;
}

function plainSource(graph: string, type: TypeNode): Source {
  return { graph, type, isExternal: false, requires: undefined, provides: undefined, override: undefined };
}

function typeOf(join: ConstDirectiveNode): TypeNode | undefined {
  const type = text(join, "type");
  return type === undefined ? undefined : parseType(type, { noLocation: true });
}

function selectionSetIn(directive: ConstDirectiveNode, name: string): SelectionSetNode | undefined {
  const fields = text(directive, name);
  return fields === undefined ? undefined : selectionSetOf(fields);
}

/** Throws a syntax error where the text is no selection. */
function selectionSetOf(fields: string): SelectionSetNode {
  const [node] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  if (node?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`no selection: ${fields}`);
  return node.selectionSet;
}

/** The name of the type below lists and non-null. */
export function namedTypeOf(type: TypeNode): string {
  let node: TypeNode = type;
  while (node.kind !== Kind.NAMED_TYPE) node = node.type;
  return (node satisfies NamedTypeNode).name.value;
}

export function named(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): ConstDirectiveNode[] {
  return (directives ?? []).filter((directive) => directive.name.value === name);
}

function argumentOf(
  directive: ConstDirectiveNode | undefined,
  name: string,
): ArgumentNode["value"] | undefined {
  return directive?.arguments?.find((argument) => argument.name.value === name)?.value;
}

export function text(directive: ConstDirectiveNode | undefined, name: string): string | undefined {
  const value = argumentOf(directive, name);
  return value?.kind === Kind.STRING ? value.value : undefined;
}

function enumOf(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = argumentOf(directive, name);
  return value?.kind === Kind.ENUM ? value.value : undefined;
}

function flag(directive: ConstDirectiveNode, name: string): boolean | undefined {
  const value = argumentOf(directive, name);
  return value?.kind === Kind.BOOLEAN ? value.value : undefined;
}

function add(sets: Map<string, Set<string>>, key: string | undefined, member: string | undefined): void {
  if (key === undefined || member === undefined) return;
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  set.add(member);
}
