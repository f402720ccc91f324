/**
 * `createYoga({ schema, plugins: [joinYoga({ name: "orders", url: "http://localhost:4001" })] })`. Knows as much of Yoga
 * as it needs.
 */
import { type Joining, join } from "./join.ts";

interface YogaPlugin {
  onYogaInit(payload: { yoga: { graphqlEndpoint: string } }): void;
  onDispose(): Promise<void>;
}

/**
 * A Yoga plugin: the service is in the registry, with Yoga's endpoint as its GraphQL, until Yoga is disposed of. Yoga
 * does not know the port of its server, so `url` or SERVICE_URL has to be there.
 */
export function joinYoga(joining: Joining): YogaPlugin {
  let leave: (() => Promise<boolean>) | undefined;
  return {
    onYogaInit({ yoga }) {
      leave = join(joining, { graphql: yoga.graphqlEndpoint });
    },
    async onDispose() {
      await leave?.();
    },
  };
}
