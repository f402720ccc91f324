/**
 * What a supergraph says, ready to be asked: which subgraph has which field of which type, and by which keys its
 * entities are entered. Knows the join directives; nothing of queries or of how subgraphs are reached.
 */
import {
  type ArgumentNode,
  type ConstDirectiveNode,
  type DocumentNode,
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

interface Membership {
  /** Those by which the subgraph can be asked for the type. */
  readonly keys: Key[];
  /** The subgraph has an object type of the name where the graph has an interface. */
  isInterfaceObject: boolean;
}

interface FieldModel {
  readonly type: TypeNode;
  readonly sources: ReadonlyMap<string, Source>;
}

interface TypeModel {
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

export interface RootNames {
  readonly query: string;
  readonly mutation: string;
  readonly subscription: string;
}

const NONE: ReadonlySet<string> = new Set();

export class Supergraph {
  /** The subgraphs' names, by the names that they have in the join directives. */
  readonly graphs: ReadonlyMap<string, string>;
  readonly roots: RootNames;
  /** Whether it is drawn for each request which subgraph has some field. */
  readonly hasOverrides: boolean;
  readonly #types = new Map<string, TypeModel>();
  /** Abstract type, and the same in one subgraph → its object types. */
  readonly #possible = new Map<string, readonly string[]>();
  readonly #below = new Map<string, ReadonlySet<string>>();

  constructor(document: DocumentNode) {
    const graphs = new Map<string, string>();
    const roots = { query: "Query", mutation: "Mutation", subscription: "Subscription" };
    for (const node of document.definitions) {
      if (node.kind === Kind.SCHEMA_DEFINITION)
        for (const { operation, type } of node.operationTypes) roots[operation] = type.name.value;
      if (node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === "join__Graph") {
        for (const { name, directives } of node.values ?? [])
          graphs.set(name.value, text(named(directives, "join__graph")[0], "name") ?? name.value);
      }
    }
    this.graphs = graphs;
    const byName = new Map([...graphs].map(([graph, name]) => [name, graph]));
    this.roots = roots;
    for (const node of document.definitions) {
      if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION) {
        const kind = node.kind === Kind.OBJECT_TYPE_DEFINITION ? "OBJECT" : "INTERFACE";
        this.#types.set(node.name.value, typeWithFields(kind, node as ObjectTypeDefinitionNode, byName));
      } else if (node.kind === Kind.UNION_TYPE_DEFINITION) {
        this.#types.set(node.name.value, unionType(node));
      }
    }
    this.hasOverrides = [...this.#types.values()].some(({ fields }) =>
      [...fields.values()].some(({ sources }) => [...sources.values()].some(({ override }) => override)),
    );
  }

  isObject(type: string): boolean {
    return this.#types.get(type)?.kind === "OBJECT";
  }

  isRoot(type: string): boolean {
    const { query, mutation, subscription } = this.roots;
    return type === query || type === mutation || type === subscription;
  }

  isInaccessible(type: string): boolean {
    return this.#types.get(type)?.isInaccessible ?? false;
  }

  isUnion(type: string): boolean {
    return this.#types.get(type)?.kind === "UNION";
  }

  /** Whether the subgraph has an object type of this name where the graph has an interface. */
  isInterfaceObject(type: string, graph: string): boolean {
    return this.#types.get(type)?.graphs.get(graph)?.isInterfaceObject ?? false;
  }

  hasType(type: string, graph: string): boolean {
    return this.#types.get(type)?.graphs.has(graph) ?? false;
  }

  hasField(type: string, field: string): boolean {
    return this.#types.get(type)?.fields.has(field) ?? false;
  }

  /** Of an object type itself; of an abstract one, its object types in the whole graph. */
  possibleTypes(type: string): readonly string[] {
    return this.#possibleTypes(type, undefined);
  }

  /** The object types that a field of this type can give in the subgraph. */
  possibleTypesIn(graph: string, type: string): readonly string[] {
    return this.#possibleTypes(type, graph);
  }

  /** The interfaces of an object type, in the whole graph. */
  interfacesOf(type: string): ReadonlySet<string> {
    const all = new Set<string>();
    for (const names of this.#types.get(type)?.interfaces.values() ?? [])
      for (const name of names) all.add(name);
    return all;
  }

  source(type: string, field: string, graph: string): Source | undefined {
    return this.#types.get(type)?.fields.get(field)?.sources.get(graph);
  }

  sources(type: string, field: string): Iterable<Source> {
    return this.#types.get(type)?.fields.get(field)?.sources.values() ?? [];
  }

  /** The name of the field's type as the graph has it. */
  namedFieldType(type: string, field: string): string | undefined {
    const node = this.fieldType(type, field);
    return node && namedTypeOf(node);
  }

  /** Whether what is asked under a condition is asked of an object of the type, which may be an interface's name. */
  covers(condition: string, type: string): boolean {
    return condition === type || (!this.isObject(condition) && this.#covered(condition).has(type));
  }

  /** The object types that some subgraph can be asked for by a key. */
  entityTypes(): string[] {
    return [...this.#types].flatMap(([name, { kind, graphs }]) =>
      kind === "OBJECT" && [...graphs.values()].some(({ keys }) => keys.length > 0) ? [name] : [],
    );
  }

  /** The keys of a type, in all subgraphs. */
  allKeys(type: string): readonly Key[] {
    const keys = [...(this.#types.get(type)?.graphs.values() ?? [])].flatMap((membership) => membership.keys);
    return [...new Map(keys.map((key) => [key.text, key])).values()];
  }

  /** The field's type as the graph has it. */
  fieldType(type: string, field: string): TypeNode | undefined {
    return this.#types.get(type)?.fields.get(field)?.type;
  }

  keys(type: string, graph: string): readonly Key[] {
    return this.#types.get(type)?.graphs.get(graph)?.keys ?? [];
  }

  /** The subgraphs that have the type. */
  graphsOf(type: string): Iterable<string> {
    return this.#types.get(type)?.graphs.keys() ?? [];
  }

  /** The object types below an abstract one, and the interfaces that implement it. */
  #covered(condition: string): ReadonlySet<string> {
    const known = this.#below.get(condition);
    if (known) return known;
    const below = new Set(this.possibleTypes(condition));
    for (const [name, { interfaces }] of this.#types)
      if ([...interfaces.values()].some((names) => names.has(condition))) below.add(name);
    this.#below.set(condition, below);
    return below;
  }

  #possibleTypes(name: string, graph: string | undefined): readonly string[] {
    const id = graph === undefined ? name : `${graph} ${name}`;
    const known = this.#possible.get(id);
    if (known) return known;
    const found = this.#findPossible(name, graph);
    this.#possible.set(id, found);
    return found;
  }

  #findPossible(name: string, graph: string | undefined): readonly string[] {
    const type = this.#types.get(name);
    if (!type) return [];
    if (type.kind === "OBJECT") return [name];
    const isIn = (sets: Map<string, Set<string>>, member: string) =>
      graph === undefined
        ? [...sets.values()].some((names) => names.has(member))
        : (sets.get(graph) ?? NONE).has(member);
    return [...this.#types].flatMap(([member, { kind, interfaces }]) => {
      if (kind !== "OBJECT") return [];
      const isMember = type.kind === "UNION" ? isIn(type.members, member) : isIn(interfaces, name);
      return isMember ? [member] : [];
    });
  }
}

function typeWithFields(
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

function unionType(node: UnionTypeDefinitionNode): TypeModel {
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

function named(directives: readonly ConstDirectiveNode[] | undefined, name: string): ConstDirectiveNode[] {
  return (directives ?? []).filter((directive) => directive.name.value === name);
}

function argumentOf(
  directive: ConstDirectiveNode | undefined,
  name: string,
): ArgumentNode["value"] | undefined {
  return directive?.arguments?.find((argument) => argument.name.value === name)?.value;
}

function text(directive: ConstDirectiveNode | undefined, name: string): string | undefined {
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
