/** What calls to a service carry, how they are bounded, and what its wrong answers become. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { parse } from "graphql";
import { createToken } from "../../src/api/tokens.ts";
import { CallPlaces } from "../../src/gateway/remote/call-places.ts";
import { remoteExecutor } from "../../src/gateway/remote/remote-executor.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { type GraphQLAnswer, graphql, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask } from "./graph.ts";

let app: TestApp;
let service: TestService;

beforeAll(async () => {
  app = await startApp({ config: { jwtSecret: "secret" } });
  service = await startService({
    typeDefs:
      "type Query { user: User ok: String bad: String } type User { posts: [Post] } type Post { title: String }",
    resolvers: {
      Query: {
        user: () => ({ posts: [{ title: "1" }, {}] }),
        ok: () => "ok",
        bad: () => {
          throw Object.assign(new Error("no money"), { extensions: { code: "POOR", missing: 3 } });
        },
      },
      Post: {
        title: ({ title }: { title?: string }) => {
          if (title) return title;
          throw new Error("no title");
        },
      },
    },
  });
  const metadata = {
    endpoints: { graphql: "/graphql" },
    gateway: { headers: ["X-Tenant", "Authorization"] },
  };
  const authorization = `Bearer ${await createToken("secret", 60)}`;
  const { status } = await fetch(`${app.urls.registry}/register`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ serviceName: "users", url: service.url, metadata }),
  });
  expect(status).toBe(201);
  await answered(app, "{ ok }");
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** The headers with which the service saw the query. */
function seen(text: string): Headers {
  const found = service.requests.findLast(({ query }) => query.includes(text));
  if (!found) throw new Error(`the service saw no ${text}`);
  return found.headers;
}

test("an upstream's errors keep their path, message and extensions, and name the service", async () => {
  const { data, errors } = await ask(app, "{ ok me: user { articles: posts { heading: title } } bad }");
  expect(data).toEqual({ ok: "ok", me: { articles: [{ heading: "1" }, { heading: null }] }, bad: null });
  const plain = errors?.map(({ message, path, extensions }) => ({ message, path, extensions }));
  expect(plain).toContainEqual({
    message: "no title",
    path: ["me", "articles", 1, "heading"],
    extensions: { service: "users" },
  });
  expect(plain).toContainEqual({
    message: "no money",
    path: ["bad"],
    extensions: { code: "POOR", missing: 3, service: "users" },
  });
  expect(errors).toHaveLength(2);
});

test("languages, traces and the headers that the service names are forwarded, and no others", async () => {
  const sent = {
    "accept-language": "de",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-tenant": "blue",
    cookie: "session=1",
    "x-other": "private",
  };
  await graphql(app.urls.gateway, "{ forwarded: ok }", undefined, sent);
  const headers = seen("ok");
  expect(headers.get("accept-language")).toBe("de");
  expect(headers.get("traceparent")).toBe(sent.traceparent);
  expect(headers.get("x-tenant")).toBe("blue");
  expect(headers.get("cookie")).toBeNull();
  expect(headers.get("x-other")).toBeNull();
});

test("a user's own token goes to the service that asks for it, a write token of bobbin never", async () => {
  await graphql(app.urls.gateway, "{ ok }", undefined, { authorization: "Bearer of-the-user" });
  expect(seen("ok").get("authorization")).toBe("Bearer of-the-user");
  const authorization = `Bearer ${await createToken("secret", 60)}`;
  await graphql(app.urls.gateway, "{ ok }", undefined, { authorization, "x-tenant": authorization });
  expect(seen("ok").get("authorization")).toBeNull();
  expect(seen("ok").get("x-tenant")).toBeNull();
});

test("calls carry a hop count, and above 8 the request is refused with LOOP_DETECTED", async () => {
  await graphql(app.urls.gateway, "{ ok }");
  expect(seen("ok").get("x-bobbin-hops")).toBe("1");
  const last = await graphql(app.urls.gateway, "{ ok }", undefined, { "x-bobbin-hops": "8" });
  expect(last.data).toEqual({ ok: "ok" });
  expect(seen("ok").get("x-bobbin-hops")).toBe("9");
  for (const hops of ["9", "1000", "-1", "many"]) {
    const refused = await graphql(app.urls.gateway, "{ ok }", undefined, { "x-bobbin-hops": hops });
    expect(refused.errors?.[0]?.extensions?.code).toBe("LOOP_DETECTED");
    expect(refused.data).toBeUndefined();
  }
});

