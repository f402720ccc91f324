/** The texts of a new plugin and of its test. They may import nothing but "bobbin", "graphql" and "bun:test". */

export const pluginTemplate = (name: string, field: string): string => `import { definePlugin } from "bobbin";

export default definePlugin({
  // The service's name. The file's may be another one.
  name: "${name}",
  version: "0.1.0",
  typeDefs: /* GraphQL */ \`
    type Query {
      "Says hello."
      ${field}(name: String!): String!
    }
  \`,
  resolvers: {
    Query: {
      // A third argument has the client's headers, the log, the whole graph and more: see what \`context.\` offers.
      ${field}(_parent, { name }: { name: string }) {
        return \`Hello, \${name}!\`;
      },
    },
  },
});
`;

export const testTemplate = (name: string, field: string): string => `import { expect, test } from "bun:test";
import { buildSchema, defaultFieldResolver, type GraphQLFieldResolver, graphql } from "graphql";
import plugin from "./${name}.ts";

/** Asks the plugin alone, without bobbin. \`context\` is what its resolvers get as their third argument. */
function ask(source: string, context: object = {}) {
  const resolvers = plugin.resolvers as Record<string, Record<string, GraphQLFieldResolver<unknown, object>>>;
  return graphql({
    schema: buildSchema(plugin.typeDefs),
    source,
    contextValue: { headers: {}, ...context },
    fieldResolver(parent, args, context, info) {
      const resolve = resolvers[info.parentType.name]?.[info.fieldName] ?? defaultFieldResolver;
      return resolve(parent, args, context, info);
    },
  });
}

test("says hello", async () => {
  expect(await ask(\`{ ${field}(name: "Ada") }\`)).toEqual({ data: { ${field}: "Hello, Ada!" } });
});

test("wants a name", async () => {
  const { errors } = await ask("{ ${field} }");
  expect(errors?.[0]?.message).toContain('"name" of type "String!" is required');
});
`;
