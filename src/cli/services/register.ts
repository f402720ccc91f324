/** `bobbin register` and `bobbin unregister`: what the registry is told of a service. Decides nothing. */
import { BobbinError } from "../../errors.ts";
import { ask, type Place } from "../api-client.ts";
import { objectIn } from "../argument-values.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { isService } from "./services.ts";

export interface RegisterOptions extends Place {
  readonly graphql?: string;
  readonly health?: string;
  readonly version?: string;
  readonly ttl?: string;
  readonly metadata?: string;
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function registerService(
  name: string,
  url: string,
  { graphql, health, version, ttl, metadata, ...place }: RegisterOptions,
  { env }: Terminal,
): Promise<Outcome> {
  const described = metadataOf(metadata, graphql);
  const answer = await ask({
    door: "registry",
    place,
    env,
    path: "/register",
    writesTo: name,
    body: {
      serviceName: name,
      url,
      ...(health === undefined ? {} : { health }),
      ...(version === undefined ? {} : { version }),
      ...(ttl === undefined ? {} : { ttl: secondsOf(ttl) }),
      ...(described ? { metadata: described } : {}),
    },
    find: ({ body, status }) => (isService(body) ? { service: body, isNew: status === 201 } : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { service, isNew } = answer.found;
  const said = done(`registered ${name}${isNew ? "" : " again"}: ${service.status}, ${url}`);
  const inGraph = service.instances.some(({ graphqlUrl }) => graphqlUrl !== null);
  return inGraph
    ? said
    : { ...said, err: [`${name} is not part of the graph: --graphql /graphql makes it one.`] };
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function unregisterService(
  name: string,
  { url, ...place }: Place & { readonly url?: string },
  { env }: Terminal,
): Promise<Outcome> {
  const answer = await ask({
    door: "registry",
    place,
    env,
    path: "/unregister",
    writesTo: name,
    body: { serviceName: name, ...(url === undefined ? {} : { url }) },
    find: ({ body }) => (isService(body) ? body : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  return done(url === undefined ? `unregistered ${name}` : `unregistered the instance of ${name} at ${url}`);
}

function metadataOf(
  json: string | undefined,
  graphql: string | undefined,
): Record<string, unknown> | undefined {
  if (json === undefined && graphql === undefined) return undefined;
  const given = json === undefined ? {} : objectIn("--metadata", json);
  if (graphql === undefined) return given;
  return { ...given, endpoints: { ...(given.endpoints as object | undefined), graphql } };
}

function secondsOf(ttl: string): number {
  if (/^[1-9]\d{0,8}$/.test(ttl)) return Number(ttl);
  throw new BobbinError("INVALID_INPUT", `--ttl ${ttl}: give a whole number of seconds.`);
}
