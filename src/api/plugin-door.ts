/**
 * A plugin's own GraphQL over HTTP, at the URL under which it is registered. Knows plugins and Yoga.
 */
import type { Executor } from "@graphql-tools/utils";
import { createYoga, type Plugin as YogaPlugin } from "graphql-yoga";
import { BobbinError } from "../errors.ts";
import type { Log } from "../log.ts";
import { pluginContext } from "../plugins/context.ts";
import type { Plugin, PluginHost } from "../plugins/host.ts";
import type { Fetch } from "./front.ts";
import type { Guard } from "./guard.ts";
import { yogaOptions } from "./yoga.ts";

export class PluginDoors {
  readonly #host: PluginHost;
  readonly #guard: Guard;
  readonly #log: Log;
  readonly #stopping: AbortSignal;
  /** One server per loaded version of a plugin, gone with it. */
  readonly #doors = new WeakMap<Plugin, Fetch>();

  constructor(host: PluginHost, guard: Guard, log: Log, stopping: AbortSignal) {
    this.#host = host;
    this.#guard = guard;
    this.#log = log;
    this.#stopping = stopping;
  }

  /** The door of the plugin of this name, or undefined where none of this name serves. */
  get(name: string): Fetch | undefined {
    const plugin = this.#host.get(name);
    if (!plugin) return undefined;
    const door = this.#doors.get(plugin) ?? this.#open(plugin);
    if (door) this.#doors.set(plugin, door);
    return door;
  }

  #open({ name, serving }: Plugin): Fetch | undefined {
    if (serving instanceof BobbinError) return undefined;
    const options = yogaOptions({ log: this.#log, title: name, stopping: this.#stopping });
    const yoga = createYoga({
      ...options,
      graphqlEndpoint: `/plugins/${name}/graphql`,
      schema: serving.schema,
      context: async ({ request }) => pluginContext(request.headers, await this.#guard.writeToken(request)),
      plugins: [...options.plugins, throughHost(serving.execute)],
    });
    return (request) => yoga.fetch(request);
  }
}

/** Execution on the road that the gateway takes too, with its deadline. */
function throughHost(execute: Executor): YogaPlugin {
  return {
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn(({ document, variableValues, operationName, contextValue }) =>
        execute({ document, variables: variableValues, operationName, context: contextValue }),
      ),
  };
}
