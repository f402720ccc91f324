/**
 * The schema of the whole graph, put together from its islands' types: what clients' documents are checked against
 * and what introspection shows. It executes nothing. Knows types; nothing of services.
 *
 * A type that no other island has is taken as it is, so that this costs little more than counting the types.
 */
import {
  type GraphQLFieldConfigArgumentMap,
  type GraphQLFieldConfigMap,
  type GraphQLFieldMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInterfaceType,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLType,
  GraphQLUnionType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
  type OperationTypeNode,
} from "graphql";
import { rootName } from "../subgraph/reshape.ts";
import { JoinedSchema, JoinedType } from "./joined-schema.ts";

type TypeOf = (type: GraphQLNamedType) => GraphQLNamedType;

/** An island's types as they are in the graph. */
interface Mounted {
  /** The island's types that another island has first → that one's. */
  readonly foreign: ReadonlyMap<string, GraphQLNamedType>;
  readonly types: ReadonlyMap<string, GraphQLNamedType>;
  /** By the names of the root types. */
  readonly rootFields: ReadonlyMap<string, GraphQLFieldMap<unknown, unknown>>;
}

const OPERATIONS = ["query", "mutation", "subscription"] as OperationTypeNode[];

export class GraphSchemas {
  /** As each island was mounted last. */
  readonly #mounted = new WeakMap<GraphQLSchema, Mounted>();
  /** Scalars and enums that several islands have: they stay when the island that had them first goes. */
  #leaves: ReadonlyMap<string, GraphQLNamedType> = new Map();

  /** The schemas' types and root fields together; of types of one name, which are alike, the first. */
  join(schemas: readonly GraphQLSchema[]): JoinedSchema {
    const types: Record<string, GraphQLNamedType> = Object.create(null);
    const roots = new Map<string, JoinedType>();
    for (const operation of OPERATIONS) {
      const name = rootName(operation);
      if (schemas.some((schema) => schema.getRootType(operation))) roots.set(name, new JoinedType(name));
    }
    const leaves = new Map<string, GraphQLNamedType>();
    for (const schema of schemas) {
      const mounted = this.#mount(schema, types, roots);
      for (const [name, type] of mounted.types) types[name] = type;
      for (const [name, type] of mounted.foreign) {
        if (isLeafType(type)) leaves.set(name, type);
        if (!roots.has(name)) types[name] = type;
      }
      for (const [name, fields] of mounted.rootFields) roots.get(name)?.add(fields);
    }
    this.#leaves = leaves;
    return new JoinedSchema(roots, types);
  }

  #mount(
    schema: GraphQLSchema,
    taken: Readonly<Record<string, GraphQLNamedType>>,
    rootTypes: ReadonlyMap<string, GraphQLObjectType>,
  ): Mounted {
    const foreign = new Map<string, GraphQLNamedType>();
    const own: GraphQLNamedType[] = [];
    const { types, ledTo } = contentOf(schema);
    for (const type of types) {
      const other = taken[type.name] ?? this.#keptLeaf(type);
      if (other && other !== type) foreign.set(type.name, other);
      else own.push(type);
    }
    // What leads back to a root type leads to the whole graph's.
    for (const name of ledTo) {
      const root = rootTypes.get(name);
      if (root) foreign.set(name, root);
    }
    const known = this.#mounted.get(schema);
    if (known && isSame(known.foreign, foreign)) return known;
    const mounted = mount(schema, own, foreign);
    this.#mounted.set(schema, mounted);
    return mounted;
  }

  #keptLeaf(type: GraphQLNamedType): GraphQLNamedType | undefined {
    const kept = this.#leaves.get(type.name);
    return kept && isAlike(kept, type) ? kept : undefined;
  }
}

function isAlike(a: GraphQLNamedType, b: GraphQLNamedType): boolean {
  if (!isEnumType(a) || !isEnumType(b)) return isScalarType(a) && isScalarType(b);
  const names = new Set(a.getValues().map(({ name }) => name));
  return b.getValues().length === names.size && b.getValues().every(({ name }) => names.has(name));
}

