/**
 * The fields of types that several services make up: an error stands at the place that it is about, and a field that
 * cannot be had for an object is one. Knows how stitching keeps an object's parts; nothing of who owns what.
 */
import {
  defaultMergedResolver,
  type ExternalObject,
  getPlanLeftOverFromParent,
  getSubschema,
  PLAN_LEFT_OVER,
} from "@graphql-tools/delegate";
import { type IResolvers, isPromise, pathToArray, relocatedError } from "@graphql-tools/utils";
import { GraphQLError, type GraphQLFieldResolver, type GraphQLResolveInfo } from "graphql";
import type { ErrorCode } from "../../errors.ts";
import { GROUP_NAME } from "../federation/stitch.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";

/** An object as stitching keeps it: what services answered for it, and who they were. */
type Part = ExternalObject & { [PLAN_LEFT_OVER]?: undefined };
type Resolver = GraphQLFieldResolver<Part, Record<string, unknown>>;

/** Resolvers for the types that one of the services declares mergeable, and for what such a service has below them. */
export function mergedFieldResolvers(subgraphs: readonly Subgraph[]): IResolvers {
  const resolvers: Record<string, Record<string, { resolve: Resolver; selectionSet?: string }>> = {};
  const merged = new Set(subgraphs.flatMap(({ mergeable }) => [...mergeable]));
  if (merged.size === 0) return resolvers;
  for (const { types, mergeable } of subgraphs) {
    for (const [type, { kind, fields }] of types) {
      const isMerged = merged.has(type);
      if (kind !== "type" || !fields || !(isMerged || mergeable.size > 0)) continue;
      resolvers[type] ??= {};
      // A service that has none of the fields asked for is asked all the same which objects there are.
      const resolver = isMerged ? { resolve: resolveMerged, selectionSet: "{ __typename }" } : { resolve };
      for (const field of fields.keys()) resolvers[type][field] = resolver;
    }
  }
  return resolvers;
}

const resolve: Resolver = (object, args, context, info) => {
  return settle(defaultMergedResolver(object, args, context, info), (value) => located(value, info));
};

const resolveMerged: Resolver = (object, args, context, info) => {
  // Fields that the plan has no way to are waited for in case others bring it about, without an end if none does.
  if (getPlanLeftOverFromParent(object)) object[PLAN_LEFT_OVER] = undefined;
  return settle(defaultMergedResolver(object, args, context, info), (value) => {
    if (value !== undefined) return located(value, info);
    const source = getSubschema(object, "__typename");
    throw unknownField(`${info.parentType}.${info.fieldName}`, "name" in source ? source.name : undefined);
  });
};

function settle(value: unknown, then: (value: unknown) => unknown): unknown {
  return isPromise(value) ? value.then(then) : then(value);
}

/** Objects of a list are fetched together, and their errors do not say of which they are. */
function located(value: unknown, { path }: GraphQLResolveInfo): unknown {
  if (!(value instanceof GraphQLError)) return value;
  const here = pathToArray(path);
  const isBelow = here.every((key, i) => value.path?.[i] === key);
  return isBelow ? value : relocatedError(value, here);
}

function unknownField(field: string, service: string | undefined): GraphQLError {
  const [type] = field.split(".");
  const from = service === undefined || service === GROUP_NAME ? "the federated services" : service;
  const message = `${field} cannot be fetched for an object of ${from}: no service that has the field can be asked for a ${type} by a key that is known of it. Its owner can say how (metadata.gateway.merge, or @key and @merge).`;
  return new GraphQLError(message, {
    extensions: {
      code: "FIELD_UNREACHABLE" satisfies ErrorCode,
      ...(service === GROUP_NAME ? {} : { service }),
    },
  });
}
