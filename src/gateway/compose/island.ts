/**
 * One island as a schema that can be executed: services that make up types in common, stitched.
 * Knows stitching; nothing of the other islands.
 */
import { stitchSchemas, ValidationLevel } from "@graphql-tools/stitch";
import { type GraphQLSchema, validateSchema } from "graphql";
import { groupConfig } from "../federation/stitch.ts";
import { rootFieldsOf } from "../subgraph/reshape.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import type { IslandParts } from "./islands.ts";
import { mergedFieldResolvers } from "./merged-fields.ts";

export interface Island extends IslandParts {
  /** What is executed. */
  readonly schema: GraphQLSchema;
  /** `Query.field`. */
  readonly rootFields: readonly string[];
}

/** `members`: the services that the group consists of. Throws what stitching fails with. */
export function makeIsland(parts: IslandParts, members: readonly Subgraph[]): Island {
  const { subgraphs, group } = parts;
  const schema = group && subgraphs.length === 0 ? group.shown : stitched(parts, members);
  return { ...parts, schema, rootFields: rootFieldsOf(schema) };
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
