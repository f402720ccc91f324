/**
 * The services of this process, the core and the plugins, as the gateway reaches them: by a call, not over a URL.
 * Knows both; nothing of the registry's inside.
 */
import { createDefaultExecutor } from "@graphql-tools/delegate";
import { type ExecutionRequest, pruneSchema } from "@graphql-tools/utils";
import { GraphQLSchema, parse, printSchema } from "graphql";
import { createYoga } from "graphql-yoga";
import type { Fetch } from "./api/front.ts";
import { yogaOptions } from "./api/yoga.ts";
import { BobbinError, messageOf } from "./errors.ts";
import type { LocalService } from "./gateway/composer.ts";
import type { GatewayContext } from "./gateway/request-context.ts";
import type { Outcome } from "./health/probe.ts";
import type { Log } from "./log.ts";
import type { PluginContext } from "./plugins/define-plugin.ts";
import type { Plugin, PluginHost } from "./plugins/host.ts";
import type { Registration } from "./registry/registration.ts";
import { version } from "./version.ts";

const TYPENAME = parse("{ __typename }");

export class LocalServices {
  readonly #core: LocalService;
  readonly #host: PluginHost;
  readonly #log: Log;
  readonly #doors = new WeakMap<Plugin, Fetch>();

  constructor(coreSchema: GraphQLSchema, withMutations: boolean, host: PluginHost, log: Log) {
    const shown = new GraphQLSchema({
      ...coreSchema.toConfig(),
      subscription: undefined,
      ...(withMutations ? {} : { mutation: undefined }),
    });
    this.#core = { sdl: printSchema(pruneSchema(shown)), execute: createDefaultExecutor(coreSchema) };
    this.#host = host;
    this.#log = log;
  }

  /** The service of this name, why it cannot serve, or undefined where it is not of this process. */
  get(name: string): LocalService | BobbinError | undefined {
    if (name === "core") return this.#core;
    const serving = this.#host.get(name)?.serving;
    if (!serving || serving instanceof BobbinError) return serving;
    return { sdl: serving.sdl, execute: (request) => serving.execute(forPlugin(request)) };
  }

  coreRegistration(coreUrl: string, node: string): Registration {
    return {
      name: "core",
      displayName: "bobbin",
      description: "The service registry",
      version,
      url: `${coreUrl}/graphql`,
      door: "LOCAL",
      source: "CORE",
      node,
      health: "HEALTHY",
    };
  }

  pluginRegistrations(gatewayUrl: string, node: string): Registration[] {
    return this.#host.list().map(({ name, definition, serving }) => ({
      name,
      displayName: definition?.displayName,
      description: definition?.description,
      version: definition?.version,
      tags: definition?.tags,
      dependencies: definition?.dependencies,
      metadata: definition?.metadata,
      url: `${gatewayUrl}/plugins/${name}/graphql`,
      door: "LOCAL",
      source: "PLUGIN",
      node,
      ...(serving instanceof BobbinError ? { healthReason: serving.message } : { health: "HEALTHY" }),
    }));
  }

  /** Whether the service answers; a plugin that could not be loaded does not. */
  async probe(name: string): Promise<Outcome> {
    const service = this.get(name);
    if (!service) return { ok: false, reason: "not loaded" };
    if (service instanceof BobbinError) return { ok: false, reason: service.message };
    try {
      const result = await service.execute({ document: TYPENAME, context: NO_REQUEST });
      const [error] = ("errors" in result && result.errors) || [];
      return error ? { ok: false, reason: error.message } : { ok: true };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }

  /** GraphQL over HTTP of one plugin, or undefined where none of this name serves. */
  pluginDoor(name: string): Fetch | undefined {
    const plugin = this.#host.get(name);
    if (!plugin || plugin.serving instanceof BobbinError) return undefined;
    const known = this.#doors.get(plugin);
    if (known) return known;
    const yoga = createYoga({
      ...yogaOptions(this.#log, name),
      graphqlEndpoint: `/plugins/${name}/graphql`,
      schema: plugin.serving.schema,
      context: ({ request }): PluginContext => ({ headers: Object.fromEntries(request.headers) }),
    });
    const door: Fetch = (request) => yoga.fetch(request);
    this.#doors.set(plugin, door);
    return door;
  }
}

const NO_REQUEST: GatewayContext = { hops: 0, writeToken: undefined };

/** The request as a plugin sees it: plain data, without a token that opens the registry. */
function forPlugin(request: ExecutionRequest): ExecutionRequest {
  const { request: http, writeToken } = request.context as GatewayContext;
  const headers = Object.fromEntries(http?.headers ?? []);
  if (writeToken) delete headers.authorization;
  return { ...request, context: { headers } satisfies PluginContext };
}
