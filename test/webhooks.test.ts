/** Webhooks: what further gateways are told of, how often, and what a receiver that fails costs. */
import { expect, test } from "bun:test";
import { verifyToken } from "../src/api/tokens.ts";
import { systemClock } from "../src/clock.ts";
import { createLog } from "../src/log.ts";
import { Webhooks } from "../src/webhooks.ts";
import { startApp } from "./support/app.ts";
import { get, graphql, post, until } from "./support/client.ts";
import { startService } from "./support/service.ts";

interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** What it was told, in order. */
  readonly calls: { path: string; body: { revision: number; changed: string[] }; headers: Headers }[];
  /** The most calls that it had in flight. */
  readonly mostAtOnce: number;
  answerWith(answer: () => Response | Promise<Response>): void;
}

/** A gateway to be told, which writes down what it hears. */
function startReceiver(): Receiver {
  const calls: Receiver["calls"] = [];
  let answer: () => Response | Promise<Response> = () => Response.json({});
  let now = 0;
  let most = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      most = Math.max(most, ++now);
      const body = (await request.json()) as { revision: number; changed: string[] };
      calls.push({ path: new URL(request.url).pathname, body, headers: request.headers });
      const response = await answer();
      now -= 1;
      return response;
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    calls,
    get mostAtOnce() {
      return most;
    },
    answerWith: (next) => {
      answer = next;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** All names that the receiver was told of. */
const told = ({ calls }: Receiver) => new Set(calls.flatMap(({ body }) => body.changed));

type Doors = Awaited<ReturnType<typeof startApp>>;

const register = (app: Doors, serviceName: string, url = "http://127.0.0.1:1") =>
  post(`${app.urls.registry}/register`, { serviceName, url });

test("a registration, an update and a removal are told, by POST /gateway/reload with revision and names", async () => {
  await using receiver = startReceiver();
  await using app = await startApp({ config: { apiGatewayUrls: [receiver.url] } });
  const writes = [
    () => register(app, "a"),
    () => graphql(app.urls.core, `mutation { updateService(name: "a", input: { version: "2" }) { name } }`),
    () => post(`${app.urls.registry}/unregister`, { serviceName: "a" }),
  ];
  for (const [i, write] of writes.entries()) {
    await write();
    await until(
      () => receiver.calls.length,
      (count) => count === i + 1,
    );
  }
  expect(receiver.calls.map(({ path, body }) => [path, body.changed])).toEqual(
    writes.map(() => ["/gateway/reload", ["a"]]),
  );
  const revisions = receiver.calls.map(({ body }) => body.revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  expect(new Set(revisions).size).toBe(3);
  expect(receiver.calls[0]?.headers.get("content-type")).toBe("application/json");
  expect(receiver.calls[0]?.headers.get("authorization")).toBeNull();
});

test("neither a status nor a reload is told", async () => {
  await using receiver = startReceiver();
  await using app = await startApp({ config: { apiGatewayUrls: [receiver.url] } });
  await using service = await startService({ typeDefs: "type Query { ok: String }" });
  const status = async () => (await get(`${app.urls.registry}/services/a`)).body.status;
  await post(`${app.urls.registry}/register`, {
    serviceName: "a",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 0.1, failureThreshold: 1 } },
  });
  await until(status, (now) => now === "ACTIVE");
  await service.stop();
  await until(status, (now) => now === "ERROR");
  await post(`${app.urls.gateway}/gateway/reload`, "");
  // The next write is told after everything before it.
  await register(app, "b");
  await until(
    () => told(receiver),
    (names) => names.has("b"),
  );
  expect(receiver.calls.map(({ body }) => body.changed)).toEqual([["a"], ["b"]]);
});

test("one call is in flight per receiver; what changes meanwhile is told together in the next", async () => {
  await using receiver = startReceiver();
  await using app = await startApp({ config: { apiGatewayUrls: [receiver.url] } });
  const release = Promise.withResolvers<void>();
  receiver.answerWith(async () => {
    await release.promise;
    return Response.json({});
  });
  await register(app, "first");
  await until(
    () => receiver.calls.length,
    (count) => count === 1,
  );
  // "first" changes once more while it is being told: that has to be told as well.
  for (const name of ["a", "b", "first", "c"]) await register(app, name);
  release.resolve();
  await until(
    () => receiver.calls.length,
    (count) => count === 2,
  );
  expect(new Set(receiver.calls[1]?.body.changed)).toEqual(new Set(["a", "b", "first", "c"]));
  expect(receiver.mostAtOnce).toBe(1);
});

test("a receiver that hangs or is dead delays neither writes nor the others", async () => {
  await using hanging = startReceiver();
  await using well = startReceiver();
  await using gone = startReceiver();
  const dead = gone.url;
  await gone[Symbol.asyncDispose]();
  hanging.answerWith(() => new Promise(() => {}));
  await using app = await startApp({ config: { apiGatewayUrls: [hanging.url, dead, well.url] } });
  for (const name of ["a", "b", "c"]) {
    expect((await register(app, name)).status).toBe(201);
    await until(
      () => told(well),
      (names) => names.has(name),
    );
  }
  expect(hanging.calls).toHaveLength(1);
});

test("a receiver that fails is tried again, and then told everything together", async () => {
  await using receiver = startReceiver();
  await using app = await startApp({ config: { apiGatewayUrls: [receiver.url] } });
  receiver.answerWith(() => new Response("broken", { status: 500 }));
  await register(app, "a");
  await until(
    () => receiver.calls.length,
    (count) => count === 1,
  );
  await register(app, "b");
  await register(app, "c");
  receiver.answerWith(() => Response.json({}));
  await until(
    () => receiver.calls,
    (calls) => calls.some(({ body }) => ["a", "b", "c"].every((name) => body.changed.includes(name))),
  );
});

test("where there is a secret, a call carries a token of one minute that opens the receiver's reload", async () => {
  await using receiver = startReceiver();
  const jwtSecret = "a secret for both";
  await using other = await startApp({ config: { jwtSecret } });
  await using app = await startApp({ config: { jwtSecret, apiGatewayUrls: [receiver.url] } });
  const { createToken } = await import("../src/api/tokens.ts");
  const authorization = `Bearer ${await createToken(jwtSecret, 600)}`;
  await post(
    `${app.urls.registry}/register`,
    { serviceName: "a", url: "http://127.0.0.1:1" },
    { authorization },
  );
  const [call] = await until(
    () => receiver.calls,
    (calls) => calls.length === 1,
  );
  const sent = call?.headers.get("authorization") ?? "";
  await verifyToken(jwtSecret, sent.replace("Bearer ", ""));
  const claims = JSON.parse(atob(sent.split(".")[1] ?? ""));
  expect(claims.exp - claims.iat).toBe(60);
  const reload = await post(`${other.urls.gateway}/gateway/reload`, call?.body, { authorization: sent });
  expect(reload.status).toBe(200);
  expect((await post(`${other.urls.gateway}/gateway/reload`, call?.body)).status).toBe(401);
});

test("this process is not told of its own changes, whichever name it has among the receivers", async () => {
  await using receiver = startReceiver();
  // The seed's own setting: the gateway's URL of this very process, beside another one.
  const gatewayPort = await freePort();
  const own = [`http://localhost:${gatewayPort}`, `http://127.0.0.1:${gatewayPort}`];
  await using app = await startApp({ config: { gatewayPort, apiGatewayUrls: [...own, receiver.url] } });
  await using service = await startService({ typeDefs: "type Query { ok: String }" });
  await register(app, "plain", service.url);
  await until(
    () => told(receiver),
    (names) => names.has("plain"),
  );
  await post(`${app.urls.registry}/register`, {
    serviceName: "a",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });
  await until(
    () => graphql(app.urls.gateway, "{ ok }"),
    ({ errors }) => !errors,
  );
  await until(
    () => told(receiver),
    (names) => names.has("a"),
  );
  // A reload would have fetched the schema once more.
  const introspections = service.requests.filter(({ query }) => query.includes("__schema"));
  expect(introspections).toHaveLength(1);
});

test("a receiver that turns out to be this process is not told what changed during that call either", async () => {
  await using receiver = startReceiver();
  const release = Promise.withResolvers<Response>();
  receiver.answerWith(() => release.promise);
  let begun = 0;
  let recognised = false;
  const webhooks = new Webhooks({
    receivers: [receiver.url],
    isOwn: () => {
      recognised = true;
      return true;
    },
    token: async () => {
      begun += 1;
      return undefined;
    },
    clock: systemClock,
    log: createLog("silent", "json"),
  });
  const change = (service: string) =>
    webhooks.onEvents([{ index: 1, type: "UPDATED", service, at: 0, cause: "update" }]);
  change("a");
  await until(
    () => receiver.calls.length,
    (count) => count === 1,
  );
  change("b");
  release.resolve(Response.json({}));
  await until(
    () => recognised,
    (is) => is,
  );
  await webhooks[Symbol.asyncDispose]();
  expect(begun).toBe(1);
});

async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "localhost", fetch: () => new Response() });
  const port = server.port as number;
  await server.stop(true);
  return port;
}
