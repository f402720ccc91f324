/** What a web page may do, and may not: media types, origins, hosts, preflights and what is shared across origins. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get } from "../support/client.ts";
import { rawRequest } from "../support/wire.ts";
import { type Write, writesOf } from "./writes.ts";

let app: TestApp;
let writes: Write[];
beforeAll(async () => {
  app = await startApp({ config: { coreMutationsInGraph: true } });
  writes = writesOf(app);
});
afterAll(() => app[Symbol.asyncDispose]());

const names = async () =>
  (await get(`${app.urls.registry}/services`)).body.services.map(
    ({ serviceName }: { serviceName: string }) => serviceName,
  );

test("a write is taken as application/json only; a reload reads no body", async () => {
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    undefined,
  ];
  for (const write of writes.filter(({ isOfService }) => isOfService)) {
    for (const type of types) {
      const { status, code } = await write.send({ "content-type": type, "graphql-require-preflight": "1" });
      // Read as a form, a JSON body has no query in it, and says so; forms that have one follow below.
      const isRead = /form/.test(type ?? "") && !write.name.startsWith("POST");
      expect({ write: write.name, type, code }).toEqual({
        write: write.name,
        type,
        code: isRead ? "GRAPHQL_REQUEST_INVALID" : "UNSUPPORTED_MEDIA_TYPE",
      });
      if (!isRead) expect(status).toBe(415);
    }
    expect((await write.send({ "content-type": "application/json; charset=utf-8" })).status).not.toBe(415);
  }
  const reload = writes.find(({ isOfService }) => !isOfService);
  expect((await reload?.send({ "content-type": "text/plain" }))?.status).toBe(200);
});

test("a page's form never registers a service, with or without the header that forces a preflight", async () => {
  const query = 'mutation { registerService(input: { name: "by-form", url: "http://127.0.0.1:9" }) { id } }';
  const multipart = () => {
    const form = new FormData();
    form.set("operations", JSON.stringify({ query }));
    form.set("map", "{}");
    return form;
  };
  for (const door of ["core", "gateway"] as const) {
    for (const body of [() => new URLSearchParams({ query }), multipart]) {
      for (const header of [{}, { "apollo-require-preflight": "1" }]) {
        const response = await fetch(`${app.urls[door]}/graphql`, {
          method: "POST",
          headers: header,
          body: body(),
        });
        expect([403, 415]).toContain(response.status);
      }
    }
    const asGraphql = await fetch(`${app.urls[door]}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/graphql" },
      body: query,
    });
    expect(asGraphql.status).toBe(415);
  }
  const rest = await fetch(`${app.urls.registry}/register`, {
    method: "POST",
    body: new URLSearchParams({ serviceName: "by-form", url: "http://127.0.0.1:9" }),
  });
  expect(rest.status).toBe(415);
  expect(await names()).not.toContain("by-form");
});

test("a write from a page of another origin is 403, from bobbin's own it is taken", async () => {
  for (const origin of ["https://evil.example", "http://localhost:1", "http://127.0.0.1", "null"]) {
    for (const write of writes) {
      expect([write.name, await write.send({ origin })]).toEqual([
        write.name,
        { status: 403, code: "FORBIDDEN_ORIGIN" },
      ]);
    }
  }
  const [register] = writes;
  expect((await register?.send({ origin: app.urls.registry }))?.code).toBeUndefined();
});

test("on loopback a Host that is no loopback name is 403, whatever is asked", async () => {
  const body = '{"serviceName":"rebound","url":"http://127.0.0.1:9"}';
  for (const host of [
    "evil.example",
    "evil.example:3999",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.168.1.1",
    "[2001:db8::1]:80",
  ]) {
    for (const url of Object.values(app.urls)) {
      const asked = await rawRequest(
        url,
        `GET /graphql?query={__typename} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        ended,
      );
      expect([host, asked.split("\r\n")[0]]).toEqual([host, "HTTP/1.1 403 Forbidden"]);
      expect(asked).toContain("FORBIDDEN_HOST");
    }
    const written = await rawRequest(
      app.urls.registry,
      `POST /register HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(written).toStartWith("HTTP/1.1 403");
  }
  for (const host of ["localhost", "LOCALHOST:3999", "127.0.0.1", "[::1]:3999", "app.localhost:80"]) {
    const asked = await rawRequest(app.urls.registry, `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect([host, asked.split("\r\n")[0]]).toEqual([host, "HTTP/1.1 200 OK"]);
  }
  expect(await names()).not.toContain("rebound");
});

/** What a page of `origin` would be told about reading `path`, and about sending `method` there. */
async function shared(url: string, origin: string, method: string) {
  const preflight = await fetch(url, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "content-type",
    },
  });
  const read = await fetch(url, { headers: { origin } });
  await read.body?.cancel();
  return {
    preflight: preflight.status,
    methods: preflight.headers.get("access-control-allow-methods"),
    asked: preflight.headers.get("access-control-allow-origin"),
    read: read.headers.get("access-control-allow-origin"),
    vary: read.headers.get("vary")?.toLowerCase().includes("origin") ?? false,
  };
}

test("pages of loopback origins may read the gateway and the reads of the registry, and nothing else", async () => {
  const origin = "http://localhost:5173";
  const { gateway, core, registry } = app.urls;
  const open = { preflight: 204, asked: origin, read: origin, vary: true };
  expect(await shared(`${gateway}/graphql`, origin, "POST")).toEqual({ ...open, methods: "GET, POST" });
  expect(await shared(`${gateway}/gateway/health`, origin, "GET")).toEqual({ ...open, methods: "GET" });
  expect(await shared(`${registry}/services`, origin, "GET")).toEqual({ ...open, methods: "GET" });
  const closed = { preflight: 403, methods: null, asked: null, read: null, vary: false };
  for (const path of ["register", "unregister", "heartbeat"]) {
    expect(await shared(`${registry}/${path}`, origin, "POST")).toEqual(closed);
  }
  expect(await shared(`${gateway}/gateway/reload`, origin, "POST")).toEqual(closed);
  expect(await shared(`${gateway}/gateway/services/x/accept`, origin, "POST")).toEqual(closed);
  expect(await shared(`${core}/graphql`, origin, "POST")).toEqual(closed);
  for (const foreign of ["https://evil.example", "http://localhost.evil.example", "null", "file://"]) {
    const told = await shared(`${gateway}/graphql`, foreign, "POST");
    expect([foreign, told]).toEqual([foreign, { ...closed, vary: true }]);
  }
});

test("CORS_ORIGINS says whose pages may read, in place of the loopback ones", async () => {
  await using other = await startApp({ config: { corsOrigins: ["https://app.example.com"] } });
  const url = `${other.urls.gateway}/graphql`;
  expect((await shared(url, "https://app.example.com", "POST")).read).toBe("https://app.example.com");
  expect((await shared(url, "http://localhost:5173", "POST")).read).toBeNull();
  expect((await shared(`${other.urls.registry}/register`, "https://app.example.com", "POST")).preflight).toBe(
    403,
  );
});

const ended = (answer: string) => answer.includes("FORBIDDEN_HOST");
