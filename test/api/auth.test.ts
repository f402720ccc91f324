/** Who may write: every write of every door against every kind of token. Reads and users' queries never look at one. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
import { badAuthorizations, SECRET, token } from "../support/tokens.ts";
import { ORDERS_URL, type Write, writesOf } from "./writes.ts";

let app: TestApp;
let writes: Write[];
let good: string;
beforeAll(async () => {
  app = await startApp({ config: { jwtSecret: SECRET, coreMutationsInGraph: true } });
  writes = writesOf(app);
  good = `Bearer ${await token()}`;
});
beforeEach(async () => {
  await post(
    `${app.urls.registry}/register`,
    { serviceName: "orders", url: ORDERS_URL, version: "0" },
    { authorization: good },
  );
});
afterAll(() => app[Symbol.asyncDispose]());

const orders = async () => (await get(`${app.urls.registry}/services/orders`)).body;

test("a write without a good token is 401 UNAUTHENTICATED, and nothing is done", async () => {
  const before = await orders();
  for (const [what, authorization] of Object.entries(await badAuthorizations())) {
    for (const write of writes) {
      const refused = await write.send({ authorization });
      expect({ what, write: write.name, ...refused }).toEqual({
        what,
        write: write.name,
        status: 401,
        code: "UNAUTHENTICATED",
      });
    }
  }
  const { updatedAt, version, instances } = await orders();
  expect({ updatedAt, version, count: instances.length }).toEqual({
    updatedAt: before.updatedAt,
    version: "0",
    count: 1,
  });
});

test("a token without a service opens every write", async () => {
  for (const write of writes) {
    await post(
      `${app.urls.registry}/register`,
      { serviceName: "orders", url: ORDERS_URL },
      { authorization: good },
    );
    const { status, code } = await write.send({ authorization: good });
    expect([write.name, Math.floor(status / 100), code]).toEqual([write.name, 2, undefined]);
  }
});

test("a token for one service opens that one's writes only", async () => {
  const own = `Bearer ${await token({ claims: { service: "orders" } })}`;
  const other = `Bearer ${await token({ claims: { service: "payments" } })}`;
  for (const write of writes) {
    const refused = await write.send({ authorization: other });
    expect([write.name, refused]).toEqual([write.name, { status: 403, code: "FORBIDDEN" }]);
    if (!write.isOfService) expect((await write.send({ authorization: own })).code).toBe("FORBIDDEN");
  }
  expect((await orders()).serviceName).toBe("orders");
  for (const write of writes.filter(({ isOfService }) => isOfService)) {
    await post(
      `${app.urls.registry}/register`,
      { serviceName: "orders", url: ORDERS_URL },
      { authorization: own },
    );
    expect([write.name, (await write.send({ authorization: own })).code]).toEqual([write.name, undefined]);
  }
});

test("each mutation of one document is checked for its own service", async () => {
  const authorization = `Bearer ${await token({ claims: { service: "orders" } })}`;
  for (const door of ["core", "gateway"] as const) {
    const { data, errors } = await graphql(
      app.urls[door],
      `mutation {
        mine: updateService(name: "orders", input: { version: "2" }) { version }
        other: registerService(input: { name: "payments", url: "${ORDERS_URL}" }) { name }
      }`,
      {},
      { authorization },
    );
    expect(data).toEqual({ mine: { version: "2" }, other: null });
    expect(errors).toMatchObject([{ path: ["other"], extensions: { code: "FORBIDDEN" } }]);
  }
  expect((await get(`${app.urls.registry}/services/payments`)).status).toBe(404);
});

test("reads and users' queries never look at a token", async () => {
  const paths = [
    ...["/services", "/services/orders", "/health", "/openapi.json"].map(
      (path) => `${app.urls.registry}${path}`,
    ),
    ...["health", "services", "schema", "live", "ready"].map((path) => `${app.urls.gateway}/gateway/${path}`),
  ];
  for (const [what, authorization] of Object.entries(await badAuthorizations())) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    for (const door of ["core", "gateway"] as const) {
      const { status, data } = await graphql(app.urls[door], "{ getServices { name } }", {}, headers);
      expect({ what, status, data }).toMatchObject({ status: 200, data: { getServices: expect.anything() } });
    }
    if (!["none", "expired", "of another secret"].includes(what)) continue;
    for (const path of paths) expect([path, (await get(path, headers)).status]).toEqual([path, 200]);
  }
});

test("without a secret writes are open", async () => {
  await using open = await startApp({ config: { coreMutationsInGraph: true } });
  const register = { serviceName: "orders", url: ORDERS_URL };
  for (const write of writesOf(open)) {
    await post(`${open.urls.registry}/register`, register);
    for (const authorization of [undefined, "Bearer whatever"]) {
      expect([write.name, (await write.send({ authorization })).code]).toEqual([write.name, undefined]);
      await post(`${open.urls.registry}/register`, register);
    }
  }
});

test("the core's mutations are not in the graph unless they are asked for", async () => {
  await using closed = await startApp();
  const { errors } = await graphql(closed.urls.gateway, 'mutation { unregisterService(name: "x") { id } }');
  expect(errors?.[0]?.message).toContain("mutation");
});
