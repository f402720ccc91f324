/**
 * The composition root: builds the parts along the way of the data, and disposes of them in reverse.
 * Nobody imports this but the command line and tests.
 */
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import { type CoreOptions, coreApi, coreSchema } from "./api/core.ts";
import { type Fetch, withFront } from "./api/front.ts";
import { gatewayApi, gatewayCorsMethods } from "./api/gateway.ts";
import { Guard } from "./api/guard.ts";
import { Listener } from "./api/listener.ts";
import type { Operations } from "./api/operations.ts";
import { PluginDoors } from "./api/plugin-door.ts";
import { registryApi, registryCorsMethods } from "./api/registry.ts";
import { Streams } from "./api/sse.ts";
import { createToken } from "./api/tokens.ts";
import type { Clock } from "./clock.ts";
import { type Config, isLoopbackHost } from "./config.ts";
import { BobbinError } from "./errors.ts";
import { Composer } from "./gateway/composer.ts";
import { LastSet } from "./gateway/last-set.ts";
import { failure, remoteExecutor } from "./gateway/remote-executor.ts";
import { routeOf } from "./gateway/route.ts";
import type { LocalService } from "./gateway/schemas.ts";
import { probeOverHttp } from "./health/probe.ts";
import { HealthScheduler } from "./health/scheduler.ts";
import { type DoorName, HOPS_HEADER } from "./http.ts";
import { Identity } from "./identity.ts";
import { LocalServices } from "./local-services.ts";
import type { Log } from "./log.ts";
import { PluginHost } from "./plugins/host.ts";
import { embeddedPath } from "./registry/database.ts";
import { Registry } from "./registry/registry.ts";
import { Webhooks } from "./webhooks.ts";

export interface App extends AsyncDisposable {
  /** Full URLs of the doors. */
  readonly urls: Record<DoorName, string>;
}

const DRAIN_MS = 10_000;
const WEBHOOK_TOKEN_SECONDS = 60;

