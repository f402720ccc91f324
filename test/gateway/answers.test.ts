/** The form of an answer: what the specification of GraphQL promises, whatever the services behind it do. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";

let app: TestApp;
const services: TestService[] = [];

async function join(name: string, typeDefs: string, query: Record<string, unknown>): Promise<TestService> {
  const service = await startService({ typeDefs, resolvers: { Query: query } });
  services.push(service);
  const metadata = { endpoints: { graphql: "/graphql" } };
  await post(`${app.urls.registry}/register`, { serviceName: name, url: service.url, metadata });
  await until(
    async () => (await get(`${app.urls.gateway}/gateway/services`)).body.services,
    (all) =>
      all.some(
        (each: { name: string; composition: string }) =>
          each.name === name && each.composition === "COMPOSED",
      ),
  );
  return service;
}

beforeAll(async () => {
  app = await startApp();
});
afterAll(async () => {
  for (const service of services) await service[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test("fields stand in the order of the query, not in that of their arrival", async () => {
  const { promise: quickWasAnswered, resolve } = Promise.withResolvers<void>();
  await join("slow", "type Query { slow: Int }", { slow: () => quickWasAnswered.then(() => 1) });
  await join("quick", "type Query { quick: Int }", {
    quick: () => {
      setTimeout(resolve, 20);
      return 2;
    },
  });
  const { data } = await graphql(app.urls.gateway, "{ slow quick }");
  expect(JSON.stringify(data)).toBe('{"slow":1,"quick":2}');
});

test("a null where the service's own schema forbids it is the service's fault, and says so", async () => {
  const service = await join("strict", "type Query { strict: Strict } type Strict { sure: Int! }", {
    strict: () => ({ sure: 1 }),
  });
  service.answerWith(() => Response.json({ data: { strict: { sure: null } } }));
  const { data, errors } = await graphql(app.urls.gateway, "{ strict { sure } }");
  expect(data).toEqual({ strict: null });
  expect(errors).toHaveLength(1);
  expect(errors?.[0]).toMatchObject({
    path: ["strict", "sure"],
    extensions: { code: "INVALID_SERVICE_RESPONSE" },
  });
});

test("what a service deprecates stays usable: fields, values, arguments and input fields", async () => {
  const typeDefs = `
    type Query { search(old: Int @deprecated(reason: "gone soon"), filter: SearchFilter): String @deprecated }
    input SearchFilter { old: Int @deprecated by: SearchBy }
    enum SearchBy { NAME @deprecated AGE }
  `;
  await join("search", typeDefs, { search: (_: unknown, args: unknown) => JSON.stringify(args) });
  const { data } = await graphql(app.urls.gateway, "{ search(old: 1, filter: { old: 2, by: NAME }) }");
  expect(JSON.parse(data.search)).toEqual({ old: 1, filter: { old: 2, by: "NAME" } });
});

test("a server that knows only the introspection of years ago joins too", async () => {
  const typeDefs = 'type Query { veteran(name: String = "x"): Int }';
  const service = await startService({ typeDefs, resolvers: { Query: { veteran: () => 7 } } });
  services.push(service);
  using old = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = await request.text();
      if (/isOneOf|specifiedByURL|args\(includeDeprecated/.test(body)) {
        return Response.json({ errors: [{ message: "Unknown argument" }] }, { status: 400 });
      }
      return fetch(service.graphqlUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    },
  });
  await post(`${app.urls.registry}/register`, {
    serviceName: "veteran",
    url: `http://127.0.0.1:${old.port}`,
    metadata: { endpoints: { graphql: "/" } },
  });
  const { data } = await until(
    () => graphql(app.urls.gateway, "{ veteran }"),
    (answer) => answer.data !== undefined,
  );
  expect(data).toEqual({ veteran: 7 });
});
