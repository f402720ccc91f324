/**
 * What a plugin may ask of bobbin: the graph, the registry, the log. Knows these three; nothing of how plugins run.
 */
import type { ExecutionResult } from "graphql";
import type { Inside } from "./inside.ts";
import type { Log } from "./log.ts";
import type { GraphQLAnswer, ServiceInfo } from "./plugins/define-plugin.ts";
import type { GraphQuery, HostAbilities } from "./plugins/runner/context.ts";
import { leadingInstance, type Service } from "./registry/service.ts";

export interface AbilitiesOptions {
  /** The plugin's, which may change. */
  name: () => string;
  inside: Inside;
  services: () => readonly Service[];
  log: Log;
}

export function pluginAbilities({ name, inside, services, log }: AbilitiesOptions): HostAbilities {
  return {
    query: async (query) => answerOf(await inside.query(questionOf(query))),
    async *subscribe(query, signal) {
      for await (const result of inside.subscribe(questionOf(query), signal)) yield answerOf(result);
    },
    services: async () => services().map(infoOf),
    log: (level, message, { level: _level, msg: _msg, time: _time, ...fields }) =>
      log[level]({ plugin: name(), ...fields }, message),
  };
}

function questionOf({ document, variables, hops }: GraphQuery) {
  return { document, variables, hops: hops + 1 };
}

function answerOf({ data, errors }: ExecutionResult): GraphQLAnswer {
  return {
    ...(data === undefined ? {} : { data }),
    ...(errors ? { errors: errors.map((error) => error.toJSON()) } : {}),
  };
}

function infoOf(service: Service): ServiceInfo {
  const { name, source, status, version, tags, metadata } = service;
  const { url, graphqlUrl } = leadingInstance(service);
  return { name, source, status, url, graphqlUrl, version, tags, metadata };
}