function mount(
  schema: GraphQLSchema,
  own: readonly GraphQLNamedType[],
  foreign: ReadonlyMap<string, GraphQLNamedType>,
): Mounted {
  const types = new Map<string, GraphQLNamedType>();
  const typeOf: TypeOf = (type) => foreign.get(type.name) ?? types.get(type.name) ?? type;
  for (const type of own) types.set(type.name, foreign.size === 0 ? type : rebound(type, typeOf));
  for (const type of contentOf(schema).builtIn) types.set(type.name, type);
  const rootFields = new Map(
    OPERATIONS.flatMap((operation) => {
      const root = schema.getRootType(operation);
      if (!root) return [];
      const name = rootName(operation);
      return [[name, new GraphQLObjectType({ name, fields: fieldsOf(root, typeOf) }).getFields()] as const];
    }),
  );
  return { foreign, types, rootFields };
}

/** The type with what it refers to as `typeOf` has it. */
function rebound(type: GraphQLNamedType, typeOf: TypeOf): GraphQLNamedType {
  const all =
    <T extends GraphQLNamedType>(some: readonly T[]) =>
    () =>
      some.map((each) => typeOf(each) as T);
  if (isObjectType(type)) {
    const { fields: _, interfaces, ...config } = type.toConfig();
    return new GraphQLObjectType({
      ...config,
      interfaces: all(interfaces),
      fields: () => fieldsOf(type, typeOf),
    });
  }
  if (isInterfaceType(type)) {
    const { fields: _, interfaces, ...config } = type.toConfig();
    return new GraphQLInterfaceType({
      ...config,
      interfaces: all(interfaces),
      fields: () => fieldsOf(type, typeOf),
    });
  }
  if (isUnionType(type)) {
    const { types, ...config } = type.toConfig();
    return new GraphQLUnionType({ ...config, types: all(types) });
  }
  if (isInputObjectType(type)) {
    const config = type.toConfig();
    const fields = () =>
      Object.fromEntries(
        Object.entries(config.fields).map(([name, field]) => {
          return [name, { ...field, type: reboundType(field.type, typeOf) as GraphQLInputType }];
        }),
      );
    return new GraphQLInputObjectType({ ...config, fields });
  }
  return type;
}

function fieldsOf(
  type: GraphQLObjectType | GraphQLInterfaceType,
  typeOf: TypeOf,
): GraphQLFieldConfigMap<unknown, unknown> {
  const { fields } = type.toConfig();
  for (const [name, { resolve: _, subscribe: __, ...field }] of Object.entries(fields)) {
    const args: GraphQLFieldConfigArgumentMap = {};
    for (const [key, argument] of Object.entries(field.args ?? {}))
      args[key] = { ...argument, type: reboundType(argument.type, typeOf) as GraphQLInputType };
    fields[name] = { ...field, args, type: reboundType(field.type, typeOf) as typeof field.type };
  }
  return fields;
}

function reboundType(type: GraphQLType, typeOf: TypeOf): GraphQLType {
  if (isNonNullType(type)) return new GraphQLNonNull(reboundType(type.ofType, typeOf) as never);
  if (isListType(type)) return new GraphQLList(reboundType(type.ofType, typeOf));
  return typeOf(type);
}

/** What is the same of a schema in every graph. */
interface Content {
  /** Its own types but the root types. */
  readonly types: readonly GraphQLNamedType[];
  /** The scalars of every schema that this one has a use for. */
  readonly builtIn: readonly GraphQLNamedType[];
  /** The root types that other types' fields lead to. */
  readonly ledTo: ReadonlySet<string>;
}

const contents = new WeakMap<GraphQLSchema, Content>();

function contentOf(schema: GraphQLSchema): Content {
  const known = contents.get(schema);
  if (known) return known;
  const roots = new Set<GraphQLNamedType | undefined | null>(
    OPERATIONS.map((operation) => schema.getRootType(operation)),
  );
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !roots.has(type),
  );
  const ledTo = new Set<string>();
  for (const type of types) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const target = getNamedType(field.type);
      if (roots.has(target)) ledTo.add(target.name);
    }
  }
  const builtIn = Object.values(schema.getTypeMap()).filter(isSpecifiedScalarType);
  const content = { types, builtIn, ledTo };
  contents.set(schema, content);
  return content;
}

function isSame(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a].every(([name, type]) => b.get(name) === type);
}
