/** URLs that lead to this very process: the gateway's are refused, the core's are an alias. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** The address of a door in every spelling that leads there. */
function spellings(door: "gateway" | "core"): string[] {
  const { port } = new URL(app.urls[door]);
  return ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "[::1]", "0.0.0.0"].map(
    (host) => `http://${host}:${port}/graphql`,
  );
}
const register = (name: string, url: string) =>
  graphql(
    app.urls.core,
    "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { status } }",
    {
      input: { name, url },
    },
  );
const composed = async (name: string) =>
  (await get(`${app.urls.gateway}/gateway/services`)).body.services.find(
    (service: { name: string }) => service.name === name,
  );

test("the gateway's own address is refused however it is spelled, over both doors and in an update", async () => {
  await register("moving", "http://127.0.0.1:9/graphql");
  for (const url of spellings("gateway")) {
    const rest = await post(`${app.urls.registry}/register`, { serviceName: "self", url });
    expect([url, rest.status, rest.body.code]).toEqual([url, 422, "SELF_REFERENCE"]);
    const { errors } = await register("self", url);
    expect([url, errors?.[0]?.extensions?.code]).toEqual([url, "SELF_REFERENCE"]);
    const moved = await graphql(
      app.urls.core,
      `mutation { updateService(name: "moving", input: { url: "${url}" }) { url } }`,
    );
    expect([url, moved.errors?.[0]?.extensions?.code]).toEqual([url, "SELF_REFERENCE"]);
  }
  expect((await get(`${app.urls.registry}/services/self`)).status).toBe(404);
});

test("the core's own address is an alias, well at once and after every probe", async () => {
  for (const [i, url] of spellings("core").entries()) {
    const name = `alias-${i}`;
    expect([url, (await register(name, url)).data?.registerService]).toEqual([url, { status: "ACTIVE" }]);
    expect(await composed(name)).toMatchObject({ status: "ACTIVE", composition: "ALIAS", reason: null });
  }
  await graphql(app.urls.core, "{ checkAllServicesHealth { service } }");
  for (const [i, url] of spellings("core").entries()) {
    const { status } = await composed(`alias-${i}`);
    expect([url, status]).toEqual([url, "ACTIVE"]);
  }
});

test("a GraphQL endpoint in the metadata that leads to the gateway is refused, however it comes in", async () => {
  const metadata = { endpoints: { graphql: `${app.urls.gateway}/graphql` } };
  const refused = await post(`${app.urls.registry}/register`, {
    serviceName: "hidden-self",
    url: "http://127.0.0.1:9",
    metadata,
  });
  expect([refused.status, refused.body.code]).toEqual([422, "SELF_REFERENCE"]);
  await post(`${app.urls.registry}/register`, { serviceName: "hidden-self", url: "http://127.0.0.1:9" });
  const update =
    'mutation ($metadata: RegistryJSON) { updateService(name: "hidden-self", input: { metadata: $metadata }) { url } }';
  const { errors } = await graphql(app.urls.core, update, { metadata });
  expect(errors?.[0]?.extensions?.code).toBe("SELF_REFERENCE");
});
