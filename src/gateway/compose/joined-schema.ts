/**
 * A schema, and its root types, of parts that are there already. The library's constructors define every root field
 * and look through every type once more, which with 500 services takes longer than all the rest of a composition.
 * Knows what schemas and object types are asked for; nothing of islands.
 */
import {
  type GraphQLField,
  type GraphQLFieldMap,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  GraphQLObjectType,
  GraphQLSchema,
  isInterfaceType,
  isObjectType,
  specifiedDirectives,
} from "graphql";

type Fields = GraphQLFieldMap<unknown, unknown>;
type Types = Record<string, GraphQLNamedType>;

interface Implementations {
  readonly objects: GraphQLObjectType[];
  readonly interfaces: GraphQLInterfaceType[];
}

/** An object type to which fields are added that are defined already. */
export class JoinedType extends GraphQLObjectType {
  readonly #fields: Fields = Object.create(null);

  constructor(name: string) {
    super({ name, fields: {} });
  }

  add(fields: Readonly<Record<string, GraphQLField<unknown, unknown>>>): void {
    for (const name in fields) this.#fields[name] = fields[name] as Fields[string];
  }

  override getFields(): Fields {
    return this.#fields;
  }
}

/** Everything that the library reads of a schema, it reads by these methods. */
export class JoinedSchema extends GraphQLSchema {
  readonly #roots: ReadonlyMap<string, GraphQLObjectType>;
  readonly #types: Types;
  #implementations: Map<string, Implementations> | undefined;

  /** Both by name. `types`: all others, which lead to no type that is not among them; it is taken over. */
  constructor(roots: ReadonlyMap<string, GraphQLObjectType>, types: Types) {
    // Every part was validated, and what parts share is the same.
    super({ directives: specifiedDirectives, assumeValid: true });
    this.#roots = roots;
    // Introspection's types are every schema's.
    this.#types = Object.assign(types, Object.fromEntries(roots), super.getTypeMap());
  }

  /** The same without some of the types, for whoever follows no references. */
  without(names: ReadonlySet<string>): JoinedSchema {
    const left: Types = Object.create(null);
    for (const [name, type] of Object.entries(this.#types)) if (!names.has(name)) left[name] = type;
    return new JoinedSchema(this.#roots, left);
  }

  override getQueryType(): GraphQLObjectType | undefined {
    return this.#roots.get("Query");
  }

  override getMutationType(): GraphQLObjectType | undefined {
    return this.#roots.get("Mutation");
  }

  override getSubscriptionType(): GraphQLObjectType | undefined {
    return this.#roots.get("Subscription");
  }

  override getTypeMap(): Types {
    return this.#types;
  }

  override getImplementations(type: GraphQLInterfaceType): Implementations {
    this.#implementations ??= implementationsIn(this.#types);
    return this.#implementations.get(type.name) ?? { objects: [], interfaces: [] };
  }
}

function implementationsIn(types: Types): Map<string, Implementations> {
  const all = new Map<string, Implementations>();
  for (const type of Object.values(types)) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { name } of type.getInterfaces()) {
      const known = all.get(name) ?? { objects: [], interfaces: [] };
      all.set(name, known);
      if (isObjectType(type)) known.objects.push(type);
      else known.interfaces.push(type);
    }
  }
  return all;
}
