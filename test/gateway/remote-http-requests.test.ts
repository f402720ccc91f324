/** What a service gets to read, and how its address is reached. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { HttpClient } from "../../src/gateway/remote/http/http-client.ts";
import { targetOf } from "../../src/gateway/remote/http/target.ts";
import { usesProxy } from "../../src/http.ts";
import { ok, post, rawService, said } from "./remote-http.ts";

const client = new HttpClient();
afterAll(() => client[Symbol.asyncDispose]());

const TLS = join(import.meta.dir, "../fixtures/tls");
const CERTIFICATE = join(TLS, "localhost.crt");

/** What a call with this URL and these headers puts on the wire. */
async function written(url: (port: number) => string, headers: Record<string, string> = {}, body = "{}") {
  using service = rawService((socket) => void socket.write(ok("{}")));
  await post(client, targetOf(url(service.port), { accept: "application/json" }), { headers, body });
  return service.requests[0] ?? "";
}

test("a request has its host, its headers and its length in bytes", async () => {
  let port = 0;
  const request = await written(
    (free) => {
      port = free;
      return `http://127.0.0.1:${free}/a%20b?c=d#e`;
    },
    { "x-bobbin-hops": "1", "x-name": "José" },
    '{"ü":1}',
  );
  expect(request).toBe(
    `POST /a%20b?c=d HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nuser-agent: bobbin\r\naccept-encoding: identity\r\n` +
      "accept: application/json\r\nx-bobbin-hops: 1\r\nx-name: José\r\ncontent-length: 8\r\n\r\n" +
      Buffer.from('{"ü":1}').toString("latin1"),
  );
});

test("the default port is not part of the host", () => {
  expect(targetOf("http://a.example:80/").head).toContain("\r\nhost: a.example\r\n");
  expect(targetOf("https://a.example:443/")).toMatchObject({
    head: expect.stringContaining("\r\nhost: a.example\r\n"),
    origin: { port: 443, isSecure: true },
  });
});

test("user and password in the URL become basic authorization, unless the request has its own", async () => {
  const url = (port: number) => `http://us%20er:p%40ss@127.0.0.1:${port}/`;
  expect(await written(url)).toContain(`\r\nauthorization: Basic ${btoa("us er:p@ss")}\r\n`);
  const own = await written(url, { authorization: "Bearer x" });
  expect(own).toContain("\r\nauthorization: Bearer x\r\n");
  expect(own).not.toContain("Basic");
});

describe("a header is refused that", () => {
  const wrong: [what: string, headers: Record<string, string>][] = [
    ["holds a line end", { "x-a": "b\r\ncontent-length: 0" }],
    ["holds a line feed", { "x-a": "b\nc" }],
    ["holds a zero byte", { "x-a": "b\0" }],
    ["holds what Latin-1 has not", { "x-a": "€" }],
    ["has a name with a colon", { "x-a: b\r\nx-c": "d" }],
    ["has no name", { "": "b" }],
    ["says how long the body is", { "Content-Length": "0" }],
    ["says how the body is sent", { "transfer-encoding": "chunked" }],
    ["names another host", { host: "other" }],
  ];
  for (const [what, headers] of wrong) {
    test(what, async () => {
      using service = rawService((socket) => void socket.write(ok("{}")));
      expect(await said(post(client, service.url, { headers }))).toStartWith("INVALID_INPUT: ");
      expect(() => targetOf(service.url, headers)).toThrow();
      expect(service.accepted).toBe(0);
    });
  }
});

describe("a service is reached", () => {
  for (const [hostname, named] of [
    ["127.0.0.1", "localhost"],
    ["::1", "localhost"],
    ["::1", "[::1]"],
  ] as const) {
    test(`that listens on ${hostname} only, as ${named}`, async () => {
      using service = rawService((socket) => void socket.write(ok("a")), { hostname });
      expect(await said(post(client, `http://${named}:${service.port}/`))).toBe("a");
    });
  }

  test("or the reason is told why not", async () => {
    const nobody = rawService(() => {});
    nobody[Symbol.dispose]();
    const why = "SERVICE_UNAVAILABLE: The service could not be reached: ";
    expect(await said(post(client, nobody.url))).toBe(`${why}connection refused.`);
    expect(await said(post(client, "http://nobody.invalid/"))).toBe(`${why}its host name is not known.`);
    expect(() => targetOf("ftp://a.example/")).toThrow("absolute, http or https");
  });
});

/** What a process of its own, with this environment, gets from the service; it has to end by itself. */
async function saidElsewhere(url: string, environment: Record<string, string>, length = 2): Promise<string> {
  const folder = join(import.meta.dir, "../../src/gateway/remote/http");
  const script = `
    import { usesProxy } from "${folder}/../../../http.ts";
    import { HttpClient } from "${folder}/http-client.ts";
    import { targetOf } from "${folder}/target.ts";
    await using client = new HttpClient({ isProxied: usesProxy(process.env) });
    const request = { headers: {}, body: "é".repeat(${length}), deadlineMs: 10_000, maxBytes: 1_000, isRepeatable: true };
    const answer = client.post(targetOf("${url}"), request);
    console.log(await answer.then(({ body }) => body.toString(), ({ code, message }) => code + ": " + message));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdout: "pipe",
  });
  return (await new Response(child.stdout).text()).trim();
}

describe("a secure service is reached", () => {
  const secure = () =>
    Bun.serve({
      port: 0,
      tls: { cert: Bun.file(CERTIFICATE), key: Bun.file(join(TLS, "localhost.key")) },
      fetch: async (request) => new Response((await request.text()).length.toString()),
    });
  const NOT_ACCEPTED =
    "SERVICE_UNAVAILABLE: The service could not be reached: its certificate is not accepted.";

  test("where its certificate is known and for this host, with large requests too", async () => {
    await using service = secure();
    const trusting = { NODE_EXTRA_CA_CERTS: CERTIFICATE };
    expect(await saidElsewhere(`https://localhost:${service.port}/`, trusting)).toBe("2");
    expect(await saidElsewhere(`https://127.0.0.1:${service.port}/`, trusting, 5_000_000)).toBe("5000000");
    expect(await saidElsewhere(`https://[::1]:${service.port}/`, trusting)).toBe(NOT_ACCEPTED);
  });

  test("not where nobody vouches for it, unless the operator says so", async () => {
    await using service = secure();
    const url = `https://localhost:${service.port}/`;
    expect(await said(post(client, url))).toBe(NOT_ACCEPTED);
    expect(await saidElsewhere(url, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toBe("2");
  });

  test("not where it speaks no TLS", async () => {
    await using service = Bun.serve({ port: 0, fetch: () => new Response("") });
    expect(await said(post(client, `https://localhost:${service.port}/`))).toStartWith(
      "SERVICE_UNAVAILABLE: ",
    );
  });
});

test("where the environment names a proxy, calls go through it", async () => {
  using proxy = rawService((socket) => void socket.end(ok("by proxy")));
  using service = rawService((socket) => void socket.write(ok("directly")));
  const HTTP_PROXY = proxy.url;
  expect(await saidElsewhere(service.url, { HTTP_PROXY })).toBe("by proxy");
  expect(await saidElsewhere(service.url, { HTTP_PROXY, NO_PROXY: "127.0.0.1" })).toBe("directly");
  expect(usesProxy({ https_proxy: "http://proxy" })).toBe(true);
  expect(usesProxy({ HTTP_PROXY: "", PATH: "/bin" })).toBe(false);
});
