/** Which tokens leave for a service that asks for the header: a user's own, never one that opens bobbin's writes. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { SECRET, token } from "../support/tokens.ts";

let app: TestApp;
let service: TestService;
beforeAll(async () => {
  service = await startService({
    typeDefs: "type Query { who: String }",
    resolvers: { Query: { who: () => "me" } },
  });
  app = await startApp({ config: { jwtSecret: SECRET } });
  await post(
    `${app.urls.registry}/register`,
    {
      serviceName: "who",
      url: service.url,
      metadata: { endpoints: { graphql: "/graphql" }, gateway: { headers: ["Authorization", "x-tenant"] } },
    },
    { authorization: `Bearer ${await token()}` },
  );
  await until(
    () => graphql(app.urls.gateway, "{ who }"),
    ({ data }) => data?.who === "me",
  );
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** The headers that the service is asked with, when a client asks with these. */
async function forwarded(headers: Record<string, string>): Promise<Headers> {
  const before = service.requests.length;
  expect(await graphql(app.urls.gateway, "{ who }", {}, headers)).toMatchObject({ data: { who: "me" } });
  const asked = service.requests.slice(before).find(({ query }) => query.includes("who"));
  if (!asked) throw new Error("the service was not asked");
  return asked.headers;
}

test("a user's own token and the named headers are forwarded, others are not", async () => {
  const own = `Bearer ${await token({ secret: "the secret of somebody else's login" })}`;
  const headers = await forwarded({ authorization: own, "x-tenant": "acme", "x-other": "no" });
  expect(headers.get("authorization")).toBe(own);
  expect(headers.get("x-tenant")).toBe("acme");
  expect(headers.get("x-other")).toBeNull();
});

test("a token that opens bobbin's writes is not forwarded, however it is written, expired or not", async () => {
  const write = await token();
  const values = [
    `Bearer ${write}`,
    `bearer   ${write}`,
    `Bearer\t${write}`,
    `Bearer ${write} more`,
    `Bearer mine, Bearer ${write}`,
    `Token ${write}`,
    `Bearer ${await token({ expires: "-1 minute" })}`,
    `Bearer ${await token({ claims: { service: "who" } })}`,
    `Bearer ${await token({ expires: null })}`,
  ];
  for (const authorization of values) {
    expect([authorization, (await forwarded({ authorization })).get("authorization")]).toEqual([
      authorization,
      null,
    ]);
  }
  const elsewhere = await forwarded({ authorization: `Bearer ${write}`, "x-tenant": `tenant ${write}` });
  expect(elsewhere.get("x-tenant")).toBeNull();
});
