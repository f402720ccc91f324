/**
 * The composition root of a gateway worker: the graph and the gateway's door, and for all else the way to the writer.
 * Nobody imports this but the worker's process.
 */
import { Doors } from "../api/doors.ts";
import { gatewayCorsMethods, graphqlRoute } from "../api/gateway.ts";
import { openGraph } from "../api/graph.ts";
import { Guard } from "../api/guard.ts";
import { GraphQLSockets } from "../api/web-socket.ts";
import { InFlight } from "../gateway/execute/in-flight.ts";
import { QuickRoad } from "../gateway/quick/quick-road.ts";
import { CallPlaces } from "../gateway/remote/call-places.ts";
import { HttpClient } from "../gateway/remote/http/http-client.ts";
import { remoteExecutor } from "../gateway/remote/remote-executor.ts";
import { Subscriptions } from "../gateway/remote/subscriptions/subscriptions.ts";
import type { Log } from "../log.ts";
import { isLoopbackHost } from "../loopback.ts";
import { Follower } from "./follower.ts";
import { hints } from "./hints.ts";
import type { Counts, GraphNews, RouteNews, Settings, Writer } from "./protocol.ts";
import { executorThrough, forward } from "./through-writer.ts";

export interface GatewayProcess extends AsyncDisposable {
  takeRoutes(news: readonly RouteNews[]): void;
  prepare(news: GraphNews): Promise<void>;
  take(): void;
  /** Opens the door, which the writer and other workers have too. Throws CONFLICT. */
  open(): void;
  drained(): Promise<void>;
  counts(): Counts;
}

export function openGateway(settings: Settings, writer: Writer, log: Log): GatewayProcess {
  const { host, port, jwtSecret, corsOrigins, bodyLimitBytes, compileAfter, isProduction } = settings;
  const stopping = new AbortController();
  const inFlight = new InFlight();
  const http = new HttpClient({ isProxied: settings.isProxied });
  const shared = { http, places: new CallPlaces(), subscriptions: new Subscriptions() };
  const onFailure = hints(writer);
  const guard = new Guard({ jwtSecret, loopback: isLoopbackHost(host), corsOrigins });
  const follower = new Follower({
    remoteExecutor: (name) =>
      remoteExecutor(name, { ...shared, route: (service) => follower.route(service), onFailure }),
    localExecutor: (name, hash, reach) => executorThrough(writer, name, hash, reach),
    warm: (next) => graph.warm(next),
  });
  const graph = openGraph({
    snapshot: () => follower.snapshot,
    inFlight,
    road: new QuickRoad(compileAfter ?? Number.POSITIVE_INFINITY),
    isProduction,
    stopping: stopping.signal,
    log,
  });
  const graphql = graphqlRoute(guard, graph);
  let doors: Doors<"gateway"> | undefined;

  return {
    takeRoutes: (news) => follower.takeRoutes(news),
    prepare: (news) => follower.prepare(news),
    take: () => follower.take(),
    open() {
      doors = new Doors(
        { gateway: (request, path) => (path === "/graphql" ? graphql(request) : forward(writer, request)) },
        {
          host,
          ports: { gateway: port },
          sharing: { gateway: "FURTHER" },
          portOptions: { gateway: "--gateway-port" },
          guard,
          bodyLimitBytes,
          graph,
          sockets: new GraphQLSockets({
            ask: graph.ask,
            guard,
            bodyLimitBytes,
            stopping: stopping.signal,
            log,
          }),
          doorHeader: () => settings.doorHeader,
          ...(isProduction ? {} : { worker: settings.number }),
          corsMethods: { gateway: gatewayCorsMethods },
          started: Promise.resolve(),
          log,
        },
      );
    },
    drained: () => inFlight.drained(),
    counts() {
      const { reference, ...counts } = graph.counts();
      return { ...counts, reference: [...reference] };
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await doors?.close();
      await http[Symbol.asyncDispose]();
    },
  };
}