const wrongAnswers: [kind: string, answer: () => Response][] = [
  ["HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["truncated JSON", () => new Response('{"data":{"ok":')],
  ["a list", () => Response.json([])],
  ["data that is a text", () => Response.json({ data: "ok" })],
  ["errors that are none", () => Response.json({ errors: ["bad"] })],
  ["another field's", () => Response.json({ data: { other: "ok" } })],
  ["nothing", () => new Response(null, { status: 204 })],
  ["a redirect", () => Response.redirect("/elsewhere")],
];
for (const [kind, answer] of wrongAnswers) {
  test(`an answer that is ${kind} becomes INVALID_SERVICE_RESPONSE at the field's path`, async () => {
    service.answerWith(answer);
    const { data, errors }: GraphQLAnswer = await ask(app, "{ mine: ok getServices { name } }").finally(() =>
      service.answerWith(undefined),
    );
    expect(data.mine).toBeNull();
    expect(data.getServices).toHaveLength(2);
    expect(errors).toEqual([
      expect.objectContaining({
        path: ["mine"],
        extensions: { code: "INVALID_SERVICE_RESPONSE", service: "users" },
      }),
    ]);
  });
}

test("an error that leads nowhere in the answer counts for all fields that the service was asked for", async () => {
  const odd = [{ message: "odd", path: "user", extensions: "none" }];
  service.answerWith(() => Response.json({ data: null, errors: odd }));
  const { data, errors } = await ask(app, "{ ok bad getServices { name } }").finally(() =>
    service.answerWith(undefined),
  );
  expect(data).toMatchObject({ ok: null, bad: null, getServices: [{ name: "core" }, { name: "users" }] });
  expect(errors?.map(({ message, path, extensions }) => [message, path, extensions]).sort()).toEqual([
    ["odd", ["bad"], { service: "users" }],
    ["odd", ["ok"], { service: "users" }],
  ]);
});

test("a plain value where fields are asked for, however deep, becomes INVALID_SERVICE_RESPONSE", async () => {
  for (const user of [5, { posts: [[], null, "x"] }]) {
    service.answerWith(() => Response.json({ data: { user } }));
    const { errors } = await ask(app, "{ user { posts { title } } }").finally(() =>
      service.answerWith(undefined),
    );
    expect(errors?.[0]?.extensions).toEqual({ code: "INVALID_SERVICE_RESPONSE", service: "users" });
  }
});

test("a broken connection is told in words of bobbin's own", async () => {
  await using broken = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => void socket.end() },
  }) as unknown as AsyncDisposable & { port: number; stop(force: boolean): void };
  const execute = remoteExecutor("broken", {
    route: () => ({ origin: "", graphqlUrl: `http://127.0.0.1:${broken.port}`, headers: [] }),
    onFailure: () => {},
  });
  const context = { hops: 0, writeToken: undefined };
  const { errors } = (await execute({ document: parse("{ ok }"), context })) as Pick<GraphQLAnswer, "errors">;
  expect(errors?.[0]?.message).toBe(
    "The service could not be reached: connection closed before the answer was complete.",
  );
});

test("services that hang leave places to a healthy one", async () => {
  await using hung = await startService({ typeDefs: "type Query { ok: String }" });
  let inFlight = 0;
  hung.answerWith(() => {
    inFlight += 1;
    return new Promise(() => {});
  });
  const places = new CallPlaces();
  const executor = ({ graphqlUrl, url }: TestService, name: string) =>
    remoteExecutor(name, {
      route: () => ({ origin: url, graphqlUrl, headers: [] }),
      onFailure: () => {},
      places,
      deadlineMs: 60_000,
    });
  const client = new AbortController();
  const context = {
    request: new Request("http://localhost/", { signal: client.signal }),
    hops: 0,
    writeToken: undefined,
  };
  const document = parse("{ ok }");
  const hanging = ["a", "b", "c", "d"].flatMap((name) => {
    const execute = executor(hung, name);
    return Array.from({ length: 70 }, () => execute({ document, context }));
  });
  await until(
    () => inFlight,
    (count) => count === 148,
  );
  const healthy = executor(service, "healthy");
  const answers = await Promise.all(Array.from({ length: 70 }, () => healthy({ document, context })));
  for (const answer of answers) expect(answer).toEqual({ data: { ok: "ok" } });
  client.abort();
  await Promise.all(hanging);
});

/** The executor by itself, where the bounds can be reached without waiting for the product's long ones. */
function executorOf(deadlineMs: number) {
  const failures: string[] = [];
  const execute = remoteExecutor("users", {
    route: () => ({ origin: service.url, graphqlUrl: service.graphqlUrl, headers: [] }),
    onFailure: (name) => failures.push(name),
    deadlineMs,
  });
  const call = async () => {
    const context = { hops: 0, writeToken: undefined };
    return (await execute({ document: parse("{ ok }"), context })) as Pick<GraphQLAnswer, "data" | "errors">;
  };
  return { call, failures };
}

test("a service that does not answer within the deadline becomes SERVICE_TIMEOUT, waiting calls too", async () => {
  service.answerWith(() => new Promise<Response>(() => {}));
  const { call, failures } = executorOf(100);
  const answers = await Promise.all(Array.from({ length: 100 }, call));
  service.answerWith(undefined);
  for (const { errors } of answers) {
    expect(errors?.[0]?.extensions).toEqual({ code: "SERVICE_TIMEOUT", service: "users" });
  }
  expect(failures).toContain("users");
});

test("more calls than may wait for a service are refused at once with SERVICE_OVERLOADED, the others answered", async () => {
  const release = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  service.answerWith(async () => {
    most = Math.max(most, ++now);
    await release.promise;
    now -= 1;
    return Response.json({ data: { ok: "late" } });
  });
  const { call } = executorOf(60_000);
  const calls = Array.from({ length: 1_300 }, call);
  const first = await Promise.race(calls);
  expect(first.errors?.[0]?.extensions).toEqual({ code: "SERVICE_OVERLOADED", service: "users" });
  release.resolve();
  const answers = await Promise.all(calls);
  service.answerWith(undefined);
  const refused = answers.filter(({ errors }) => errors?.[0]?.extensions?.code === "SERVICE_OVERLOADED");
  const delivered = answers.filter(({ data }) => data?.ok === "late");
  expect(refused.length + delivered.length).toBe(1_300);
  expect(delivered.length).toBeGreaterThanOrEqual(1_024);
  expect(most).toBeLessThanOrEqual(64);
});
