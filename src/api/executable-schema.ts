/**
 * A schema of our own that can be executed: its text, and who resolves which field. Knows graphql-js; nothing of what
 * the fields are.
 */
import { buildASTSchema, type GraphQLFieldResolver, type GraphQLSchema, isObjectType, parse } from "graphql";

type Resolve<C> = GraphQLFieldResolver<never, C, never>;

/** A query's or mutation's field resolves; a subscription's field has a source of events, and resolves each. */
type FieldResolver<C> = Resolve<C> | { readonly subscribe: Resolve<C>; readonly resolve: Resolve<C> };

export type Resolvers<C> = Readonly<Record<string, Readonly<Record<string, FieldResolver<C>>>>>;

/** The text is taken as valid: a test of it says so once for all starts. Throws where a resolver has no field. */
export function executableSchema<C>(sdl: string, resolvers: Resolvers<C>): GraphQLSchema {
  const schema = buildASTSchema(parse(sdl, { noLocation: true }), { assumeValidSDL: true });
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    for (const [name, resolver] of Object.entries(fields)) {
      const field = isObjectType(type) ? type.getFields()[name] : undefined;
      if (!field) throw new Error(`the schema has no ${typeName}.${name}`);
      Object.assign(field, typeof resolver === "function" ? { resolve: resolver } : resolver);
    }
  }
  return schema;
}
