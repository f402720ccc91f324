/** The rules of updateService, and the subscription to what changes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { openStream } from "../support/stream.ts";
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

describe("updateService", () => {
  const update = (name: string, input: object) =>
    ask(
      "mutation ($name: String, $input: UpdateServiceInput!) { updateService(name: $name, input: $input) { url status statusReason displayName graphqlUrl instances { url healthy } } }",
      { name, input },
    );
  const register = (name: string, url: string) => ask(published.REGISTER, { input: { name, url } });

  test("takes as status MAINTENANCE and ACTIVE only", async () => {
    await register("rules", payments.graphqlUrl);
    for (const status of ["INACTIVE", "ERROR", "DEGRADED"]) {
      const { data, errors } = await update("rules", { status });
      expect(data.updateService).toBeNull();
      expect(errors?.[0]?.extensions?.code).toBe("INVALID_INPUT");
    }
    expect((await update("rules", { status: "MAINTENANCE" })).data.updateService).toMatchObject({
      status: "MAINTENANCE",
      statusReason: "set by a person",
    });
    await update("rules", { status: "ACTIVE" });
    await until(
      () => ask('{ getService(name: "rules") { status } }'),
      ({ data }) => data.getService.status === "ACTIVE",
    );
  });

  test("leaves what it does not name, and changes the URL while there is one instance", async () => {
    await register("moving", payments.graphqlUrl);
    await update("moving", { displayName: "Moves" });
    const { data } = await update("moving", { url: `${payments.url}/other` });
    expect(data.updateService).toMatchObject({
      displayName: "Moves",
      url: `${payments.url}/other`,
      graphqlUrl: `${payments.url}/other`,
    });
    const other = await update("moving", { url: "http://127.0.0.1:9/graphql" });
    expect(other.data.updateService.instances).toEqual([
      { url: "http://127.0.0.1:9/graphql", healthy: false },
    ]);
    await register("moving", payments.graphqlUrl);
    const { errors } = await update("moving", { url: "http://127.0.0.1:8/graphql" });
    expect(errors?.[0]?.extensions?.code).toBe("CONFLICT");
  });
});

test("serviceEvents tells over server-sent events what changes from now on", async () => {
  await using stream = await openStream(`${app.urls.core}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: "subscription { serviceEvents { index type service at cause } }" }),
  });
  expect(stream.response.headers.get("content-type")).toContain("text/event-stream");
  // The first event may come before the stream is subscribed to, so there are several.
  const register = () =>
    ask(published.REGISTER, { input: { name: "announced", url: "http://127.0.0.1:9/graphql" } });
  await until(register, () => stream.messages.length > 0);
  // What the tests before this one brought about may still be told first.
  const { data } = await stream.find(({ data }) => data?.data?.serviceEvents?.service === "announced");
  expect(data.data.serviceEvents).toMatchObject({ service: "announced", cause: expect.any(String) });
  await ask(published.UNREGISTER, { name: "announced" });
  const removed = await stream.find((message) => message.data.data?.serviceEvents.type === "REMOVED");
  expect(removed.data.data.serviceEvents).toEqual({
    index: expect.any(Number),
    type: "REMOVED",
    service: "announced",
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    cause: "unregistered",
  });
});
