/**
 * The composition root: builds the parts along the way of the data, and disposes of them in reverse.
 * Nobody imports this but the command line and tests.
 */
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { type CoreOptions, coreApi, coreSchema } from "./api/core.ts";
import { coreSdlInGraph } from "./api/core-sdl.ts";
import { Doors } from "./api/doors.ts";
import { gatewayApi, gatewayCorsMethods } from "./api/gateway.ts";
import { openGraph } from "./api/graph.ts";
import { Guard } from "./api/guard.ts";
import type { Operations } from "./api/operations.ts";
import { PluginGraphQL } from "./api/plugin-graphql.ts";
import { registryApi, registryCorsMethods } from "./api/registry.ts";
import { Streams } from "./api/sse.ts";
import { createToken } from "./api/tokens.ts";
import { GraphQLSockets } from "./api/web-socket.ts";
import { maskError } from "./api/yoga.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { BobbinError } from "./errors.ts";
import { Composer } from "./gateway/composer.ts";
import { InFlight } from "./gateway/execute/in-flight.ts";
import { LastSet } from "./gateway/last-set.ts";
import { QuickRoad } from "./gateway/quick/quick-road.ts";
import { CallPlaces } from "./gateway/remote/call-places.ts";
import { HttpClient } from "./gateway/remote/http/http-client.ts";
import { remoteExecutor } from "./gateway/remote/remote-executor.ts";
import { routeOf } from "./gateway/remote/route.ts";
import { Subscriptions } from "./gateway/remote/subscriptions/subscriptions.ts";
import { probeOverHttp } from "./health/probe.ts";
import { HealthScheduler } from "./health/scheduler.ts";
import { type DoorName, HOPS_HEADER } from "./http.ts";
import { Identity } from "./identity.ts";
import { Inside } from "./inside.ts";
import { Journal } from "./journal.ts";
import { coreRegistration, LocalServices } from "./local-services.ts";
import type { Log } from "./log.ts";
import { isLoopbackHost } from "./loopback.ts";
import { pluginAbilities } from "./plugin-abilities.ts";
import { PluginServices } from "./plugin-services.ts";
import { writeEditorTypes } from "./plugins/editor/types.ts";
import { PluginHost } from "./plugins/host.ts";
import { embeddedPath } from "./registry/embedded-path.ts";
import { Registry } from "./registry/registry.ts";
import { Webhooks } from "./webhooks.ts";
import { Fleet } from "./workers/fleet.ts";
import { settingsOf } from "./workers/settings.ts";

export interface App extends AsyncDisposable {
  /** Full URLs of the doors. */
  readonly urls: Record<DoorName, string>;
}

export interface Surroundings {
  log: Log;
  clock: Clock;
  /** Whether services are reached through a proxy. */
  isProxied?: boolean;
}

const WEBHOOK_TOKEN_SECONDS = 60;

