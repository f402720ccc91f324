/** `--workers`: several processes on one port are one bobbin, whichever of them answers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { register, serviceLine, unregister } from "../gateway/graph.ts";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { run } from "../support/command.ts";
import { federated, V2 } from "../support/federated.ts";
import { writeFiles } from "../support/files.ts";
import { askEach, children, connectionTo, isAlive, ofEach, workerOf } from "../support/processes.ts";
import { startService } from "../support/service.ts";
import { bySse, byWebSocket } from "../support/subscriber.ts";
import { SECRET, token } from "../support/tokens.ts";

const WORKERS = 2;
const start = (folder?: string, env: Record<string, string> = {}) =>
  startBinary({ args: ["--workers", String(WORKERS)], env, ...(folder === undefined ? {} : { folder }) });

const each = (bobbin: RunningBinary, query: string, headers?: Record<string, string>) =>
  askEach(WORKERS, bobbin.urls.gateway, query, headers);
const composed = (bobbin: RunningBinary, name: string) =>
  until(
    () => serviceLine(bobbin, name),
    (line) => line?.composition === "COMPOSED",
  );
const all = <T>(answer: T): T[] => Array.from({ length: WORKERS }, () => answer);

const plugin = (fields: string, resolvers: string) => `
  import { definePlugin } from "bobbin";
  export default definePlugin({
    name: "greeting", version: "1.0.0",
    typeDefs: "type Query { ${fields} } type Subscription { count: Int! }",
    resolvers: {
      Query: { ${resolvers} },
      Subscription: { count: { async *subscribe() { for (let i = 1; i <= 3; i++) yield { count: i }; } } },
    },
    async fetch(request, { log }) {
      if (request.url.endsWith("/hang")) {
        log.info("begun");
        await new Promise((left) => request.signal.addEventListener("abort", left));
        log.info("left");
      }
      return new Response(request.method + " " + new URL(request.url).pathname + " " + (await request.text()), {
        status: 202, headers: { "x-own": "yes" },
      });
    },
  });`;

function isFree(port: number): boolean {
  try {
    Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response() }).stop(true);
    return true;
  } catch {
    return false;
  }
}

const askOnce = async (gateway: string) => {
  const response = await fetch(`${gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: '{"query":"{ __typename }"}',
  });
  expect(await response.json()).toEqual({ data: { __typename: "Query" } });
};

describe("one bobbin of several processes", () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let bobbin: RunningBinary;

  beforeAll(async () => {
    folder = await tempFolder();
    await writeFiles(folder.path, {
      "plugins/greeting.ts": plugin(
        "hello: String",
        "hello: (_p, _a, { headers }) => 'hello ' + headers['x-me']",
      ),
    });
    bobbin = await start(folder.path);
  });
  afterAll(async () => {
    await bobbin[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test("what joins, changes or leaves does so in every process at once", async () => {
    await using plain = await startService({
      typeDefs: "type Query { one: String! }",
      resolvers: { Query: { one: () => "first" } },
    });
    await using products = await startService(
      federated({
        sdl: `${V2} type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String }`,
        resolvers: { Query: { product: () => ({ id: "7", name: "hat" }) } },
        entities: { Product: ({ id }) => ({ id, name: "hat" }) },
      }),
    );
    await using stock = await startService(
      federated({
        sdl: `${V2} type Product @key(fields: "id") { id: ID! left: Int }`,
        entities: { Product: ({ id }) => ({ id, left: Number(id) }) },
      }),
    );
    await register(bobbin, "plain", plain);
    await register(bobbin, "products", products);
    await register(bobbin, "stock", stock);
    for (const name of ["plain", "products", "stock"]) await composed(bobbin, name);

    const data = { one: "first", product: { name: "hat", left: 7 } };
    for (let round = 0; round < 3; round++)
      expect(await each(bobbin, "{ one product { name left } }")).toEqual(all({ data }));
    const introspections = plain.requests.filter(({ query }) => query.includes("__schema")).length;
    expect(introspections).toBe(1);

    plain.change({
      typeDefs: "type Query { one: String! two: Int }",
      resolvers: { Query: { two: () => 2 } },
    });
    // Whichever process takes it, all have followed when it answers.
    await fetch(`${bobbin.urls.gateway}/gateway/reload`, { method: "POST" });
    expect(await each(bobbin, "{ two }")).toEqual(all({ data: { two: 2 } }));
    const schemas = await ofEach(WORKERS, `${bobbin.urls.gateway}/gateway/schema`);
    expect(new Set([...schemas.values()].map(({ text }) => text)).size).toBe(1);

    await unregister(bobbin, "stock");
    await until(
      () => get(`${bobbin.urls.gateway}/gateway/schema`),
      ({ body }) => !body.includes("left: Int"),
    );
    for (const { errors } of await each(bobbin, "{ product { left } }"))
      expect(errors[0].extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("a service that is down is found by the traffic of any process, and gets no requests from any", async () => {
    // Of a name of its own: under a known one an earlier schema is composed already, and may stay when this one stops.
    await using service = await startService({
      typeDefs: "type Query { falling: Int }",
      resolvers: { Query: { falling: () => 1 } },
    });
    const healthCheck = { interval: 3600, failureThreshold: 1 };
    await register(bobbin, "falling", service, {
      metadata: { endpoints: { graphql: "/graphql" }, healthCheck },
    });
    await composed(bobbin, "falling");
    await service.stop();
    using connection = await connectionTo(2, bobbin.urls.gateway);
    await until(
      async () => {
        expect((await connection.ask("{ falling }")).worker).toBe(2);
        return (await serviceLine(bobbin, "falling")).status;
      },
      (status) => status === "ERROR",
    );
    for (const { data, errors } of await each(bobbin, "{ falling }")) {
      expect(errors[0].message).toContain("gets no requests");
      expect(data).toEqual({ falling: null });
    }
  });

  test("a client that leaves while the writer works on its answer ends that work, and is no fault", async () => {
    const said = (text: string) => bobbin.lines.filter(({ msg }) => msg === text).length;
    const faults = () => bobbin.lines.filter(({ level }) => level === "error");
    const before = faults();
    // Enough connections for each process to have some.
    const clients = Array.from({ length: 12 }, () => new AbortController());
    const asked = clients.map(({ signal }) =>
      fetch(`${bobbin.urls.gateway}/plugins/greeting/hang`, { headers: { connection: "close" }, signal }),
    );
    await until(
      () => said("begun"),
      (count) => count === clients.length,
    );
    for (const client of clients) client.abort();
    await Promise.allSettled(asked);
    await until(
      () => said("left"),
      (count) => count === clients.length,
    );
    expect(faults()).toEqual(before);
  });

  test("plugins and the core are reached from every process: fields, subscriptions, doors of their own, actions", async () => {
    const { gateway } = bobbin.urls;
    expect(await each(bobbin, "{ hello }", { "x-me": "Ada" })).toEqual(all({ data: { hello: "hello Ada" } }));
    expect(await each(bobbin, '{ getService(name: "greeting") { status } }')).toEqual(
      all({ data: { getService: { status: "ACTIVE" } } }),
    );
    for (const { errors } of await each(bobbin, '{ getService(name: "nobody") { status } }'))
      expect(errors[0].extensions.code).toBe("SERVICE_NOT_FOUND");

    const pages = await ofEach(WORKERS, `${gateway}/plugins/greeting/page?x=1`, {
      method: "PUT",
      body: "body",
    });
    for (const { status, text, headers } of pages.values())
      expect([status, text, headers.get("x-own")]).toEqual([202, "PUT /plugins/greeting/page body", "yes"]);
    const alone = await askEach(WORKERS, `${gateway}/plugins/greeting`, "{ __typename }");
    expect(alone).toEqual(all({ data: { __typename: "Query" } }));
    const pagesOfGraph = await ofEach(WORKERS, `${gateway}/graphql`, { headers: { accept: "text/html" } });
    for (const { text } of pagesOfGraph.values()) expect(text).toContain("<html");

    // Enough connections for each process to have some.
    for (const subscribe of [bySse, byWebSocket]) {
      const subscribers = Array.from({ length: 12 }, () => subscribe(gateway, "subscription { count }"));
      for (const each of subscribers) {
        const events = await each.have(3);
        expect(events.map(({ data }) => data.count)).toEqual([1, 2, 3]);
        expect(await each.ended()).toBe("complete");
      }
    }

    await writeFiles(bobbin.folder, {
      "plugins/greeting.ts": plugin("hello: String again: Int", "hello: () => 'new', again: () => 2"),
    });
    await post(`${gateway}/plugins/greeting/reload`, {});
    expect(await each(bobbin, "{ hello again }")).toEqual(all({ data: { hello: "new", again: 2 } }));
    await post(`${gateway}/plugins/greeting/disable`, {});
    for (const { errors } of await each(bobbin, "{ hello }"))
      expect(errors[0].extensions).toMatchObject({ code: "SERVICE_UNAVAILABLE", service: "greeting" });
  });

  test("what is known of bobbin is the same from every process: services, health, counts, and who it is", async () => {
    const { gateway, registry } = bobbin.urls;
    const total = (text: string) =>
      [...text.matchAll(/^bobbin_graphql_answers_total\{.*\} (\d+)$/gm)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    const answered = async () => total((await get(`${gateway}/metrics`)).body);
    const before = await answered();
    const questions = 30;
    for (let i = 0; i < questions; i++) await askOnce(gateway);
    for (const { text } of (await ofEach(WORKERS, `${gateway}/metrics`)).values())
      expect(total(text)).toBe(before + questions);
    for (const path of ["services", "health", "ready"]) {
      const answers = await ofEach(WORKERS, `${gateway}/gateway/${path}`);
      const texts = [...answers.values()].map(({ text }) => text.replace(/"lastHealthCheck":"[^"]*"/g, ""));
      expect(new Set(texts).size).toBe(1);
    }
    const doors = await ofEach(WORKERS, `${gateway}/gateway/live`);
    expect(new Set([...doors.values()].map(({ headers }) => headers.get("x-bobbin-door"))).size).toBe(1);
    const { status, body } = await post(`${registry}/register`, {
      serviceName: "self",
      url: gateway,
      metadata: { endpoints: { graphql: "/graphql" } },
    });
    expect([status, body.code]).toEqual([422, "SELF_REFERENCE"]);
  });

  test("a worker that is killed is started again, and counts what it counted", async () => {
    const { gateway } = bobbin.urls;
    const before = await children(bobbin);
    expect(before).toHaveLength(WORKERS - 1);
    for (let i = 0; i < 20; i++) await askOnce(gateway);
    const counted = async () => {
      const [, count] = /reason="seldom asked"} (\d+)/.exec((await get(`${gateway}/metrics`)).body) ?? [];
      return Number(count);
    };
    const known = await counted();
    process.kill(before[0] as number, "SIGKILL");
    await until(
      () => bobbin.lines.find(({ msg }) => msg === "a gateway worker ended; it is started again"),
      (line) => line !== undefined,
    );
    expect(await counted()).toBe(known);
    await until(
      () => children(bobbin),
      (now) => now.length === WORKERS - 1 && !now.includes(before[0] as number),
    );
    expect(await each(bobbin, "{ __typename }")).toEqual(all({ data: { __typename: "Query" } }));
  });

  test("a port that a bobbin's workers share is not shared with another bobbin", async () => {
    const { port } = new URL(bobbin.urls.gateway);
    await using folder = await tempFolder();
    const refused = ["1", "2"].map(async (workers) => {
      const args = ["--gateway-port", port, "--core-port", "0", "--registry-port", "0", "--workers", workers];
      const { status, stdout } = await run(args, { folder: folder.path, env: { LOG_FORMAT: "json" } });
      expect(status).toBe(1);
      expect(stdout).toContain(`:${port}: it is in use; --gateway-port`);
    });
    await Promise.all(refused);
  });
});

test.concurrent("the core's mutations are taken and refused by every process alike", async () => {
  await using bobbin = await start(undefined, { CORE_MUTATIONS_IN_GRAPH: "1", JWT_SECRET: SECRET });
  const mutation = 'mutation { registerService(input: { name: "a", url: "http://127.0.0.1:9/" }) { name } }';
  for (const { errors } of await each(bobbin, mutation))
    expect(errors[0].extensions.code).toBe("UNAUTHENTICATED");
  const authorization = `Bearer ${await token()}`;
  expect(await each(bobbin, mutation, { authorization })).toEqual(
    all({ data: { registerService: { name: "a" } } }),
  );
});

test.concurrent("workers end with their writer, even where that is killed, and leave the port", async () => {
  await using bobbin = await start();
  const pids = await children(bobbin);
  expect(pids).toHaveLength(WORKERS - 1);
  await bobbin.stop("SIGKILL");
  await until(
    () => pids.filter(isAlive),
    (left) => left.length === 0,
  );
  const { port } = new URL(bobbin.urls.gateway);
  await until(
    () => isFree(Number(port)),
    (is) => is,
  );
});

test.concurrent("at the end every process finishes what is in flight, and none is left", async () => {
  await using bobbin = await start();
  const { gateway } = bobbin.urls;
  const answer = Promise.withResolvers<string>();
  let asked = 0;
  await using service = await startService({
    typeDefs: "type Query { slow: String }",
    resolvers: {
      Query: {
        slow: () => {
          asked += 1;
          return answer.promise;
        },
      },
    },
  });
  await register(bobbin, "slow", service);
  await composed(bobbin, "slow");
  const questions = Array.from({ length: 20 }, async () => {
    const response = await fetch(`${gateway}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: '{"query":"{ slow }"}',
    });
    return [workerOf(response), ((await response.json()) as { data: unknown }).data] as const;
  });
  await until(
    () => asked,
    (count) => count === questions.length,
  );
  const pids = await children(bobbin);
  bobbin.process.kill("SIGTERM");
  await until(
    () => bobbin.lines,
    (lines) => lines.some(({ msg }) => msg === "stopping"),
  );
  answer.resolve("at last");
  const answers = await Promise.all(questions);
  expect(answers.map(([, data]) => data)).toEqual(questions.map(() => ({ slow: "at last" })));
  expect(new Set(answers.map(([worker]) => worker)).size).toBeGreaterThan(1);
  expect(await bobbin.process.exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});
