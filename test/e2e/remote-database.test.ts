/** A registry on remote libSQL: the same registry, and what holds while its database is away. */
import { expect, test } from "bun:test";
import { startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";
import { startSqld } from "../support/sqld.ts";

const TOKEN = "database-token";

const env = (url: string, token = TOKEN) => ({ DATABASE_URL: url, DATABASE_AUTH_TOKEN: token });

const restRegistration = (serviceName: string, url: string) => ({
  serviceName,
  url,
  metadata: { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 0.2, failureThreshold: 1 } },
});

const statusIn = (rows: Record<string, unknown>[]) => rows[0]?.status;

test("what is registered is kept by the remote database, not by the machine", async () => {
  await using folder = await tempFolder();
  await using sqld = startSqld(`${folder.path}/remote.db`, TOKEN);
  await using service = await startService({
    typeDefs: "type Query { hello: String }",
    resolvers: { Query: { hello: () => "from afar" } },
  });
  {
    await using bobbin = await startBinary({ env: env(sqld.url) });
    const { status } = await post(`${bobbin.urls.registry}/register`, restRegistration("hello", service.url));
    expect(status).toBe(201);
    const removed = await post(`${bobbin.urls.registry}/register`, restRegistration("gone", service.url));
    expect(removed.status).toBe(201);
    expect((await post(`${bobbin.urls.registry}/unregister`, { serviceName: "gone" })).status).toBe(200);
    expect(await bobbin.stop()).toBe(0);
  }
  await using bobbin = await startBinary({ env: env(sqld.url) });
  await until(
    () => graphql(bobbin.urls.gateway, "{ hello }"),
    ({ data }) => data?.hello === "from afar",
  );
  const { body } = await get(`${bobbin.urls.registry}/services/hello`);
  expect(body).toMatchObject({ url: service.url, source: "REMOTE", status: "ACTIVE" });
  expect((await get(`${bobbin.urls.registry}/services/gone`)).status).toBe(404);
  expect(sqld.read("SELECT name FROM service_registry WHERE source = 'REMOTE'")).toEqual([{ name: "hello" }]);
});

test("with a wrong token the registry cannot be read: writes are refused, and the core's API serves", async () => {
  await using folder = await tempFolder();
  await using sqld = startSqld(`${folder.path}/remote.db`, TOKEN);
  await using bobbin = await startBinary({ env: env(sqld.url, "wrong") });
  const { gateway, core, registry } = bobbin.urls;

  expect(bobbin.lines).toContainEqual(
    expect.objectContaining({ level: "error", msg: expect.stringMatching(/registry cannot be read/) }),
  );
  expect(JSON.stringify(bobbin.lines)).not.toContain('"wrong"');
  const query = "{ getActiveServices { name } }";
  const onlyCore = { getActiveServices: [{ name: "core" }] };
  expect((await graphql(gateway, query)).data).toEqual(onlyCore);
  expect((await graphql(core, query)).data).toEqual(onlyCore);
  expect((await get(`${registry}/health`)).body.database).toBe("unavailable");

  const refused = await post(`${registry}/register`, restRegistration("new", "http://127.0.0.1:9"));
  expect(refused).toMatchObject({ status: 503, body: { code: "REGISTRY_UNAVAILABLE" } });
  const { errors } = await graphql(
    core,
    `mutation { registerService(input: { name: "new", url: "http://127.0.0.1:9/graphql" }) { name } }`,
  );
  expect(errors).toMatchObject([{ extensions: { code: "REGISTRY_UNAVAILABLE" } }]);
  expect((await get(`${registry}/services/new`)).status).toBe(404);
});

test("a database that is there only after the start is taken up without a restart", async () => {
  await using folder = await tempFolder();
  await using sqld = startSqld(`${folder.path}/remote.db`, TOKEN);
  await using service = await startService({
    typeDefs: "type Query { hello: String }",
    resolvers: { Query: { hello: () => "from afar" } },
  });
  {
    await using bobbin = await startBinary({ env: env(sqld.url) });
    await post(`${bobbin.urls.registry}/register`, restRegistration("hello", service.url));
  }
  await sqld.stop();
  await using bobbin = await startBinary({ env: env(sqld.url) });
  const { gateway, registry } = bobbin.urls;
  expect((await get(`${registry}/services/hello`)).status).toBe(404);

  sqld.start();
  await until(
    () => graphql(gateway, "{ hello }"),
    ({ data }) => data?.hello === "from afar",
  );
  expect((await post(`${registry}/register`, restRegistration("later", service.url))).status).toBe(201);
  expect((await get(`${registry}/health`)).body.database).toBe("ok");
});

for (const failure of ["refuses connections", "does not answer"] as const) {
  test(`a database that ${failure} costs writes only, until it is back`, async () => {
    await using folder = await tempFolder();
    await using sqld = startSqld(`${folder.path}/remote.db`, TOKEN);
    await using service = await startService({
      typeDefs: "type Query { hello: String }",
      resolvers: { Query: { hello: () => "from afar" } },
    });
    await using bobbin = await startBinary({ env: env(sqld.url) });
    const { gateway, core, registry } = bobbin.urls;
    await post(`${registry}/register`, restRegistration("hello", service.url));
    const statusOfHello = async () => (await get(`${registry}/services/hello`)).body.status;
    await until(
      () => graphql(gateway, "{ hello }"),
      ({ data }) => data?.hello === "from afar",
    );
    const written = () => statusIn(sqld.read("SELECT status FROM service_registry WHERE name = 'hello'"));
    await until(written, (status) => status === "ACTIVE");

    if (failure === "refuses connections") await sqld.stop();
    else sqld.silence(true);
    const [refused, { errors }] = await Promise.all([
      post(`${registry}/register`, restRegistration("new", service.url)),
      graphql(core, `mutation { unregisterService(name: "hello") { name } }`),
    ]);
    expect(refused).toMatchObject({ status: 503, body: { code: "REGISTRY_UNAVAILABLE" } });
    expect(errors).toMatchObject([{ extensions: { code: "REGISTRY_UNAVAILABLE" } }]);
    expect((await get(`${registry}/services/new`)).status).toBe(404);
    expect((await graphql(gateway, "{ hello }")).data).toEqual({ hello: "from afar" });

    // What probes find holds in memory meanwhile …
    await service.stop();
    await until(statusOfHello, (status) => status === "ERROR");
    expect(written()).toBe("ACTIVE");

    // … and is written when the database is back.
    if (failure === "refuses connections") sqld.start();
    else sqld.silence(false);
    await until(written, (status) => status === "ERROR");
    const taken = await post(`${registry}/register`, restRegistration("new", service.url));
    expect(taken.status).toBe(201);
    service.start();
    await until(written, (status) => status === "ACTIVE");
    expect(await bobbin.stop()).toBe(0);
  });
}
