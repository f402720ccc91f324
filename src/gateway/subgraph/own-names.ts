/**
 * A service's own names by those that the graph has for them: what is asked in the graph's names reaches the service in
 * its own, and its answers come back in the graph's. Knows one schema and its settings; nothing of how it is asked.
 */
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLSchema,
  isIntrospectionType,
  isSpecifiedScalarType,
  Kind,
  type NameNode,
  parse,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import { fieldNameInGraph, rootName, rootTypes, type ShapeOf } from "./reshape.ts";
import { sdlOf } from "./schema-text.ts";

export class OwnNames {
  /** The service's schema in the graph's names, root fields that are hidden among them. */
  readonly shown: GraphQLSchema;
  readonly #shape: ShapeOf;
  /** Its root types' names → Query, Mutation and Subscription. */
  readonly #roots: ReadonlyMap<string, string>;
  /** Type in the graph → its own, and the other way round. */
  readonly #own = new Map<string, string>();
  readonly #shown = new Map<string, string>();
  /** `Query.field` in the graph → its own field. */
  readonly #rootFields = new Map<string, string>();

  constructor(schema: GraphQLSchema, shape: ShapeOf) {
    const { namespace = null } = shape;
    this.#shape = shape;
    this.#roots = new Map(rootTypes(schema).map(({ operation, type }) => [type.name, rootName(operation)]));
    for (const type of Object.values(schema.getTypeMap())) {
      if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
      const { name } = type;
      const shown = this.#roots.get(name) ?? (namespace === null ? name : `${namespace}_${name}`);
      this.#own.set(shown, name);
      this.#shown.set(name, shown);
    }
    for (const { operation, type } of rootTypes(schema)) {
      const root = rootName(operation);
      for (const field of Object.keys(type.getFields()))
        this.#rootFields.set(`${root}.${fieldNameInGraph(shape, root, field)}`, field);
    }
    this.shown = readLiteralsExactly(buildASTSchema(this.#shownDocument(schema), { assumeValid: true }));
  }

  /** The document as the service is asked; what other types lead back to of a root type is such a type's too. */
  asked(document: DocumentNode): DocumentNode {
    const types = new TypeInfo(this.shown);
    return visit(
      document,
      visitWithTypeInfo(types, {
        NamedType: (node) => ({ ...node, name: named(node.name, this.#own.get(node.name.value)) }),
        // Once it is left, so that what is below is seen under the names that the types have.
        Field: {
          leave: (node) => {
            const own = this.#rootFields.get(`${types.getParentType()?.name}.${node.name.value}`);
            if (own === undefined || own === node.name.value) return undefined;
            return { ...node, alias: node.alias ?? node.name, name: named(node.name, own) };
          },
        },
      }),
    );
  }

  /** Puts the graph's names of types into the answer to such a document, which has no named fragments. */
  answered(data: unknown, { definitions }: DocumentNode): void {
    const renamed = new Set<object>();
    for (const node of definitions)
      if (node.kind === Kind.OPERATION_DEFINITION) this.#answered(data, node.selectionSet, renamed);
  }

  #answered(data: unknown, set: SelectionSetNode, renamed: Set<object>): void {
    if (Array.isArray(data)) for (const item of data) this.#answered(item, set, renamed);
    else if (typeof data === "object" && data !== null)
      this.#answeredObject(data as Record<string, unknown>, set, renamed);
  }

  #answeredObject(object: Record<string, unknown>, set: SelectionSetNode, renamed: Set<object>): void {
    for (const node of set.selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) continue;
      if (node.kind === Kind.INLINE_FRAGMENT) this.#answeredObject(object, node.selectionSet, renamed);
      else if (node.selectionSet)
        this.#answered(object[(node.alias ?? node.name).value], node.selectionSet, renamed);
      else if (node.name.value === "__typename" && !node.alias && !renamed.has(object)) {
        renamed.add(object);
        object.__typename = this.#shown.get(String(object.__typename)) ?? object.__typename;
      }
    }
  }

  #shownDocument(schema: GraphQLSchema): DocumentNode {
    const rename = <T extends { readonly name: NameNode }>(node: T): T => ({
      ...node,
      name: named(node.name, this.#shown.get(node.name.value)),
    });
    return visit(parse(sdlOf(schema), { noLocation: true }), {
      NamedType: rename,
      ScalarTypeDefinition: rename,
      InterfaceTypeDefinition: rename,
      UnionTypeDefinition: rename,
      EnumTypeDefinition: rename,
      InputObjectTypeDefinition: rename,
      ObjectTypeDefinition: {
        leave: (node) => {
          const root = this.#roots.get(node.name.value);
          const fields = (node.fields ?? []).map((field) => {
            const { value } = field.name;
            const shown = root === undefined ? value : fieldNameInGraph(this.#shape, root, value);
            return { ...field, name: named(field.name, shown) };
          });
          return { ...rename(node), fields };
        },
      },
      // Root types that have the standard names need not be named.
      SchemaDefinition: () => null,
    });
  }
}

function named(node: NameNode, value: string | undefined): NameNode {
  return value === undefined || value === node.value ? node : { ...node, value };
}
