/** The core's GraphQL API on its own port: its operations as they are published, letter for letter, and its rules. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GraphQLClient } from "graphql-request";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startService, type TestService } from "../support/service.ts";
import * as published from "./published.ts";

let app: TestApp;
let payments: TestService;
beforeAll(async () => {
  payments = await startService({ typeDefs: "type Query { payment: String }" });
  app = await startApp();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await payments[Symbol.asyncDispose]();
});

const ask = (query: string, variables?: Record<string, unknown>) => graphql(app.urls.core, query, variables);

describe("the published operations", () => {
  test("register, read, update and unregister a service", async () => {
    const registered = await ask(published.REGISTER, {
      input: { name: "payment-service", url: payments.graphqlUrl },
    });
    expect(registered.data.registerService).toEqual({
      id: expect.any(String),
      name: "payment-service",
      url: payments.graphqlUrl,
      status: "INACTIVE",
    });
    const active = await until(
      () => ask(published.ACTIVE),
      ({ data }) => data.getActiveServices.length === 2,
    );
    expect(active.data.getActiveServices).toEqual([
      { name: "core", url: `${app.urls.core}/graphql`, status: "ACTIVE" },
      { name: "payment-service", url: payments.graphqlUrl, status: "ACTIVE" },
    ]);
    expect((await ask(published.SUBGRAPHS)).data.getGatewaySubgraphs).toEqual([
      { name: "core", url: `${app.urls.core}/graphql` },
      { name: "payment-service", url: payments.graphqlUrl },
    ]);
    expect((await ask(published.HEALTH)).data.checkAllServicesHealth).toEqual([
      { service: "core", healthy: true },
      { service: "payment-service", healthy: true },
    ]);
    const updated = await ask(published.UPDATE, {
      name: "payment-service",
      input: { status: "MAINTENANCE" },
    });
    expect(updated.data.updateService.status).toBe("MAINTENANCE");
    const removed = await ask(published.UNREGISTER, { name: "payment-service" });
    expect(removed.data.unregisterService).toEqual({
      id: registered.data.registerService.id,
      name: "payment-service",
    });
  });

  test("a registration with every argument written out", async () => {
    const { data } = await ask(published.REGISTER_PAYMENT);
    expect(data.registerService).toMatchObject({
      name: "payment-service",
      url: "http://localhost:3002/graphql",
    });
    const { getService } = (
      await ask(
        '{ getService(name: "payment-service") { displayName description version tags dependencies isRequired source metadata } }',
      )
    ).data;
    expect(getService).toEqual({
      displayName: "Payment Service",
      description: "Handles payments and subscriptions",
      version: "1.0.0",
      tags: ["payment", "subscription"],
      dependencies: ["core"],
      isRequired: false,
      source: "REMOTE",
      metadata: {},
    });
    await ask(published.UNREGISTER, { name: "payment-service" });
  });

  test("a service registers itself with GraphQLClient", async () => {
    const client = new GraphQLClient(`${app.urls.core}/graphql`);
    const answer = await client.request<{ registerService: object }>(
      published.registerSelf("http://localhost:3002"),
    );
    expect(answer.registerService).toEqual({ id: expect.any(String), name: "payment" });
    await client.request(published.UNREGISTER, { name: "payment" });
  });

  test("the bodies sent by curl; the URL of the core itself is well at once and adds nothing", async () => {
    const send = async (body: string) => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${app.urls.core}/graphql`, { method: "POST", headers, body });
      return (await response.json()) as { data: Record<string, unknown> };
    };
    const { data } = await send(published.curlRegister(`${app.urls.core}/graphql`));
    expect(data.registerService).toMatchObject({ name: "test-service", status: "ACTIVE" });
    expect((await send(published.CURL_HEALTH)).data.checkAllServicesHealth).toContainEqual({
      service: "test-service",
      healthy: true,
    });
    const { services } = (await (await fetch(`${app.urls.gateway}/gateway/services`)).json()) as {
      services: { name: string; composition: string }[];
    };
    expect(services).toContainEqual(
      expect.objectContaining({ name: "test-service", status: "ACTIVE", composition: "ALIAS" }),
    );
    await ask(published.UNREGISTER, { name: "test-service" });
  });
});

test("only a name and a URL are required", async () => {
  const { errors } = await ask('mutation { registerService(input: { name: "half" }) { id } }');
  expect(errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
});

test("an unknown or missing name is SERVICE_NOT_FOUND, its field null, and the rest of the answer counts", async () => {
  const fields = [
    'getService(name: "nobody") { id }',
    "getService { id }",
    'unregisterService(name: "nobody") { id }',
    "unregisterService { id }",
    'updateService(name: "nobody", input: { version: "2" }) { id }',
    "updateService(input: {}) { id }",
  ];
  for (const field of fields) {
    const operation = field.startsWith("get") ? "query" : "mutation";
    const { status, data, errors } = await ask(`${operation} { it: ${field} __typename }`);
    expect({ field, status, it: data.it, more: typeof data.__typename }).toEqual({
      field,
      status: 200,
      it: null,
      more: "string",
    });
    expect(errors).toMatchObject([{ path: ["it"], extensions: { code: "SERVICE_NOT_FOUND" } }]);
  }
});

test("every type but the two published inputs begins with Registry", async () => {
  const { data } = await ask("{ __schema { types { name } } }");
  const own = (data.__schema.types as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !/^(__|Registry)/.test(name))
    .filter((name) => !["Query", "Mutation", "Subscription"].includes(name))
    .filter((name) => !["String", "Boolean", "Int", "ID", "Float"].includes(name));
  expect(own.sort()).toEqual(["RegisterServiceInput", "UpdateServiceInput"]);
});

test("those who check the health of all at the same time, or within a second, share one pass", async () => {
  const clock = new FakeClock();
  await using still = await startApp({ clock });
  await using service = await startService({ typeDefs: "type Query { a: String }" });
  await graphql(still.urls.core, published.REGISTER, {
    input: { name: "probed", url: service.graphqlUrl, metadata: { healthCheck: { interval: 3600 } } },
  });
  const check = () => graphql(still.urls.core, published.HEALTH);
  const probes = () => service.requests.filter(({ query }) => query === "{__typename}").length;
  const answers = await Promise.all([check(), check(), check()]);
  for (const { data } of answers) {
    expect(data.checkAllServicesHealth).toContainEqual({ service: "probed", healthy: true });
  }
  await check();
  expect(probes()).toBe(1);
  await clock.advance(1_000);
  await check();
  expect(probes()).toBeGreaterThan(1);
});
