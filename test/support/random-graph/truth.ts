/**
 * What the answer to an operation is when all services are well: carried out at once on what all of them know.
 * Knows services' schemas and data; nothing of a gateway.
 */
import { buildSchema, execute, type FieldNode, type GraphQLSchema, isObjectType, Kind, parse } from "graphql";
import { byKeys, keyValue, type RandomObject, randomValue, typed } from "./data.ts";
import type { RandomOperation } from "./operation.ts";
import { Random } from "./random.ts";
import type { RandomService } from "./schema.ts";
import { asWritten, isKeyed, requirements, shownRequirements, typeDefsOf } from "./serving.ts";

interface Owner {
  readonly schema: GraphQLSchema;
  /** What comes before its own names in the graph. */
  readonly prefix: string;
}

export class Truth {
  readonly #seed: string;
  /** `Type.field` → a service that has it. */
  readonly #owners = new Map<string, Owner>();
  readonly #required = new Map<string, readonly FieldNode[]>();

  readonly #shown: GraphQLSchema;

  /** `sdl`: of the schema that clients see. */
  constructor(services: readonly RandomService[], sdl: string, seed: string) {
    this.#seed = seed;
    this.#shown = buildSchema(sdl);
    asWritten(this.#shown);
    for (const service of services) {
      const { sdl, namespace } = service;
      const schema = buildSchema(typeDefsOf(service));
      const prefix = namespace ? `${namespace}_` : "";
      asWritten(schema);
      for (const node of parse(sdl).definitions) {
        if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
        const { value: type } = node.name;
        const isRoot = /^(Query|Mutation)$/.test(type);
        for (const { name, directives = [] } of node.fields ?? []) {
          if (directives.some((directive) => directive.name.value === "external")) continue;
          const id = isRoot ? `${type}.${prefix}${name.value}` : `${prefix}${type}.${name.value}`;
          this.#owners.set(id, { schema, prefix });
        }
      }
      for (const [field, names] of requirements(sdl)) this.#required.set(field, names);
    }
  }

  async answer({ query, variables, operationName }: RandomOperation): Promise<unknown> {
    const result = await execute({
      schema: this.#shown,
      document: parse(query),
      variableValues: variables,
      operationName: operationName ?? null,
      fieldResolver: (source: RandomObject | undefined, args, _context, { parentType, fieldName }) =>
        this.#value(source ?? { __typename: parentType.name, n: 0 }, fieldName, args),
    });
    return JSON.parse(JSON.stringify(result));
  }

  #value(object: RandomObject, field: string, args: Record<string, unknown>): unknown {
    const id = `${object.__typename}.${field}`;
    const key = isKeyed(object) ? keyValue(object, field) : undefined;
    if (key !== undefined) return key;
    const required = this.#required.get(id);
    if (required) {
      const given = Object.fromEntries(required.map((node) => [node.name.value, this.#given(object, node)]));
      return shownRequirements(given, required);
    }
    const asMedia = { ...object, __typename: "Media" };
    if (typed(asMedia).__typename === object.__typename && !this.#owners.has(id))
      return this.#value(asMedia, field, args);
    const owner = this.#owners.get(id);
    if (!owner) throw new Error(`nobody has ${id}`);
    const { schema, prefix } = owner;
    const [typename, name] = /^(Query|Mutation)$/.test(object.__typename)
      ? [object.__typename, field.slice(prefix.length)]
      : [object.__typename.slice(prefix.length), field];
    const type = schema.getType(typename);
    const declared = isObjectType(type) ? type.getFields()[name]?.type : undefined;
    if (!declared) throw new Error(`nobody has ${id}`);
    const asked = byKeys(name, declared, args);
    if (asked) return asked.found;
    const random = new Random(this.#seed, typename, object.n, name, JSON.stringify(args));
    return shown(randomValue(schema, declared, random), prefix);
  }

  /** A field as representations have it. */
  #given(of: RandomObject, { name, selectionSet }: FieldNode): unknown {
    const fields = (selectionSet?.selections ?? []).filter((node) => node.kind === Kind.FIELD);
    const given = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(given);
      if (fields.length === 0 || value === null) return value;
      const object = value as RandomObject;
      return Object.fromEntries(fields.map((node) => [node.name.value, this.#given(object, node)]));
    };
    return given(this.#value(of, name.value, {}));
  }
}

/** With the types of the objects in it as the graph names them. */
function shown(value: unknown, prefix: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => shown(item, prefix));
  const { __typename } = value as Partial<RandomObject>;
  return __typename === undefined
    ? value
    : { ...typed(value as RandomObject), ...(prefix ? { __typename: prefix + __typename } : {}) };
}
