/**
 * The services of this process, the core and the plugins, as the gateway reaches them: by a call, not over a URL.
 * Knows both; nothing of the registry's inside.
 */
import { createDefaultExecutor } from "@graphql-tools/delegate";
import { type ExecutionRequest, type Executor, pruneSchema } from "@graphql-tools/utils";
import { GraphQLSchema, parse, printSchema } from "graphql";
import { BobbinError, messageOf } from "./errors.ts";
import { failure } from "./gateway/remote-executor.ts";
import type { GatewayContext } from "./gateway/request-context.ts";
import type { LocalService } from "./gateway/schemas.ts";
import type { Outcome } from "./health/probe.ts";
import { pluginContext } from "./plugins/context.ts";
import type { PluginHost } from "./plugins/host.ts";
import type { Registration } from "./registry/registration.ts";
import { version } from "./version.ts";

const TYPENAME = parse("{ __typename }");

export class LocalServices {
  readonly #core: LocalService;
  readonly #host: PluginHost;
  readonly #refusal: (name: string) => BobbinError | undefined;

  /** `refusal`: why a service gets no requests at this moment, if so. */
  constructor(
    coreSchema: GraphQLSchema,
    withMutations: boolean,
    host: PluginHost,
    refusal: (name: string) => BobbinError | undefined,
  ) {
    const shown = new GraphQLSchema({
      ...coreSchema.toConfig(),
      subscription: undefined,
      ...(withMutations ? {} : { mutation: undefined }),
    });
    this.#core = { sdl: printSchema(pruneSchema(shown)), execute: createDefaultExecutor(coreSchema) };
    this.#host = host;
    this.#refusal = refusal;
  }

  /** The service of this name, why it cannot serve, or undefined where it is not of this process. */
  get(name: string): LocalService | BobbinError | undefined {
    const service = this.#find(name);
    if (!service || service instanceof BobbinError) return service;
    const execute = (request: ExecutionRequest) => {
      const refused = this.#refusal(name);
      return refused ? failure(name, refused) : service.execute(request);
    };
    return { sdl: service.sdl, execute: execute as Executor };
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
    const service = this.#find(name);
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

  #find(name: string): LocalService | BobbinError | undefined {
    if (name === "core") return this.#core;
    const serving = this.#host.get(name)?.serving;
    if (!serving || serving instanceof BobbinError) return serving;
    return { sdl: serving.sdl, execute: (request) => serving.execute(forPlugin(request)) };
  }
}

const NO_REQUEST: GatewayContext = { hops: 0, writeToken: undefined };

function forPlugin(request: ExecutionRequest): ExecutionRequest {
  const { request: http, writeToken } = request.context as GatewayContext;
  return { ...request, context: pluginContext(http?.headers, writeToken) };
}
