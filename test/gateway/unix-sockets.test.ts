/** Services on unix sockets: reached by whatever reaches others, where the operator lets them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSchema, createYoga } from "graphql-yoga";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { bySse } from "../support/subscriber.ts";
import { startTicker } from "../support/ticker.ts";
import { answered, ask, becomes, inRegistry, serviceLine } from "./graph.ts";

let app: TestApp;
let folder: Awaited<ReturnType<typeof tempFolder>>;

beforeAll(async () => {
  folder = await tempFolder();
  app = await startApp({ config: { unixSockets: folder.path } });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const socketUrl = (path: string) => `http+unix://${encodeURIComponent(path)}`;

/** A GraphQL service at the socket with one field that says `value`, and what it was asked for. */
function startAt(path: string, field: string, value: string) {
  const schema = createSchema({
    typeDefs: `
      scalar File
      type Query { ${field}: String }
      type Mutation { ${field}Read(file: File!): String }`,
    resolvers: {
      Query: { [field]: () => value },
      Mutation: { [`${field}Read`]: (_: unknown, { file }: { file: File }) => file.text() },
    },
  });
  const yoga = createYoga({ schema, logging: false, graphqlEndpoint: "/*" });
  const asked: { url: string; host: string | null }[] = [];
  const server = Bun.serve({
    unix: path,
    fetch(request) {
      asked.push({ url: request.url, host: request.headers.get("host") });
      return request.url.endsWith("/health") ? new Response("ok") : yoga.fetch(request);
    },
  });
  return { asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

const register = (serviceName: string, url: string, extra: object = {}, to = app) =>
  post(`${to.urls.registry}/register`, {
    serviceName,
    url,
    metadata: { endpoints: { graphql: "/graphql?a=1" } },
    ...extra,
  });

test("a service at a socket is probed, composed and asked as others are", async () => {
  const path = `${folder.path}/plain.sock`;
  await using service = startAt(path, "plain", "by socket");
  const { status, body } = await register("plain", socketUrl(path), { health: "/health" });
  expect([status, body.url]).toEqual([201, socketUrl(path)]);
  expect(await answered(app, "{ plain }")).toEqual({ plain: "by socket" });
  const line = { status: "ACTIVE", composition: "COMPOSED", graphqlUrl: `${socketUrl(path)}/graphql?a=1` };
  expect(await serviceLine(app, "plain")).toMatchObject(line);
  await until(
    () => inRegistry(app, "plain"),
    ({ lastHealthCheck }) => lastHealthCheck !== null,
  );
  await post(`${app.urls.gateway}/gateway/reload`, {});
  expect(await answered(app, "{ plain }")).toEqual({ plain: "by socket" });
  const asked = new Set(service.asked.map(({ url, host }) => `${host} ${new URL(url).pathname}`));
  expect(asked).toEqual(new Set(["localhost /graphql", "localhost /health"]));

  const form = new FormData();
  const query = "mutation ($file: File!) { plainRead(file: $file) }";
  form.append("operations", JSON.stringify({ query, variables: { file: null } }));
  form.append("map", '{"0":["variables.file"]}');
  form.append("0", new File(["of a file"], "a.txt"));
  const headers = { "graphql-require-preflight": "1" };
  const sent = await fetch(`${app.urls.gateway}/graphql`, { method: "POST", body: form, headers });
  expect(await sent.json()).toEqual({ data: { plainRead: "of a file" } });
});

test("what listens on a socket no more fails like any other service", async () => {
  const path = `${folder.path}/gone.sock`;
  const service = startAt(path, "leaving", "here");
  await register("leaving", socketUrl(path));
  await answered(app, "{ leaving }");
  await service[Symbol.asyncDispose]();
  const { data, errors } = await ask(app, "{ leaving }");
  expect([data.leaving, errors?.[0]?.extensions?.code]).toEqual([null, "SERVICE_UNAVAILABLE"]);
});

test("spellings of one socket are one instance, and other sockets are others", async () => {
  const path = `${folder.path}/same.sock`;
  await using _service = startAt(path, "same", "one");
  const spelled = socketUrl(path).replaceAll("%2F", "%2f");
  await register("same", socketUrl(path), { ttl: 60 });
  expect((await register("same", `${spelled}/`)).status).toBe(200);
  expect((await inRegistry(app, "same")).instances).toHaveLength(1);
  await register("same", `${socketUrl(path)}2`);
  expect((await inRegistry(app, "same")).instances).toHaveLength(2);
  const beat = await post(`${app.urls.registry}/heartbeat`, { serviceName: "same", url: spelled });
  expect(beat.status).toBe(200);
});

for (const protocol of ["sse", "graphql-ws"] as const) {
  test(`subscriptions come from a socket over ${protocol}`, async () => {
    const prefix = protocol.slice(-2);
    await using service = startTicker(protocol, { prefix, unix: `${folder.path}/${prefix}.sock` });
    await register(prefix, service.url, { metadata: { endpoints: { graphql: "/graphql" } } });
    await answered(app, `{ ${prefix}Ready }`);
    using subscriber = bySse(app.urls.gateway, `subscription { ${prefix}s { at } }`);
    await until(
      () => service.subscribed,
      (count) => count === 1,
    );
    service.emit({ at: 7 });
    expect(await subscriber.have(1)).toEqual([{ data: { [`${prefix}s`]: { at: 7 } } }]);
  });
}

describe("a registration is refused", () => {
  const rule = "url must name a unix socket as http+unix://%2Frun%2Fbobbin%2Fname.sock/graphql does.";
  const foreign = (path: string) =>
    `url leads to the unix socket ${path}, which is not allowed: UNIX_SOCKETS allows those in FOLDER.`;
  const refused: [what: string, url: string, detail: string, more?: object][] = [
    ["at a socket elsewhere", socketUrl("/var/run/docker.sock"), foreign("/var/run/docker.sock")],
    ["at a socket beside the folder", socketUrl("FOLDERx/a.sock"), foreign("FOLDERx/a.sock")],
    ["that goes up again", socketUrl("FOLDER/../a.sock"), rule],
    ["that goes nowhere", socketUrl("FOLDER/./a.sock"), rule],
    ["at the folder itself", socketUrl("FOLDER"), foreign("FOLDER")],
    ["without a path", "http+unix://a.sock/graphql", rule],
    ["whose path is too long", socketUrl(`FOLDER/${"a".repeat(100)}`), rule],
    ["with a zero byte", socketUrl("FOLDER/a\0"), rule],
    ["with a port", `${socketUrl("FOLDER/a.sock")}:80/`, rule],
    ["with a password", socketUrl("FOLDER/a.sock").replace("//", "//a:b@"), rule],
    ["at another kind of URL", "unix:/run/a.sock:/graphql", "url must be an absolute http or https URL."],
    [
      "whose GraphQL is at a socket elsewhere",
      "http://127.0.0.1:1/",
      foreign("/a.sock"),
      { metadata: { endpoints: { graphql: socketUrl("/a.sock") } } },
    ],
    [
      "whose health is at a socket elsewhere",
      socketUrl("FOLDER/a.sock"),
      foreign("/a.sock"),
      { health: socketUrl("/a.sock") },
    ],
  ];
  for (const [what, url, detail, more] of refused) {
    test(what, async () => {
      const named = url.replace("FOLDER", encodeURIComponent(folder.path));
      const { status, body } = await register("refused", named.replace("%252F", "%2F"), more);
      expect([status, body.code, body.detail]).toEqual([
        422,
        "INVALID_INPUT",
        detail.replaceAll("FOLDER", folder.path),
      ]);
      expect((await get(`${app.urls.registry}/services/refused`)).status).toBe(404);
    });
  }

  test("as subscriptions at a socket elsewhere, however that is written", async () => {
    for (const url of [socketUrl("/a.sock"), "//%2Fa.sock/x", "\\\\%2Fa.sock/x"]) {
      const metadata = { gateway: { subscriptions: { url } } };
      expect((await register("refused", socketUrl(`${folder.path}/a.sock`), { metadata })).status).toBe(422);
    }
  });

  test("and an update likewise", async () => {
    await register("moved", "http://127.0.0.1:1/");
    const update = `mutation { updateService(name: "moved", input: { url: "${socketUrl("/a.sock")}" }) { url } }`;
    const { errors } = await graphql(app.urls.core, update);
    expect(errors?.[0]?.extensions?.code).toBe("INVALID_INPUT");
    expect((await inRegistry(app, "moved")).url).toBe("http://127.0.0.1:1/");
  });
});

test("without the option there are none, and those registered with it are forgotten", async () => {
  await using own = await tempFolder();
  const path = `${own.path}/a.sock`;
  await using service = startAt(path, "kept", "yes");
  const names = async ({ urls }: TestApp) =>
    (await get(`${urls.registry}/services`)).body.services.map(({ serviceName }: never) => serviceName);
  const start = (unixSockets?: string) => startApp({ folder: own.path, config: { unixSockets } });
  {
    await using before = await start(own.path);
    await register("kept", socketUrl(path), {}, before);
    await register("partly", socketUrl(path), {}, before);
    await register("partly", "http://127.0.0.1:1/", {}, before);
    await becomes(before, "kept", { composition: "COMPOSED" });
  }
  const asked = service.asked.length;
  {
    await using without = await start();
    expect(await names(without)).not.toContain("kept");
    expect((await inRegistry(without, "partly")).instances).toMatchObject([{ url: "http://127.0.0.1:1/" }]);
    const { status, body } = await register("kept", socketUrl(path), {}, without);
    expect([status, body.detail]).toEqual([
      422,
      `url leads to the unix socket ${path}, which is not allowed: UNIX_SOCKETS names no folder.`,
    ]);
    await register("other", "http://127.0.0.1:1/", {}, without);
    expect(service.asked).toHaveLength(asked);
  }
  await using again = await start(own.path);
  expect(await names(again)).not.toContain("kept");
  expect(await names(again)).toContain("partly");
});
