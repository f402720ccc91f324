/** Leases: a registration with a time to live has to be renewed, by heartbeat or by registering again. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startService, type TestService } from "../support/service.ts";

const clock = new FakeClock();
let app: TestApp;
let service: TestService;
beforeAll(async () => {
  service = await startService({ typeDefs: "type Query { a: String }" });
  app = await startApp({ clock });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const TTL = 10;
const register = (serviceName: string, on = app, fields = {}) =>
  post(`${on.urls.registry}/register`, {
    serviceName,
    url: service.url,
    health: "/health",
    ttl: TTL,
    ...fields,
  });
const heartbeat = (serviceName: string, url = service.url) =>
  post(`${app.urls.registry}/heartbeat`, { serviceName, url });
const statusOf = async (serviceName: string, on = app) => {
  const { status, statusReason } = (await get(`${on.urls.registry}/services/${serviceName}`)).body;
  return { status, statusReason };
};
const EXPIRED = { status: "INACTIVE", statusReason: "its lease ran out" };
const ACTIVE = { status: "ACTIVE", statusReason: null };
/** Lets time pass until the status is what is waited for: what is due is then being written. */
const untilStatus = (name: string, status: string, on = app) =>
  until(
    () => statusOf(name, on),
    (now) => now.status === status,
  );

async function registerWell(name: string, on = app): Promise<void> {
  await register(name, on);
  await graphql(on.urls.core, "{ checkAllServicesHealth { service } }");
  await untilStatus(name, "ACTIVE", on);
}

test("a lease that is not renewed runs out, and a heartbeat brings the service back", async () => {
  await registerWell("leased");
  await clock.advance(TTL * 1000 - 1);
  expect(await statusOf("leased")).toEqual(ACTIVE);
  await clock.advance(600);
  await untilStatus("leased", "INACTIVE");
  expect(await statusOf("leased")).toEqual(EXPIRED);
  const { body } = await get(`${app.urls.registry}/services/leased?healthy=true`);
  expect(body.code).toBe("NO_HEALTHY_INSTANCE");
  const back = await heartbeat("leased");
  expect(back).toMatchObject({ status: 200, body: ACTIVE });
});

test("a lease that is renewed in time never runs out, however often", async () => {
  await registerWell("renewed");
  for (let beats = 0; beats < 8; beats++) {
    await clock.advance(TTL * 100 * (1 + beats));
    const { body } = await heartbeat("renewed");
    expect(Date.parse(body.instances[0].leaseUntil)).toBe(clock.now() + TTL * 1000);
    expect(await statusOf("renewed")).toEqual(ACTIVE);
  }
  await clock.advance(TTL * 1000 - 1);
  expect(await statusOf("renewed")).toEqual(ACTIVE);
});

test("registering again renews, brings back what ran out, and keeps the length of the lease", async () => {
  await registerWell("again");
  await clock.advance(TTL * 1000 + 600);
  await untilStatus("again", "INACTIVE");
  const { status, body } = await register("again", app, { ttl: undefined });
  expect(status).toBe(200);
  expect(body).toMatchObject({ ...ACTIVE, ttl: TTL });
  await clock.advance(TTL * 1000 + 600);
  await untilStatus("again", "INACTIVE");
});

test("one of two instances whose lease runs out degrades the service", async () => {
  await registerWell("pair");
  await post(`${app.urls.registry}/register`, { serviceName: "pair", url: "http://127.0.0.1:9", ttl: 3600 });
  await clock.advance(TTL * 1000 + 600);
  const instances = async () => (await get(`${app.urls.registry}/services/pair`)).body.instances;
  const [first] = await until(instances, ([first]) => first.reason === "its lease ran out");
  expect(first).toMatchObject({ url: service.url, healthy: false });
});

test("a heartbeat for what is not registered is 404: register again", async () => {
  expect((await heartbeat("nobody")).body).toMatchObject({ status: 404, code: "SERVICE_NOT_FOUND" });
  await register("elsewhere");
  expect((await heartbeat("elsewhere", "http://127.0.0.1:9")).body).toMatchObject({
    status: 404,
    code: "INSTANCE_NOT_FOUND",
  });
});

test("a heartbeat for a service without a lease is 200 and changes nothing", async () => {
  await register("forever", app, { ttl: null });
  const before = (await get(`${app.urls.registry}/services/forever`)).body;
  expect(await heartbeat("forever")).toMatchObject({ status: 200, body: before });
});

test("a registration with a null for its ttl ends the lease, over both doors", async () => {
  for (const door of ["rest", "graphql"]) {
    const name = `ended-${door}`;
    await registerWell(name);
    if (door === "rest") await register(name, app, { ttl: null });
    else {
      const input = { name, url: service.url, ttl: null };
      const mutation = "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { id } }";
      expect((await graphql(app.urls.core, mutation, { input })).errors).toBeUndefined();
    }
    const { body } = await get(`${app.urls.registry}/services/${name}`);
    expect(body).toMatchObject({ ttl: null, instances: [{ leaseUntil: null }] });
    await clock.advance(TTL * 1000 + 600);
    expect((await statusOf(name)).statusReason).not.toBe("its lease ran out");
  }
});

test("over a restart a lease that ran begins anew, and one that ran out stays out", async () => {
  await using folder = await tempFolder();
  const time = new FakeClock();
  {
    await using first = await startApp({ clock: time, folder: folder.path });
    await registerWell("out", first);
    await time.advance(TTL * 1000 + 600);
    await untilStatus("out", "INACTIVE", first);
    await registerWell("running", first);
  }
  await time.advance(TTL * 1000 + 600);
  await using second = await startApp({ clock: time, folder: folder.path });
  expect(await statusOf("running", second)).toEqual(ACTIVE);
  expect(await statusOf("out", second)).toEqual(EXPIRED);
  await time.advance(TTL * 1000 - 600);
  expect(await statusOf("running", second)).toEqual(ACTIVE);
  await time.advance(1_200);
  await untilStatus("running", "INACTIVE", second);
});
