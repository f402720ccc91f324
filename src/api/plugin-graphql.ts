/**
 * A plugin's own GraphQL over HTTP, at the URL under which it is registered. Knows versions of plugins, and Yoga.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import { buildASTSchema, GraphQLError, parse, print } from "graphql";
import { createYoga, type Plugin as YogaPlugin } from "graphql-yoga";
import { hopsOf } from "../http.ts";
import type { Log } from "../log.ts";
import type { PluginRequest } from "../plugins/runner/protocol.ts";
import { shownHeaders } from "../plugins/shown-headers.ts";
import type { Version } from "../plugins/version.ts";
import type { Fetch } from "./front.ts";
import type { Guard } from "./guard.ts";
import { yogaOptions } from "./yoga.ts";

interface DoorContext {
  readonly headers: PluginRequest["headers"];
  readonly hops: number;
}

export class PluginGraphQL {
  readonly #guard: Guard;
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  /** One server per version, gone with it. */
  readonly #servers = new WeakMap<Version, Fetch>();

  constructor(guard: Guard, log: Log, stopping: AbortSignal) {
    this.#guard = guard;
    this.#log = log;
    this.#stopping = stopping;
  }

  answer(version: Version, request: Request): Response | Promise<Response> {
    let server = this.#servers.get(version);
    if (!server) {
      server = this.#serve(version);
      this.#servers.set(version, server);
    }
    return server(request);
  }

  #serve(version: Version): Fetch {
    const options = yogaOptions({ log: this.#log, title: version.name, stopping: this.#stopping });
    const yoga = createYoga({
      ...options,
      graphqlEndpoint: `/plugins/${version.name}/graphql`,
      // The plugin's own check of its SDL is stricter.
      schema: buildASTSchema(parse(version.sdl, { noLocation: true }), { assumeValidSDL: true }),
      context: async ({ request }): Promise<DoorContext> => ({
        headers: shownHeaders(request, await this.#guard.writeToken(request)),
        hops: hopsOf(request.headers),
      }),
      plugins: [...options.plugins, throughVersion(version)],
    });
    return (request) => yoga.fetch(request);
  }
}

/** Execution on the road that the gateway takes too, with its deadline. */
function throughVersion(version: Version): YogaPlugin {
  return {
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn(async (args) => withErrors(await version.execute(requestOf(args)))),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn((args) => resultsOf(version.subscribe(requestOf(args)))),
  };
}

/** No generator: leaving one takes effect only when the event that it waits for has come. */
function resultsOf(results: AsyncIterableIterator<ExecutionResult>): AsyncIterableIterator<ExecutionResult> {
  return {
    async next() {
      const { value, done } = await results.next();
      return done ? { value, done } : { value: withErrors(value) };
    },
    return: async () => (await results.return?.()) ?? { value: undefined, done: true },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Errors that came as plain data, as Yoga knows them. */
function withErrors(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  const errors = result.errors.map(({ message, path, extensions }) => {
    return new GraphQLError(message, { path, extensions });
  });
  return { ...result, errors };
}

type Args = Parameters<Parameters<Parameters<NonNullable<YogaPlugin["onExecute"]>>[0]["setExecuteFn"]>[0]>[0];

function requestOf({ document, variableValues, operationName, contextValue }: Args): PluginRequest {
  const { headers, hops } = contextValue as DoorContext;
  return {
    query: print(document),
    variables: variableValues ?? undefined,
    operationName: operationName ?? undefined,
    headers,
    hops,
  };
}
