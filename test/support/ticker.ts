/**
 * Real services with one subscription, whose events a test sends: by SSE (Yoga), by graphql-transport-ws (graphql-ws)
 * or by Apollo's multipart protocol. Each counts who is subscribed.
 */
import { type ExecutionResult, type GraphQLSchema, parse, subscribe } from "graphql";
import { makeHandler } from "graphql-ws/use/bun";
import { createSchema, createYoga } from "graphql-yoga";

export type Protocol = "sse" | "multipart" | "graphql-ws";

export interface Ticker extends AsyncDisposable {
  readonly url: string;
  /** Sends an event to whoever is subscribed: a Tick, or what else is to be thrown or sent. */
  emit(tick: unknown): void;
  /** Ends the subscriptions as a service does that has no more to say. */
  complete(): void;
  /** How many are subscribed now. */
  readonly subscribed: number;
  /** The protocol and headers of every attempt to subscribe, in order. */
  readonly attempts: { over: "http" | "ws"; headers: Headers }[];
  /** Ends every connection; `start` listens again on the same port. */
  stop(): Promise<void>;
  start(): void;
}

/** An async iterator whose events come from outside. */
class Channel {
  readonly #takers = new Set<{ items: unknown[]; wake: () => void; hasEnded: boolean }>();

  get size(): number {
    return this.#takers.size;
  }

  emit(item: unknown): void {
    for (const taker of this.#takers) {
      taker.items.push(item);
      taker.wake();
    }
  }

  complete(): void {
    for (const taker of this.#takers) {
      taker.hasEnded = true;
      taker.wake();
    }
  }

  open(): AsyncIterableIterator<unknown> {
    const taker = { items: [] as unknown[], wake: () => {}, hasEnded: false };
    this.#takers.add(taker);
    const end = () => {
      this.#takers.delete(taker);
      taker.hasEnded = true;
      taker.wake();
      return { done: true as const, value: undefined };
    };
    return {
      async next() {
        while (taker.items.length === 0 && !taker.hasEnded)
          await new Promise<void>((resolve) => {
            taker.wake = resolve;
          });
        if (taker.items.length === 0) return end();
        const item = taker.items.shift();
        if (item instanceof Error) {
          end();
          throw item;
        }
        return { done: false, value: item };
      },
      return: async () => end(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/**
 * `path`: where subscriptions are served, if not where queries are. `prefix` names its fields. `unix`: the socket that
 * it listens on instead of a port.
 */
export function startTicker(
  protocol: Protocol,
  { prefix = "tick", path = "/graphql", types = "", resolvers = {} as object, unix = "" } = {},
): Ticker {
  const channel = new Channel();
  const attempts: Ticker["attempts"] = [];
  const schema = createSchema({
    typeDefs: `
      type Query { ${prefix}Ready: String }
      type Mutation { ${prefix}Set(to: Int!): Int }
      type Subscription { ${prefix}s(name: String): Tick, ${prefix}Big: String }
      type Tick { at: Int name: String bad: Int shop: Shop }
      type Shop { id: ID! }
      ${types}`,
    resolvers: {
      Query: { [`${prefix}Ready`]: () => "yes" },
      Mutation: { [`${prefix}Set`]: (_: unknown, { to }: { to: number }) => to },
      Subscription: {
        [`${prefix}s`]: {
          subscribe: () => channel.open(),
          resolve: (tick: object, { name }: { name?: string }) => ({ name, ...tick }),
        },
        [`${prefix}Big`]: { subscribe: () => channel.open(), resolve: (value: string) => value },
      },
      Tick: {
        bad: () => {
          throw Object.assign(new Error("bad tick"), { extensions: { code: "BAD" } });
        },
      },
      ...resolvers,
    },
  });
  const yoga = createYoga({ schema, logging: false, maskedErrors: false, graphqlEndpoint: "/*" });
  const sockets = makeHandler({ schema });

  const listen = (port: number) =>
    Bun.serve({
      ...(unix ? { unix } : { port, hostname: "127.0.0.1", idleTimeout: 0 }),
      async fetch(request: Request, server: Bun.Server<undefined>) {
        const { pathname } = new URL(request.url);
        if (request.headers.get("upgrade")) {
          attempts.push({ over: "ws", headers: request.headers });
          const isServed = protocol === "graphql-ws" && pathname === path;
          if (
            isServed &&
            server.upgrade(request, { headers: { "sec-websocket-protocol": "graphql-transport-ws" } })
          )
            return undefined;
          return new Response("no WebSockets here", { status: 400 });
        }
        const body = request.method === "POST" ? await request.clone().text() : "";
        if (!JSON.parse(body || "{}").query?.startsWith("subscription")) return yoga.fetch(request);
        attempts.push({ over: "http", headers: request.headers });
        if (pathname !== path) return new Response("not here", { status: 404 });
        if (protocol === "sse") return yoga.fetch(request);
        if (protocol === "multipart") return multipart(schema, JSON.parse(body));
        return Response.json({ errors: [{ message: "Subscriptions go over WebSockets." }] }, { status: 405 });
      },
      websocket: {
        open: (socket) => sockets.open?.(socket as never),
        message: (socket, message) => sockets.message?.(socket as never, message as never),
        close: (socket, code, reason) => sockets.close?.(socket as never, code, reason),
      },
    });
  let server: ReturnType<typeof listen> | undefined = listen(0);
  const { port } = server;
  return {
    url: unix ? `http+unix://${encodeURIComponent(unix)}` : `http://127.0.0.1:${port}`,
    emit: (tick) => channel.emit(tick),
    complete: () => channel.complete(),
    get subscribed() {
      return channel.size;
    },
    attempts,
    async stop() {
      await server?.stop(true);
      server = undefined;
      channel.complete();
    },
    start() {
      server ??= listen(port as number);
    },
    async [Symbol.asyncDispose]() {
      await server?.stop(true);
    },
  };
}

/** The protocol with a heartbeat before the first event, and chunks that end anywhere. */
async function multipart(
  schema: GraphQLSchema,
  { query, variables }: { query: string; variables?: Record<string, unknown> },
): Promise<Response> {
  const results = await subscribe({ schema, document: parse(query), variableValues: variables });
  const iterator = (results as AsyncIterable<ExecutionResult>)[Symbol.asyncIterator]();
  const part = (content: object) =>
    `\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(content)}\r\n--graphql`;
  const body = new ReadableStream<string>({
    start: (controller) => controller.enqueue(`--graphql${part({})}`),
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) {
        controller.enqueue("--\r\n");
        return controller.close();
      }
      const text = part({ payload: value });
      controller.enqueue(text.slice(0, 40));
      await Bun.sleep(1);
      controller.enqueue(text.slice(40));
    },
    cancel: () => void iterator.return?.(),
  });
  return new Response(body.pipeThrough(new TextEncoderStream()), {
    headers: { "content-type": 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"' },
  });
}
