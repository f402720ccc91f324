/**
 * What a supergraph says, ready to be asked: which subgraph has which field of which type, and by which keys its
 * entities are entered. Knows no directives and nothing of queries or of how subgraphs are reached.
 */
import { type DocumentNode, Kind, type ObjectTypeDefinitionNode, type TypeNode } from "graphql";
import {
  type Key,
  named,
  namedTypeOf,
  type Source,
  type TypeModel,
  text,
  typeWithFields,
  unionType,
} from "./join-directives.ts";

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
