/** What the tests of the gateway say again and again: register a service, ask what became of it. */
import type { DoorName } from "../../src/http.ts";
import { get, graphql, post, until } from "../support/client.ts";
import type { TestService } from "../support/service.ts";

interface Doors {
  readonly urls: Record<DoorName, string>;
}

/**
 * Registers over REST, GraphQL at /graphql, probed once, so that what a service is asked can be counted. `extra` goes
 * over that.
 */
export function register(app: Doors, serviceName: string, service: { url: string }, extra: object = {}) {
  return post(`${app.urls.registry}/register`, {
    serviceName,
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 3_600 } },
    ...extra,
  });
}

export function registerOverGraphQL(app: Doors, name: string, service: TestService) {
  return graphql(
    app.urls.core,
    "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { name status } }",
    { input: { name, url: service.graphqlUrl } },
  );
}

export function unregister(app: Doors, serviceName: string) {
  return post(`${app.urls.registry}/unregister`, { serviceName });
}

export function setStatus(app: Doors, name: string, status: "MAINTENANCE" | "ACTIVE") {
  const mutation = `mutation { updateService(name: "${name}", input: { status: ${status} }) { status } }`;
  return graphql(app.urls.core, mutation);
}

/** One line of /gateway/services. */
export async function serviceLine(app: Doors, name: string) {
  const { body } = await get(`${app.urls.gateway}/gateway/services`);
  return body.services.find((service: { name: string }) => service.name === name);
}

/** The service as the registry shows it. */
export async function inRegistry(app: Doors, name: string) {
  return (await get(`${app.urls.registry}/services/${name}`)).body;
}

export const ask = (app: Doors, query: string) => graphql(app.urls.gateway, query);

/** Waits until the query is answered without errors, and returns its data. */
export async function answered(app: Doors, query: string) {
  return (
    await until(
      () => ask(app, query),
      ({ data, errors }) => data && !errors,
    )
  ).data;
}

/** Waits until the graph has no such field. */
export function gone(app: Doors, query: string) {
  return until(
    () => ask(app, query),
    ({ errors }) => errors?.[0]?.extensions?.code === "GRAPHQL_VALIDATION_FAILED",
  );
}

/** Waits until /gateway/services says so of the service. */
export function becomes(app: Doors, name: string, line: { composition?: string; status?: string }) {
  return until(
    () => serviceLine(app, name),
    (now) => Object.entries(line).every(([key, value]) => now?.[key] === value),
  );
}

export function introspections({ requests }: TestService): number {
  return requests.filter(({ query }) => query.includes("__schema")).length;
}

/** A service with one field that says `value`. */
export function saying(field: string, value: string) {
  return { typeDefs: `type Query { ${field}: String }`, resolvers: { Query: { [field]: () => value } } };
}
