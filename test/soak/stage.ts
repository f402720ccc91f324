/**
 * bobbin, as a copy of the binary of its own, and the services around it: plain and federated ones whose schemas
 * change, one that ticks by SSE and one by WebSocket, and a plugin. Knows what there is; not what is done with it.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BINARY, type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { federated, V2 } from "../support/federated.ts";
import { pluginSource } from "../support/files.ts";
import { type ServiceDefinition, startService, type TestService } from "../support/service.ts";
import { startTicker, type Ticker } from "../support/ticker.ts";

export const NAMES = ["catalog", "people", "accounts", "reviews"] as const;
export type Name = (typeof NAMES)[number];

export interface Stage extends AsyncDisposable {
  readonly bobbin: RunningBinary;
  readonly services: Readonly<Record<Name, TestService>>;
  readonly tickers: Readonly<Record<"sse" | "graphql-ws", Ticker>>;
  /** Gives the service another schema, and registers it anew. */
  change(name: Name, generation: number): Promise<void>;
  /** Writes another version of the plugin. */
  savePlugin(version: number): Promise<void>;
}

const item = (id: unknown) => ({ id, name: `n${id}`, price: 1.5, tags: ["a", "b"] });
const list = (_: unknown, { first = 5 }: { first?: number }) =>
  Array.from({ length: first }, (_, i) => item(i));

/** `g…`: the field by which a generation is known; none of the first. */
const DEFINITIONS: Record<Name, (g: string) => ServiceDefinition> = {
  catalog: (g) => ({
    typeDefs: `type Query { products(first: Int): [Product!]! product(id: ID!): Product catalog${g}: Int }
      type Product { id: ID! name: String price: Float tags: [String!] related: [Product!]! g${g}: Int }`,
    resolvers: {
      Query: { products: list, product: (_: unknown, { id }: { id: string }) => item(id) },
      Product: { related: () => [item(7), item(8)] },
    },
  }),
  people: (g) => ({
    typeDefs: `type Query { people(first: Int): [Person!]! people${g}: Int }
      type Person { id: ID! name: String friends: [Person!]! g${g}: Int }`,
    resolvers: { Query: { people: list }, Person: { friends: () => [item(3)] } },
  }),
  accounts: (g) =>
    federated({
      sdl: `${V2} type Query { me: User accounts${g}: Int } type User @key(fields: "id") { id: ID! name: String }`,
      resolvers: { Query: { me: () => item(1) } },
      entities: { User: ({ id }) => item(id) },
    }),
  reviews: (g) =>
    federated({
      sdl: `${V2} type Query { topReviews(first: Int): [Review!] reviews${g}: Int }
        type Review @key(fields: "id") { id: ID! body: String author: User! g${g}: Int }
        type User @key(fields: "id") { id: ID! reviews: [Review!]! }`,
      resolvers: {
        Query: {
          topReviews: (_: unknown, { first = 5 }: { first?: number }) => list(_, { first }).map(review),
        },
      },
      entities: {
        Review: ({ id }) => review({ id }),
        User: ({ id }) => ({ id, reviews: [review({ id: 1 }), review({ id: 2 })] }),
      },
    }),
};

const review = ({ id }: { id: unknown }) => ({ id, body: `b${id}`, author: { __typename: "User", id: "1" } });

/** How soon a service that was restarted is well again. */
const HEALTH_CHECK = { interval: 1 };

export async function setStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const binary = join(folder.path, "bobbin");
  await copyFile(BINARY, binary);
  await mkdir(join(folder.path, "plugins"));
  const savePlugin = async (version: number) => {
    const source = pluginSource("moving", `moving${Math.ceil(version / 2)}`, `v${version}`);
    await Bun.write(join(folder.path, "plugins/moving.ts"), source);
  };
  await savePlugin(0);
  const bobbin = stack.use(await startBinary({ binary, folder: folder.path }));
  const { registry, gateway } = bobbin.urls;
  const register = async (serviceName: string, url: string, kind?: string) => {
    const metadata = {
      endpoints: { graphql: "/graphql" },
      healthCheck: HEALTH_CHECK,
      gateway: kind ? { kind } : {},
    };
    const { status } = await post(`${registry}/register`, { serviceName, url, metadata });
    if (status >= 300) throw new Error(`${serviceName} was not registered: ${status}`);
  };
  const kindOf = (name: Name) => (name === "catalog" || name === "people" ? "plain" : "federation");

  const started = await Promise.all(
    NAMES.map(async (name) => [name, stack.use(await startService(DEFINITIONS[name]("0")))] as const),
  );
  const services = Object.fromEntries(started) as Record<Name, TestService>;
  const tickers = {
    sse: stack.use(startTicker("sse", { prefix: "sse" })),
    // Types of one name have to be identical, and are.
    "graphql-ws": stack.use(startTicker("graphql-ws", { prefix: "ws" })),
  };
  for (const [name, { url }] of started) await register(name, url, kindOf(name));
  await register("ticker-sse", tickers.sse.url);
  await register("ticker-ws", tickers["graphql-ws"].url);
  await until(
    () =>
      graphql(gateway, "{ products { id } people { id } me { reviews { id } } sseReady wsReady moving0 }"),
    ({ errors }) => errors === undefined,
  );
  const parts = stack.move();
  return {
    bobbin,
    services,
    tickers,
    savePlugin,
    async change(name, generation) {
      services[name].change(DEFINITIONS[name](String(generation)));
      await register(name, services[name].url, kindOf(name));
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
