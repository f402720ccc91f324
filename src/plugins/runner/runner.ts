/**
 * Runs one version of a plugin's code, wherever that is: loads it, checks it, executes its schema, ends it.
 * Knows the plugin and what the host offers to it; nothing of threads, processes, the graph or other versions.
 */
import { makeExecutableSchema } from "@graphql-tools/schema";
import { type ExecutionResult, printSchemaWithDirectives } from "@graphql-tools/utils";
import { type DocumentNode, GraphQLError, type GraphQLSchema } from "graphql";
import { BobbinError, messageOf } from "../../errors.ts";
import type { PluginDefinition } from "../define-plugin.ts";
import { placeInStack } from "../place.ts";
import { checkConfiguration } from "./configuration.ts";
import { type HostAbilities, Lifetime } from "./context.ts";
import { checkDefinition, type Manifest, manifestOf } from "./definition.ts";
import { executeOnce, parseCached, subscribeTo } from "./execution.ts";
import { bodyOf, partsOf } from "./http-parts.ts";
import { missingMergeDirectives } from "./merge-directives.ts";
import type { CodeToLoad, HttpPart, HttpRequest, PluginRequest, RunnerCalls } from "./protocol.ts";

interface Loaded {
  readonly definition: PluginDefinition;
  readonly schema: GraphQLSchema;
  readonly file: string;
}

export class Runner implements RunnerCalls {
  readonly #host: HostAbilities;
  #loaded: Loaded | undefined;
  #lifetime: Lifetime | undefined;

  constructor(host: HostAbilities) {
    this.#host = host;
  }

  async load({ code, file, isolation }: CodeToLoad): Promise<Manifest> {
    const definition = checkDefinition(await importDefault(code, file), file, isolation);
    const schema = schemaOf(definition, file);
    this.#loaded = { definition, schema, file };
    return manifestOf(definition, printSchemaWithDirectives(schema));
  }

  async configure(config: unknown): Promise<void> {
    const { definition, file } = this.#ready();
    const checked = await checkConfiguration(definition.config, config, file);
    this.#lifetime = new Lifetime(definition.name, checked, this.#host);
  }

  async start(): Promise<void> {
    const { definition, file } = this.#ready();
    const lifetime = this.#running();
    try {
      await step("setup", file, () => definition.setup?.(lifetime.context));
      await step("health", file, () => definition.health?.(lifetime.context));
    } catch (error) {
      await lifetime.end();
      throw error;
    }
  }

  execute(request: PluginRequest): Promise<ExecutionResult> {
    return executeOnce(this.#execution(request));
  }

  subscribe(request: PluginRequest): AsyncIterable<ExecutionResult> {
    return subscribeTo(this.#execution(request));
  }

  async *fetch(request: HttpRequest, signal: AbortSignal): AsyncGenerator<HttpPart, void, undefined> {
    const { definition } = this.#ready();
    const lifetime = this.#running();
    const { method, url, headers, hops } = request;
    try {
      const incoming = new Request(url, { method, headers, body: bodyOf(request), signal });
      const response = await definition.fetch?.(incoming, lifetime.forRequest(headers, hops));
      if (!(response instanceof Response)) throw new TypeError("fetch returned no Response");
      yield* partsOf(response, signal);
    } catch (error) {
      // What fails because the client has left is no fault.
      if (!signal.aborted)
        lifetime.log("error", `fetch failed: ${messageOf(error)}`, { ...placeInStack(error) });
      throw new BobbinError("INTERNAL", "The plugin's fetch failed; the cause is in the log.");
    }
  }

  async health(): Promise<void> {
    await this.#ready().definition.health?.(this.#running().context);
  }

  async dispose(): Promise<void> {
    const lifetime = this.#lifetime;
    if (!lifetime) return;
    try {
      await this.#ready().definition.dispose?.(lifetime.context);
    } catch (error) {
      lifetime.log("error", `dispose failed: ${messageOf(error)}`, { ...placeInStack(error) });
    }
    await lifetime.end();
  }

  /** Ends what the version's context owns, without a word to the plugin. */
  async end(): Promise<void> {
    await this.#lifetime?.end();
  }

  /** For what the code does outside any call. */
  log: HostAbilities["log"] = (level, message, fields) => {
    if (this.#lifetime) this.#lifetime.log(level, message, fields);
    else this.#host.log(level, message, fields);
  };

  #execution({ query, variables, operationName, headers, hops }: PluginRequest) {
    const lifetime = this.#running();
    const document: DocumentNode = parseCached(query);
    return {
      schema: this.#ready().schema,
      document,
      variableValues: variables,
      operationName,
      contextValue: lifetime.forRequest(headers, hops),
      onFailure: (error: unknown, field: string) =>
        lifetime.log("error", `${field} failed: ${messageOf(error)}`, {
          ...placeInStack(error),
          ...(error instanceof Error ? { stack: error.stack } : {}),
        }),
    };
  }

  #ready(): Loaded {
    if (!this.#loaded) throw new Error("the plugin was not loaded");
    return this.#loaded;
  }

  #running(): Lifetime {
    if (!this.#lifetime) throw new Error("the plugin was not configured");
    return this.#lifetime;
  }
}

/** What the code exports by default. Throws PLUGIN_LOAD_FAILED with the place where it threw. */
export async function importDefault(code: string, file: string): Promise<unknown> {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const module = (await import(url)) as { default?: unknown };
    return module.default;
  } catch (error) {
    throw new BobbinError("PLUGIN_LOAD_FAILED", `${file} threw while loading: ${messageOf(error)}`, {
      place: placeInStack(error) ?? { file },
      step: "load",
      cause: error,
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Throws PLUGIN_INVALID. */
export function schemaOf({ typeDefs, resolvers = {} }: PluginDefinition, file: string): GraphQLSchema {
  try {
    const all = [...missingMergeDirectives(typeDefs), typeDefs];
    return makeExecutableSchema({ typeDefs: all, resolvers: resolvers as never });
  } catch (error) {
    const [at] = (error instanceof GraphQLError && error.locations) || [];
    const where = at ? ` (typeDefs, line ${at.line}, column ${at.column})` : "";
    throw new BobbinError("PLUGIN_INVALID", `${file}: ${messageOf(error)}${where}`, {
      place: { file },
      step: "schema",
      cause: error,
    });
  }
}

async function step(name: "setup" | "health", file: string, run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw new BobbinError("PLUGIN_LOAD_FAILED", `${file}: ${name} failed: ${messageOf(error)}`, {
      place: placeInStack(error) ?? { file },
      step: name,
      cause: error,
    });
  }
}
