/** URLs that lead back to this process: recognised by its addresses, and through a proxy by its answers. */
import { expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";
import { answered, ask, becomes, inRegistry, register, saying, serviceLine } from "./graph.ts";

const mutation =
  "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { name status } }";

/** Passes everything on to `target`, as a load balancer in front of it does. */
function startProxy(target: string): { url: string } & AsyncDisposable {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set("host", new URL(target).host);
      const body = request.method === "GET" ? null : await request.text();
      const answer = await fetch(`${target}${pathname}`, { method: request.method, headers, body });
      return new Response(await answer.text(), { status: answer.status, headers: answer.headers });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a service at the core's own URL is ACTIVE at once, an alias that adds nothing", async () => {
  await using app = await startApp();
  const before = (await get(`${app.urls.gateway}/gateway/schema`)).body;
  const { data, errors } = await graphql(app.urls.core, mutation, {
    input: { name: "test-service", url: `${app.urls.core}/graphql`, version: "1.0.0" },
  });
  expect(errors).toBeUndefined();
  expect(data.registerService).toEqual({ name: "test-service", status: "ACTIVE" });
  expect(await serviceLine(app, "test-service")).toMatchObject({ composition: "ALIAS", reason: null });
  const { body } = await post(`${app.urls.gateway}/gateway/reload`, "");
  expect(body.rejected).toEqual([]);
  expect((await get(`${app.urls.gateway}/gateway/schema`)).body).toBe(before);
  expect((await inRegistry(app, "test-service")).status).toBe("ACTIVE");
});

test("an alias that registers again elsewhere is a service of its own", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  await graphql(app.urls.core, mutation, { input: { name: "moving", url: `${app.urls.core}/graphql` } });
  await becomes(app, "moving", { composition: "ALIAS" });
  const update = `mutation { updateService(name: "moving", input: { url: "${service.graphqlUrl}" }) { url } }`;
  await graphql(app.urls.core, update);
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
});

for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
  test(`the gateway's own URL at ${host} is refused as SELF_REFERENCE, and nothing is registered`, async () => {
    await using app = await startApp();
    const url = `http://${host}:${new URL(app.urls.gateway).port}`;
    const overRest = await register(app, "loop", { url });
    expect(overRest.status).toBe(422);
    expect(overRest.body.code).toBe("SELF_REFERENCE");
    const overGraphQL = await graphql(app.urls.core, mutation, {
      input: { name: "loop", url: `${url}/graphql` },
    });
    expect(overGraphQL.errors?.[0]?.extensions?.code).toBe("SELF_REFERENCE");
    expect((await get(`${app.urls.registry}/services/loop`)).status).toBe(404);
  });
}

test("the gateway behind a proxy is recognised by its answers and left out as SELF_REFERENCE", async () => {
  await using app = await startApp();
  await using proxy = startProxy(app.urls.gateway);
  await using service = await startService(saying("hello", "world"));
  await register(app, "loop", proxy);
  await register(app, "well", service);
  const line = await until(
    () => serviceLine(app, "loop"),
    ({ reason }) => reason !== null,
  );
  expect(line).toMatchObject({ composition: "REJECTED", reason: { code: "SELF_REFERENCE" } });
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
});

test("the core behind a proxy is an alias, and stays one when it is looked at again", async () => {
  await using app = await startApp();
  await using proxy = startProxy(app.urls.core);
  await register(app, "copy", proxy, { metadata: { endpoints: { graphql: "/graphql" } } });
  await becomes(app, "copy", { composition: "ALIAS", status: "ACTIVE" });
  const { body } = await post(`${app.urls.gateway}/gateway/reload`, "");
  expect(body.rejected).toEqual([]);
  expect(await serviceLine(app, "copy")).toMatchObject({ composition: "ALIAS", reason: null });
});

test("two gateways that have each other as a service end a loop with LOOP_DETECTED", async () => {
  await using one = await startApp();
  await using two = await startApp();
  await using proxyOfOne = startProxy(one.urls.gateway);
  await using service = await startService(saying("hello", "world"));
  await register(one, "hello", service);
  await answered(one, "{ hello }");
  // Two takes the field from one, and then one is told to take it from two.
  const metadata = { endpoints: { graphql: "/graphql" }, gateway: { namespace: "A" } };
  await register(two, "one", proxyOfOne, { metadata });
  await answered(two, "{ A_hello }");
  await register(one, "two", { url: two.urls.gateway }, { metadata });
  await answered(one, "{ A_A_hello }");
  await register(two, "one", proxyOfOne, { metadata });
  await answered(two, "{ A_A_A_hello }");
  const hops = { "x-bobbin-hops": "7" };
  expect((await graphql(two.urls.gateway, "{ A_hello }", undefined, hops)).data).toEqual({
    A_hello: "world",
  });
  const { errors } = await graphql(two.urls.gateway, "{ A_A_A_hello }", undefined, hops);
  expect(errors?.[0]?.extensions?.code).toBe("LOOP_DETECTED");
  expect((await ask(two, "{ A_A_A_hello }")).data).toEqual({ A_A_A_hello: "world" });
});
