/**
 * One island as a schema that can be executed: services that make up types in common, stitched.
 * Knows stitching; nothing of the other islands.
 */
import { stitchSchemas, ValidationLevel } from "@graphql-tools/stitch";
import { type GraphQLSchema, validateSchema } from "graphql";
import { groupConfig } from "../federation/stitch.ts";
import { rootFieldsOf } from "../subgraph/reshape.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { notingErrorsBesideValues } from "../values/beside-values.ts";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import type { IslandParts } from "./islands.ts";
import { mergedFieldResolvers } from "./merged-fields.ts";

export interface Island extends IslandParts {
  /** Its types and fields; it executes nothing. */
  readonly shown: GraphQLSchema;
  /** What is executed. */
  readonly schema: GraphQLSchema;
  /** `Query.field`. */
  readonly rootFields: readonly string[];
}

/** `members`: the services that the group consists of. Throws what stitching fails with. */
export function makeIsland(parts: IslandParts, members: readonly Subgraph[]): Island {
  const { subgraphs, group } = parts;
  const unaltered = unalteredOf(parts);
  if (unaltered) return new LoneIsland(parts, unaltered);
  const schema = group && subgraphs.length === 0 ? group.shown : stitched(parts, members);
  return { ...parts, shown: schema, schema, rootFields: rootFieldsOf(schema) };
}

/** The schema of a service that is alone, where stitching has nothing to alter in it. */
function unalteredOf({ group, subgraphs: [only, ...others] }: IslandParts): GraphQLSchema | undefined {
  if (group || !only?.config || others.length > 0) return undefined;
  const { schema, merge, transforms = [] } = only.config;
  const isOwn = schema === only.own && !merge;
  return isOwn && transforms.every((each) => each === notingErrorsBesideValues) ? only.own : undefined;
}

/** A service alone whose schema is the graph's as it is: stitched when that is executed, which plans seldom leave to it. */
class LoneIsland implements Island {
  readonly subgraphs: readonly Subgraph[];
  readonly group = undefined;
  readonly shown: GraphQLSchema;
  readonly rootFields: readonly string[];
  #schema: GraphQLSchema | undefined;

  constructor({ subgraphs }: IslandParts, shown: GraphQLSchema) {
    this.subgraphs = subgraphs;
    this.shown = shown;
    this.rootFields = rootFieldsOf(shown);
  }

  get schema(): GraphQLSchema {
    this.#schema ??= stitched(this, []);
    return this.#schema;
  }
}

function stitched({ subgraphs, group }: IslandParts, members: readonly Subgraph[]): GraphQLSchema {
  const configs = subgraphs.flatMap(({ config }) => config ?? []);
  const others = new Set(subgraphs.flatMap(({ types }) => [...types.keys()]));
  const shared = group?.supergraph.entityTypes().filter((type) => others.has(type)) ?? [];
  // Of scalars, stitching drops how they read literals.
  const schema = readLiteralsExactly(
    stitchSchemas({
      subschemas: group ? [groupConfig(group, shared), ...configs] : configs,
      resolvers: mergedFieldResolvers(group ? [...members, ...subgraphs] : subgraphs),
      // Fields that meet here are the same: Ownership has seen to it.
      typeMergingOptions: { validationSettings: { validationLevel: ValidationLevel.Off } },
      // A field that one federated service has may be @inaccessible in another, and is then nowhere.
      resolverValidationOptions: { requireResolversToMatchSchema: "ignore" },
    }),
  );
  const [problem] = validateSchema(schema);
  if (problem) throw problem;
  return schema;
}
