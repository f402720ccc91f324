/** Real GraphQL services on free ports, whose schema and behaviour a test can change while they run. */
import { createSchema, createYoga } from "graphql-yoga";

export interface ServiceDefinition {
  typeDefs: string;
  // biome-ignore lint/suspicious/noExplicitAny: resolvers are the test's matter
  resolvers?: any;
}

export interface TestService extends AsyncDisposable {
  /** Base URL. */
  readonly url: string;
  /** URL of its GraphQL endpoint. */
  readonly graphqlUrl: string;
  readonly port: number;
  /** GraphQL requests that it answered: introspections, probes and queries. */
  readonly requests: { query: string; variables: Record<string, unknown>; headers: Headers }[];
  /** From now on it has this schema. */
  change(definition: ServiceDefinition): void;
  /** From now on it answers like this; undefined: as GraphQL again. */
  answerWith(answer: ((request: Request) => Response | Promise<Response>) | undefined): void;
  /** Stops listening; `start` listens again on the same port. */
  stop(): Promise<void>;
  start(): void;
}

/** A service on a free port, or on `port`. `listening: false`: it has a port, but does not listen yet. */
export async function startService(
  definition: ServiceDefinition,
  { port = 0, listening = true }: { port?: number; listening?: boolean } = {},
): Promise<TestService> {
  const requests: TestService["requests"] = [];
  let answer: ((request: Request) => Response | Promise<Response>) | undefined;
  const serverOf = (current: ServiceDefinition) =>
    createYoga({ schema: createSchema(current), logging: false, maskedErrors: false });
  let yoga = serverOf(definition);

  const listen = (onPort: number) =>
    Bun.serve({
      port: onPort,
      hostname: "127.0.0.1",
      idleTimeout: 60,
      async fetch(request) {
        if (answer) return answer(request);
        const { pathname } = new URL(request.url);
        if (pathname === "/health") return new Response("ok");
        if (request.method === "POST") {
          const { query = "", variables = {} } = (await request.clone().json()) as Partial<
            (typeof requests)[0]
          >;
          requests.push({ query, variables, headers: request.headers });
        }
        return yoga.fetch(request);
      },
    });
  let server: ReturnType<typeof listen> | undefined = listen(port);
  const taken = server.port as number;
  if (!listening) {
    await server.stop(true);
    server = undefined;
  }
  return {
    url: `http://127.0.0.1:${taken}`,
    graphqlUrl: `http://127.0.0.1:${taken}/graphql`,
    port: taken,
    requests,
    change: (next) => {
      yoga = serverOf(next);
    },
    answerWith: (next) => {
      answer = next;
    },
    async stop() {
      await server?.stop(true);
      server = undefined;
    },
    start() {
      server ??= listen(taken);
    },
    async [Symbol.asyncDispose]() {
      await server?.stop(true);
    },
  };
}
