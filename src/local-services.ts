/**
 * The services of this process, the core and the plugins, as the gateway reaches them: by a call, not over a URL.
 * Knows both; nothing of the registry's inside.
 */
import { createDefaultExecutor } from "@graphql-tools/delegate";
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { execute, type GraphQLSchema, parse, print } from "graphql";
import { BobbinError, messageOf, toBobbinError } from "./errors.ts";
import type { LocalService, LocalState } from "./gateway/local-service.ts";
import {
  type DividedExecutor,
  failure,
  type OwnExecutor,
  type ServiceAnswer,
} from "./gateway/remote/remote-executor.ts";
import { holdsFile } from "./gateway/remote/request-body.ts";
import type { GatewayContext } from "./gateway/remote/request-context.ts";
import { withPlainNumbers } from "./gateway/values/exact-numbers.ts";
import type { Outcome } from "./health/probe.ts";
import type { PluginHost } from "./plugins/host.ts";
import { shown } from "./plugins/place.ts";
import type { PluginRequest } from "./plugins/runner/protocol.ts";
import { shownHeaders } from "./plugins/shown-headers.ts";
import type { Version } from "./plugins/version.ts";
import type { Registration } from "./registry/registration.ts";
import { version } from "./version.ts";

const TYPENAME = parse("{ __typename }");
const PROBE: PluginRequest = { query: "{ __typename }", headers: {}, hops: 0 };

export function coreRegistration(coreUrl: string, node: string): Registration {
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

export class LocalServices {
  readonly #core: LocalService;
  readonly #plugins: () => PluginHost;
  readonly #refusal: (name: string) => BobbinError | undefined;
  /** What the graph has of each version. */
  readonly #services = new WeakMap<Version, LocalService>();

  /** `sdl`: what the graph shows of the core. `refusal`: why a service gets no requests at this moment, if so. */
  constructor(
    { schema, sdl }: { schema: GraphQLSchema; sdl: string },
    plugins: () => PluginHost,
    refusal: (name: string) => BobbinError | undefined,
  ) {
    const executeCore = createDefaultExecutor(schema);
    const ask = (request: ExecutionRequest) =>
      this.#refusedOf("core", request) ?? executeCore(forCode(request));
    const own: OwnExecutor = Object.assign(ask as Executor, {
      carryOut: (request: ExecutionRequest) =>
        this.#refusedOf("core", request) ? undefined : asAsked(schema, forCode(request)),
    });
    this.#core = { sdl, execute: own };
    this.#plugins = plugins;
    this.#refusal = refusal;
  }

  /** What of the service of this name runs, and why nothing newer does; undefined where it is not of this process. */
  get(name: string): LocalState | undefined {
    if (name === "core") return { service: this.#core, failure: undefined, file: undefined };
    const plugin = this.#plugins().get(name);
    // Under its former name it goes on serving, but the graph is not to be composed with that any more.
    if (plugin?.name !== name) return undefined;
    const service = plugin.newest && this.#serviceOf(plugin.newest);
    return { service, failure: plugin.failure, file: shown(plugin.entry) };
  }

  /** Whether an executor that the graph has is this version's. */
  isOf(version: Version, execute: unknown): boolean {
    return this.#services.get(version)?.execute === execute;
  }

  /** Whether the service answers; a plugin that could not be loaded does not. */
  async probe(name: string): Promise<Outcome> {
    try {
      if (name === "core") await this.#core.execute({ document: TYPENAME });
      else await this.#probePlugin(name);
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }

  async #probePlugin(name: string): Promise<void> {
    const plugin = this.#plugins().get(name);
    // What is about to run is not asked before it does.
    if (plugin?.newest?.generation?.isOver !== false) await plugin?.settled;
    const version = plugin?.newest;
    if (!version || plugin?.failure?.code === "PLUGIN_CRASHED")
      throw plugin?.failure ?? new Error("not loaded");
    await version.health();
    const { errors } = await version.execute(PROBE);
    if (errors?.[0]) throw errors[0];
  }

  #serviceOf(version: Version): LocalService {
    const known = this.#services.get(version);
    if (known) return known;
    const { name, sdl } = version;
    const ask = (request: ExecutionRequest) =>
      this.#refusedOf(name, request) ?? executeOn(version, forCode(request));
    const divided: DividedExecutor = Object.assign(ask as Executor, {
      send: async (body: string, context: GatewayContext) => {
        const refused = this.#refusal(name);
        if (refused) throw refused;
        return { result: await version.execute({ ...JSON.parse(body), ...callerOf(context) }) };
      },
      read: (_request: unknown, answer: ServiceAnswer) => ("result" in answer ? answer.result : {}),
      failed: (error: unknown) => failure(name, toBobbinError(error)),
    });
    const service: LocalService = { sdl, execute: divided };
    this.#services.set(version, service);
    return service;
  }

  #refusedOf(name: string, request: ExecutionRequest): ExecutionResult | undefined {
    const refused = this.#refusal(name);
    return refused ? failure(name, refused) : refusedFiles(name, request);
  }
}

/** Graphql-js has the fields in the query's order. */
async function asAsked(
  schema: GraphQLSchema,
  { document, variables, operationName, context }: ExecutionRequest,
): Promise<ExecutionResult> {
  return execute({ schema, document, variableValues: variables, operationName, contextValue: context });
}

/** Code reckons with doubles. */
export function forCode(request: ExecutionRequest): ExecutionRequest {
  return { ...request, variables: withPlainNumbers(request.variables) };
}

/** Files go to services over HTTP only. */
export function refusedFiles(service: string, { variables }: ExecutionRequest): ExecutionResult | undefined {
  if (!holdsFile(variables)) return undefined;
  return failure(service, new BobbinError("INVALID_INPUT", `${service} takes no files.`));
}

async function executeOn(
  version: Version,
  request: ExecutionRequest,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  const { document, variables, operationName, operationType, context } = request;
  const asked: PluginRequest = {
    query: print(document),
    variables,
    operationName,
    ...callerOf(context as GatewayContext),
  };
  try {
    return operationType === "subscription" ? version.subscribe(asked) : await version.execute(asked);
  } catch (error) {
    return failure(version.name, toBobbinError(error));
  }
}

/** What a plugin is told of who asks. */
function callerOf({ request, writeToken, hops }: GatewayContext): Pick<PluginRequest, "headers" | "hops"> {
  return { headers: shownHeaders(request, writeToken), hops };
}
