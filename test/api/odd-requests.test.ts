/** Requests that no ordinary client sends: each gets the refusal that fits, and none an INTERNAL. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { type Fetch, withFront } from "../../src/api/front.ts";
import { Guard } from "../../src/api/guard.ts";
import { tokensIn } from "../../src/api/tokens.ts";
import type { Log } from "../../src/log.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { refused } from "../support/refusal.ts";
import { SECRET } from "../support/tokens.ts";
import { rawRequest } from "../support/wire.ts";

let app: TestApp;
let closed: TestApp;
beforeAll(async () => {
  app = await startApp();
  closed = await startApp({ config: { jwtSecret: SECRET } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

const URL_GIVEN = "http://127.0.0.1:9";

test("a request of HTTP/1.0 without a Host header is answered like any other", async () => {
  const requests = {
    registry: ["GET /health HTTP/1.0\r\n\r\n", '"status":"ok"'],
    core: ["GET /graphql?query={__typename} HTTP/1.0\r\n\r\n", '"Query"'],
    gateway: [
      'POST /graphql HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{"query":"{__typename}"}',
      '"Query"',
    ],
  } as const;
  for (const door of ["registry", "core", "gateway"] as const) {
    const [request, expected] = requests[door];
    const answer = await rawRequest(app.urls[door], request, (text) => text.endsWith("}"));
    expect([door, answer.split("\r\n")[0]]).toEqual([door, "HTTP/1.1 200 OK"]);
    expect(answer).toContain(expected);
  }
});

test("a host of few letters is one like any other, and what is no host is FORBIDDEN_HOST", async () => {
  await using open = await startApp({ config: { host: "0.0.0.0" } });
  const paths = { registry: "/health", core: "/graphql?query={__typename}", gateway: "/gateway/live" };
  for (const door of ["registry", "core", "gateway"] as const) {
    const ask = (host: string) =>
      rawRequest(
        open.urls[door],
        `GET ${paths[door]} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`,
        (text) => text.endsWith("}"),
      );
    for (const host of ["a", "api", "api:80", "bobbin"]) expect(await ask(host)).toStartWith("HTTP/1.1 200");
    for (const host of ["", "api:99999", "a b", "[::1"]) expect(await ask(host)).toContain("FORBIDDEN_HOST");
  }
});

test("a path that is no text is 404", async () => {
  for (const url of [
    `${app.urls.registry}/services/%zz`,
    `${app.urls.registry}/services/%E0%A4%A`,
    `${app.urls.gateway}/plugins/%E0%A4%A/graphql`,
  ]) {
    expect({ url, ...(await refused(url)) }).toEqual({ url, status: 404, code: "NOT_FOUND" });
  }
});

test("a POST without a body to what takes none is 404 or 405, not a matter of its content type", async () => {
  const ask = (path: string) => refused(`${app.urls.registry}${path}`, { method: "POST" });
  expect(await ask("/nothing")).toEqual({ status: 404, code: "NOT_FOUND" });
  expect(await ask("/services")).toEqual({ status: 405, code: "METHOD_NOT_ALLOWED" });
  expect(await ask("/register")).toEqual({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE" });
});

test("a 405 says which methods the path takes", async () => {
  const allowed = async (url: string, method: string) => (await fetch(url, { method })).headers.get("allow");
  expect(await allowed(`${app.urls.registry}/services`, "DELETE")).toBe("GET");
  expect(await allowed(`${app.urls.registry}/register`, "PUT")).toBe("POST");
  expect(await allowed(`${app.urls.gateway}/gateway/reload`, "DELETE")).toBe("POST");
});

test("a 401 says that a bearer token is asked for", async () => {
  const challenge = async (url: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return [response.status, response.headers.get("www-authenticate")];
  };
  expect(await challenge(`${closed.urls.registry}/register`, {})).toEqual([401, "Bearer"]);
  const query = 'mutation { unregisterService(name: "a") { id } }';
  expect(await challenge(`${closed.urls.core}/graphql`, { query })).toEqual([401, "Bearer"]);
});

test("a ttl that cannot be is refused with the bounds", async () => {
  for (const ttl of [0, 1.5, 1e8]) {
    const { body } = await post(`${app.urls.registry}/register`, { serviceName: "a", url: URL_GIVEN, ttl });
    expect({ ttl, ...body }).toMatchObject({
      ttl,
      code: "INVALID_INPUT",
      detail: expect.stringMatching(/whole number.* 1 to 86400/),
    });
  }
});

test("metadata that is nested too deep is refused over both doors", async () => {
  for (const levels of [101, 50_000]) {
    const metadata = `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const rest = await post(
      `${app.urls.registry}/register`,
      `{"serviceName":"deep","url":"${URL_GIVEN}","metadata":${metadata}}`,
    );
    expect(rest.body).toMatchObject({ code: "INVALID_INPUT", detail: expect.stringMatching(/^metadata/) });
    const query = "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { id } }";
    const { body } = await post(
      `${app.urls.core}/graphql`,
      `{"query":"${query}","variables":{"input":{"name":"deep","url":"${URL_GIVEN}","metadata":${metadata}}}}`,
    );
    expect(body.errors[0].extensions.code).toBe("INVALID_INPUT");
  }
  expect((await graphql(app.urls.core, '{ getService(name: "deep") { id } }')).data.getService).toBeNull();
});

test("a client that hangs up within its body is no error of bobbin's", async () => {
  const logged: unknown[] = [];
  const done: string[] = [];
  const log = { error: (...line: unknown[]) => logged.push(line) } as Partial<Log> as Log;
  const guard = new Guard({ jwtSecret: undefined, loopback: true, corsOrigins: undefined });
  const front: Fetch = withFront(() => new Response("never"), {
    guard,
    bodyLimitBytes: 1_000,
    doorHeader: "door",
    corsMethods: () => [],
    log,
  });
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      done.push("begun");
      const answer = await front(request);
      done.push("answered");
      return answer;
    },
  });
  const socket = connect(server.port as number, "127.0.0.1");
  socket.write(
    "POST /register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
  );
  const reached = (length: number) =>
    until(
      () => done.length,
      (count) => count === length,
    );
  await reached(1);
  socket.destroy();
  await reached(2);
  expect(logged).toEqual([]);
});

test("whatever has the form of a token is found in the authorization header, however long that is", () => {
  const found = (authorization: string) => tokensIn(new Headers({ authorization }));
  expect(found("Bearer a.b.c")).toEqual(["a.b.c"]);
  expect(found('Bearer "a-1.b_2.c", x=d.e.f.g; h.i')).toEqual(["a-1.b_2.c", "d.e.f"]);
  // To search it again from each of its letters would take minutes.
  expect(found("a".repeat(1_000_000))).toEqual([]);
});