/** Starts everything; when it returns, all doors are open. Throws when a port is taken, and leaves nothing behind. */
export async function createApp(config: Config, { log, clock, isProxied }: Surroundings): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const identity = new Identity(config.host);
  const { jwtSecret } = config;
  const guard = new Guard({
    jwtSecret,
    loopback: isLoopbackHost(config.host),
    corsOrigins: config.corsOrigins,
  });
  const streams = new Streams();

  const lastSet = new LastSet(lastSetPath(config.databaseUrl), log);
  const lastServices = await lastSet.read();
  stack.defer(() => lastSet.flush());

  const registry = stack.use(
    new Registry({
      database: { url: config.databaseUrl, authToken: config.databaseAuthToken },
      ownDoor: (url) => identity.ownDoor(url),
      unixSockets: config.unixSockets,
      clock,
      log,
    }),
  );
  await registry.start(() =>
    lastServices.map(({ service }) => service).filter(({ source }) => source === "REMOTE"),
  );
  const services = () => registry.list();
  const service = (name: string) => registry.get(name);
  const route = (name: string) => routeOf(name, registry.get(name));

  const inFlight = new InFlight();
  const pluginServices = new PluginServices({
    host: () => plugins,
    composer: () => composer,
    local: () => local,
    registry,
    drained: () => Promise.all([inFlight.drained(), fleet.drained()]),
    clock,
    log,
  });
  const road = new QuickRoad(config.compileAfter);
  const inside = new Inside(() => composer.snapshot, inFlight, road);
  const plugins = stack.use(
    new PluginHost({
      folder: config.plugins,
      watch: config.pluginsWatch,
      limits: {
        startDeadlineMs: config.pluginStartTimeoutMs,
        callDeadlineMs: config.pluginCallTimeoutMs,
        memoryLimitBytes: config.pluginMemoryBytes,
      },
      abilities: (plugin) => pluginAbilities({ name: () => plugin.name, inside, services, log }),
      isDisabled: (name) => pluginServices.isDisabled(name),
      checkName: (name, file) => pluginServices.checkName(name, file),
      onNews: (plugin) => pluginServices.onNews(plugin),
      onHealth: (plugin, reason) => pluginServices.onHealth(plugin, reason),
      onGone: (name) => pluginServices.onGone(name),
      async onAdded(folder) {
        const types = await writeEditorTypes(folder);
        if ("refused" in types) log.debug({ folder, reason: types.refused }, "no types for editors");
      },
      clock,
      log,
    }),
  );

  const scheduler = stack.use(
    new HealthScheduler({
      services,
      service,
      probe({ source, name }, instance, signal) {
        if (source !== "REMOTE") return local.probe(name);
        // Under some of its spellings our own door would refuse the Host.
        if (identity.ownDoor(instance.graphqlUrl ?? instance.url) === "core") return local.probe("core");
        return probeOverHttp(instance, { [HOPS_HEADER]: "1" }, signal);
      },
      report: (observation) => registry.recordHealth(observation),
      clock,
    }),
  );

  const operations: Operations = {
    services,
    service,
    register: (registration) => registry.register(registration),
    unregister: (name, url) => registry.unregister(name, url),
    update: (name, change) => registry.update(name, change),
    heartbeat: (name, url, ready) => registry.heartbeat(name, url, ready),
    checkAll: () => scheduler.checkAll(),
    backUp: () => registry.backUp(),
    events: registry.events,
  };

  const core: CoreOptions = { operations, guard, streams, stopping: stopping.signal, log };
  const schema = coreSchema(core);
  const refusal = (name: string) => {
    const found = route(name);
    return found instanceof BobbinError ? found : undefined;
  };
  const sdl = coreSdlInGraph(config.coreMutationsInGraph);
  const local = new LocalServices({ schema, sdl }, () => plugins, refusal);

  const http = stack.use(new HttpClient({ isProxied }));
  const places = new CallPlaces();
  const subscriptions = new Subscriptions();
  const composer = stack.use(
    new Composer({
      services,
      service,
      revision: () => registry.revision,
      local: (name) => local.get(name),
      remoteExecutor: (name) =>
        remoteExecutor(name, {
          route,
          http,
          places,
          subscriptions,
          onFailure: (failed, origin) => scheduler.hint(failed, origin),
        }),
      ownDoor: (url) => identity.ownDoor(url),
      ownDoorOf: (header) => identity.doorOf(header),
      policy: config.compositionPolicy,
      recordSchema: (name, state, changes) => registry.recordSchema(name, state, changes),
      recordFirstAnswer: (name, origin) =>
        registry.recordHealth({ service: name, origin, health: "HEALTHY", reason: null, at: clock.now() }),
      // What is served while the registry cannot be read is that very set, or less.
      save: (composed) => registry.available && lastSet.save(composed),
      *warm(next) {
        const prepared = fleet.prepare(next);
        yield* graph.warm(next);
        if (isSharing) yield prepared;
      },
      onSnapshot() {
        fleet.onSnapshot();
        pluginServices.onSnapshot();
      },
      clock,
      log,
    }),
  );

  const { bodyLimitBytes, isProduction } = config;
  const graph = openGraph({
    snapshot: () => composer.snapshot,
    inFlight,
    road,
    isProduction,
    stopping: stopping.signal,
    log,
  });
  const fetches = {
    gateway: gatewayApi({
      composer,
      services,
      guard,
      graph,
      counts: () => fleet.sum(graph.counts()),
      followed: () => fleet.followed(),
      plugins: {
        plugins: () => plugins.list(),
        plugin: (name) => plugins.get(name),
        reload: (name) => plugins.reload(name),
        setDisabled: (name, isDisabled) => pluginServices.setDisabled(name, isDisabled),
        service,
        settled: () => registry.settled(),
        refusal,
        graphql: new PluginGraphQL(guard, log, stopping.signal),
      },
      isReady: () => composer.started && !stopping.signal.aborted,
    }),
    core: coreApi(schema, core).fetch,
    registry: registryApi({
      operations,
      guard,
      streams,
      revision: () => registry.revision,
      available: () => registry.available,
    }).fetch,
  };

  const fleet = new Fleet({
    size: config.workers - 1,
    settings: () =>
      settingsOf(config, {
        port: doors.ports.gateway,
        doorHeader: identity.doorHeader("gateway"),
        isProxied: isProxied === true,
      }),
    snapshot: () => composer.snapshot,
    services,
    route,
    isOwn(name) {
      const source = registry.get(name)?.source;
      return source ? source !== "REMOTE" : local.get(name) !== undefined;
    },
    routes: fetches.gateway,
    hint: (name, origin) => scheduler.hint(name, origin),
    shown: maskError,
    clock,
    log,
  });

  const isSharing = config.workers > 1;
  const started = Promise.withResolvers<void>();
  const doors = stack.adopt(
    new Doors(fetches, {
      host: config.host,
      ports: { gateway: config.gatewayPort, core: config.corePort, registry: config.registryPort },
      ...(isSharing ? { sharing: { gateway: "FIRST" } } : {}),
      ...(isSharing && !isProduction ? { worker: 1 } : {}),
      portOptions: PORT_OPTIONS,
      guard,
      bodyLimitBytes,
      graph,
      sockets: new GraphQLSockets({ ask: graph.ask, guard, bodyLimitBytes, stopping: stopping.signal, log }),
      doorHeader: (door) => identity.doorHeader(door),
      corsMethods: { gateway: gatewayCorsMethods, core: () => [], registry: registryCorsMethods },
      started: started.promise,
      log,
    }),
    async (open) => {
      stopping.abort();
      streams.endAll();
      await Promise.all([open.close(), fleet[Symbol.asyncDispose]()]);
    },
  );
  stack.defer(started.resolve);
  identity.setPorts(doors.ports);

  const webhooks = stack.use(
    new Webhooks({
      receivers: config.apiGatewayUrls.filter((url) => identity.ownDoor(url) === undefined),
      isOwn: (header) => identity.doorOf(header) !== undefined,
      token: async () => (jwtSecret ? createToken(jwtSecret, WEBHOOK_TOKEN_SECONDS) : undefined),
      clock,
      log,
    }),
  );

  // An embedded database has one process; on a remote one each replaces its own.
  const node = `${hostname()}:${doors.ports.gateway}`;
  const owner = embeddedPath(config.databaseUrl) === undefined ? node : undefined;
  const coreRegistrations = [coreRegistration(doors.urls.core, node)];
  await registry.replaceLocal(
    "CORE",
    owner,
    () => coreRegistrations,
    ({ error }) => log.error({ err: error }, "the core cannot be registered"),
  );
  composer.begin(lastServices);
  await plugins.load();
  await pluginServices.begin(doors.urls.gateway, node, owner);
  composer.start();
  scheduler.start();
  const journal = new Journal(log, services(), service);
  stack.defer(
    registry.events.subscribe((events) => {
      journal.onEvents(events);
      composer.onEvents(events);
      pluginServices.onEvents(events);
      for (const { type, service: name } of events) {
        if (type !== "STATUS" && type !== "SCHEMA") scheduler.follow(name);
      }
      webhooks.onEvents(events);
      fleet.onEvents(events);
    }),
  );
  plugins.open();
  started.resolve();
  await fleet.open();
  const parts = stack.move();
  return { urls: doors.urls, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

const PORT_OPTIONS: Record<DoorName, string> = {
  gateway: "--gateway-port",
  core: "--core-port",
  registry: "--registry-port",
};

/** Beside an embedded database; in ./data for a remote one. */
function lastSetPath(databaseUrl: string): string {
  const path = embeddedPath(databaseUrl);
  return join(path ? dirname(path) : "./data", "last-composed.json");
}
