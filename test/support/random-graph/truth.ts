/**
 * What the answer to an operation is when all services are well: carried out at once on what all of them know.
 * Knows services' schemas and data; nothing of a gateway.
 */
import { buildSchema, execute, type GraphQLSchema, isObjectType, Kind, parse } from "graphql";
import { federated } from "../federated.ts";
import { keyValue, OBJECTS, type RandomObject, randomValue } from "./data.ts";
import type { RandomOperation } from "./operation.ts";
import { Random } from "./random.ts";
import type { RandomService } from "./schema.ts";
import { asWritten, isKeyed, requirements, shownRequirements } from "./serving.ts";

export class Truth {
  readonly #seed: string;
  /** `Type.field` → the schema of a service that has it. */
  readonly #owners = new Map<string, GraphQLSchema>();
  readonly #required = new Map<string, readonly string[]>();

  readonly #shown: GraphQLSchema;

  /** `sdl`: of the schema that clients see. */
  constructor(services: readonly RandomService[], sdl: string, seed: string) {
    this.#seed = seed;
    this.#shown = buildSchema(sdl);
    asWritten(this.#shown);
    for (const { sdl, isFederated } of services) {
      const schema = buildSchema(isFederated ? federated({ sdl }).typeDefs : sdl);
      asWritten(schema);
      for (const node of parse(sdl).definitions) {
        if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
        for (const { name, directives = [] } of node.fields ?? []) {
          if (!directives.some((directive) => directive.name.value === "external"))
            this.#owners.set(`${node.name.value}.${name.value}`, schema);
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
      const given = Object.fromEntries(
        required.map((name) => [name, this.#given(this.#value(object, name, {}))]),
      );
      return shownRequirements(given, required);
    }
    const schema = this.#owners.get(id);
    const type = schema?.getType(object.__typename);
    const declared = isObjectType(type) ? type.getFields()[field]?.type : undefined;
    if (!schema || !declared) throw new Error(`nobody has ${id}`);
    return randomValue(
      schema,
      declared,
      new Random(this.#seed, object.__typename, object.n, field, JSON.stringify(args)),
    );
  }

  /** A value as representations have it. */
  #given(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#given(item));
    if (typeof value !== "object" || value === null || !("n" in value)) return value;
    const object = value as RandomObject;
    if (object.n >= OBJECTS) throw new Error("there is no such object");
    return { measure: this.#value(object, "measure", {}) };
  }
}
