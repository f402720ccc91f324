/**
 * `new ApolloServer({ typeDefs, resolvers, plugins: [joinApollo({ name: "orders", url: "http://localhost:4001" })] })`.
 * Knows as much of Apollo Server as it needs.
 */
import { type Joining, join } from "./join.ts";

interface ApolloPlugin {
  serverWillStart(): Promise<{ drainServer(): Promise<void> }>;
}

/**
 * An Apollo Server plugin: the service is in the registry from its start until it begins to stop, with its GraphQL at
 * /graphql unless `metadata.endpoints.graphql` says otherwise. Apollo does not know the port of its server, so `url` or
 * SERVICE_URL has to be there.
 */
export function joinApollo(joining: Joining): ApolloPlugin {
  return {
    async serverWillStart() {
      const leave = join(joining, { graphql: "/graphql" });
      return {
        async drainServer() {
          await leave();
        },
      };
    },
  };
}