/** Starts everything; when it returns, all doors are open. Throws when a port is taken. */
export async function createApp(config: Config, { log, clock }: { log: Log; clock: Clock }): Promise<App> {
  const stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const identity = new Identity(config.host);
  const { jwtSecret } = config;
  const loopback = isLoopbackHost(config.host);
  const guard = new Guard({ jwtSecret, loopback, corsOrigins: config.corsOrigins });
  const streams = new Streams();

  const lastSet = new LastSet(lastSetPath(config.databaseUrl), log);
  const lastServices = await lastSet.read();
  stack.defer(() => lastSet.flush());

  const registry = stack.use(
    new Registry({
      database: { url: config.databaseUrl, authToken: config.databaseAuthToken },
      ownDoor: (url) => identity.ownDoor(url),
      clock,
      log,
    }),
  );
  await registry.start(() =>
    lastServices.map(({ service }) => service).filter(({ source }) => source === "REMOTE"),
  );

  const plugins = new PluginHost(config.plugins, log);
  await plugins.load();

  const scheduler = stack.use(
    new HealthScheduler({
      services: () => registry.list(),
      service: (name) => registry.get(name),
      probe: (service, instance, signal) =>
        service.source === "REMOTE"
          ? probeOverHttp(instance, { [HOPS_HEADER]: "1" }, signal)
          : local.probe(service.name),
      report: (observation) => registry.recordHealth(observation),
      clock,
    }),
  );

  const operations: Operations = {
    services: () => registry.list(),
    service: (name) => registry.get(name),
    register: (registration) => registry.register(registration),
    unregister: (name, url) => registry.unregister(name, url),
    update: (name, change) => registry.update(name, change),
    heartbeat: (name, url) => registry.heartbeat(name, url),
    checkAll: () => scheduler.checkAll(),
    events: registry.events,
  };

  const core: CoreOptions = { operations, guard, stopping: stopping.signal, log };
  const schema = coreSchema(core);
  const local = new LocalServices(schema, config.coreMutationsInGraph, plugins);
  const pluginDoors = new PluginDoors(plugins, guard, log);

  const route = (name: string) => routeOf(name, registry.get(name));
  const composer = stack.use(
    new Composer({
      services: () => registry.list(),
      service: (name) => registry.get(name),
      revision: () => registry.revision,
      local: (name) => whileServed(name, local.get(name), route),
      remoteExecutor: (name) =>
        remoteExecutor(name, { route, onFailure: (service, origin) => scheduler.hint(service, origin) }),
      ownDoor: (url) => identity.ownDoor(url),
      ownDoorOf: (header) => identity.doorOf(header),
      recordSchema: (name, state) => registry.recordSchema(name, state),
      recordFirstAnswer: (service, origin) =>
        registry.recordHealth({ service, origin, health: "HEALTHY", reason: null, at: clock.now() }),
      save: (services) => lastSet.save(services),
      clock,
      log,
    }),
  );

  const fetches: Record<DoorName, Fetch> = {
    gateway: gatewayApi({
      composer,
      services: () => registry.list(),
      guard,
      plugin: (name) => pluginDoors.get(name),
      isReady: () => composer.started && !stopping.signal.aborted,
      log,
    }).fetch,
    core: coreApi(schema, core).fetch,
    registry: registryApi({
      operations,
      guard,
      streams,
      revision: () => registry.revision,
      available: () => registry.available,
    }).fetch,
  };
  const corsMethods = { gateway: gatewayCorsMethods, core: () => [], registry: registryCorsMethods };

  // A request that comes while the parts are being started waits for them.
  const started = Promise.withResolvers<void>();
  const listeners = stack.adopt(new Map<DoorName, Listener>(), (open) => drain(open, stopping, streams));
  const ports = { gateway: config.gatewayPort, core: config.corePort, registry: config.registryPort };
  try {
    for (const door of ["gateway", "core", "registry"] as const) {
      const fetch = withFront(fetches[door], {
        guard,
        bodyLimitBytes: config.bodyLimitBytes,
        doorHeader: identity.doorHeader(door),
        corsMethods: corsMethods[door],
        log,
      });
      const whenStarted: Fetch = (request) => started.promise.then(() => fetch(request));
      listeners.set(door, Listener.open(config.host, ports[door], whenStarted));
    }
  } catch (error) {
    started.resolve();
    await stack.disposeAsync();
    throw error;
  }
  const urls = Object.fromEntries([...listeners].map(([door, { url }]) => [door, url])) as Record<
    DoorName,
    string
  >;
  identity.setPorts(
    Object.fromEntries([...listeners].map(([door, { port }]) => [door, port])) as Record<DoorName, number>,
  );

  const webhooks = stack.use(
    new Webhooks({
      receivers: config.apiGatewayUrls.filter((url) => identity.ownDoor(url) === undefined),
      isOwn: (header) => identity.doorOf(header) !== undefined,
      token: async () => (jwtSecret ? createToken(jwtSecret, WEBHOOK_TOKEN_SECONDS) : undefined),
      clock,
      log,
    }),
  );

  const node = `${hostname()}:${listeners.get("gateway")?.port}`;
  const owner = embeddedPath(config.databaseUrl) === undefined ? node : undefined;
  await registry.replaceLocal("CORE", owner, [local.coreRegistration(urls.core, node)]);
  for (const name of await registry.replaceLocal(
    "PLUGIN",
    owner,
    local.pluginRegistrations(urls.gateway, node),
  )) {
    plugins.refuseName(name);
  }

  composer.start(lastServices);
  scheduler.start();
  stack.defer(
    registry.events.subscribe((events) => {
      composer.onEvents(events);
      for (const { type, service } of events) {
        if (type !== "STATUS" && type !== "SCHEMA") scheduler.follow(service, true);
      }
      webhooks.onEvents(events);
    }),
  );
  started.resolve();
  return { urls, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Streams end at once, requests in flight have their time, and then every connection is closed. */
async function drain(
  listeners: ReadonlyMap<DoorName, Listener>,
  stopping: AbortController,
  streams: Streams,
): Promise<void> {
  stopping.abort();
  streams.endAll();
  const open = [...listeners.values()];
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, DRAIN_MS);
  await Promise.race([Promise.all(open.map((listener) => listener.drain())), deadline.promise]);
  clearTimeout(timer);
  await Promise.all(open.map((listener) => listener.close()));
}

/** A local service that refuses calls while its status says that it gets none. */
function whileServed(
  name: string,
  service: LocalService | BobbinError | undefined,
  route: (name: string) => ReturnType<typeof routeOf>,
): LocalService | BobbinError | undefined {
  if (!service || service instanceof BobbinError) return service;
  const execute = (request: ExecutionRequest) => {
    const found = route(name);
    return found instanceof BobbinError ? failure(name, found) : service.execute(request);
  };
  return { sdl: service.sdl, execute: execute as Executor };
}

/** Beside an embedded database; in ./data for a remote one. */
function lastSetPath(databaseUrl: string): string {
  const path = embeddedPath(databaseUrl);
  return join(path ? dirname(path) : "./data", "last-composed.json");
}
