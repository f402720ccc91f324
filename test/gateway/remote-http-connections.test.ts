/** Connections are kept, given up in time, and never give one call what belongs to another. */
import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpClient } from "../../src/gateway/remote/http/http-client.ts";
import { targetOf } from "../../src/gateway/remote/http/target.ts";
import { ok, post, rawService, said, until } from "./remote-http.ts";

const client = new HttpClient();
afterAll(() => client[Symbol.asyncDispose]());

const OUT_OF_TIME = "SERVICE_TIMEOUT: The service did not answer in time.";
const BROKEN =
  "SERVICE_UNAVAILABLE: The service could not be reached: connection closed before the answer was complete.";

describe("a connection", () => {
  test("serves one call after another", async () => {
    using service = rawService((socket, number) => void socket.write(ok(String(number))));
    for (const number of ["1", "2", "3"]) expect(await said(post(client, service.url))).toBe(number);
    expect(service.accepted).toBe(1);
  });

  test("is shared by targets of one origin, and serves one call at a time", async () => {
    using service = rawService((socket, number) => void socket.write(ok(String(number))));
    await post(client, service.url);
    await post(client, service.url.replace("graphql", "other?x=1"));
    expect(service.accepted).toBe(1);
    expect(service.requests[1]).toStartWith("POST /other?x=1 HTTP/1.1\r\n");
    await Promise.all([1, 2, 3].map(() => post(client, service.url)));
    expect(service.accepted).toBe(3);
  });

  for (const [what, answer] of [
    ["the service says that it closes", ok("a", "Connection: foo, Close\r\n")],
    ["the service speaks HTTP/1.0", ok("a").replace("1.1", "1.0")],
    ["the service keeps connections for a second only", ok("a", "keep-alive: timeout=1\r\n")],
    ["bytes come behind the answer", `${ok("a")}${ok("of nobody")}`],
    [
      "bytes come behind the last chunk",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP/1.1",
    ],
  ] as const) {
    test(`is not used again when ${what}`, async () => {
      using service = rawService((socket) => void socket.write(answer));
      expect(await said(post(client, service.url))).toBe("a");
      expect(await said(post(client, service.url))).toBe("a");
      expect(service.accepted).toBe(2);
      await until(() => service.open === 0);
    });
  }

  test("on which bytes come that nobody asked for is dropped", async () => {
    using service = rawService((socket, number) => {
      socket.write(ok(String(number)));
      if (number === 1) setTimeout(() => socket.write(ok("of nobody")), 5);
    });
    expect(await said(post(client, service.url))).toBe("1");
    await until(() => service.open === 0);
    expect(await said(post(client, service.url))).toBe("2");
  });

  test("that the service closed while nobody used it is not missed", async () => {
    using service = rawService((socket, number) => {
      socket.write(ok(String(number)));
      if (number === 1) socket.end();
    });
    expect(await said(post(client, service.url, { isRepeatable: false }))).toBe("1");
    // The client hears of it in a turn of its own.
    await Bun.sleep(20);
    expect(await said(post(client, service.url, { isRepeatable: false }))).toBe("2");
  });

  test("that nobody uses is closed a second before the service would", async () => {
    using service = rawService((socket) => void socket.write(ok("a", "keep-alive: timeout=2, max=9\r\n")));
    await post(client, service.url);
    expect(service.open).toBe(1);
    await until(() => service.open === 0);
  });
});

describe("a call whose kept connection is closed instead of an answer", () => {
  const closing = (bytes = "") =>
    rawService((socket, number) => {
      if (number !== 2) socket.write(ok(String(number)));
      else if (bytes) socket.end(bytes);
      else socket.terminate();
    });

  test("is made once more where it may be", async () => {
    using service = closing();
    await post(client, service.url);
    expect(await said(post(client, service.url))).toBe("3");
  });

  test("is not made again where it may change something", async () => {
    using service = closing();
    await post(client, service.url);
    expect(await said(post(client, service.url, { isRepeatable: false }))).toBe(BROKEN);
    expect(service.requests).toHaveLength(2);
  });

  test("is not made again once some of the answer came", async () => {
    using service = closing("HTTP/1.1 ");
    await post(client, service.url);
    expect(await said(post(client, service.url))).toBe(BROKEN);
    expect(service.requests).toHaveLength(2);
  });

  test("is made no third time, and not twice on new connections", async () => {
    using service = rawService((socket, number) => {
      if (number === 1) socket.write(ok("1"));
      else socket.terminate();
    });
    await post(client, service.url);
    expect(await said(post(client, service.url))).toBe(BROKEN);
    expect(service.requests).toHaveLength(3);
    expect(await said(post(client, service.url))).toBe(BROKEN);
    expect(service.requests).toHaveLength(4);
  });
});

describe("a call ends in time", () => {
  const silent: [what: string, begin: (write: (bytes: string) => unknown) => unknown][] = [
    ["says nothing", () => {}],
    ["stops in the head", (write) => write("HTTP/1.1 200 OK\r\n")],
    ["stops in the body", (write) => write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel")],
    [
      "sends forever",
      (write) => {
        write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        const timer = setInterval(() => Number(write("1\r\nx\r\n")) < 0 && clearInterval(timer), 5);
      },
    ],
  ];
  for (const [what, begin] of silent) {
    test(`when the service ${what}, and its connection is closed`, async () => {
      using service = rawService((socket) => void begin((bytes) => socket.write(bytes)));
      const start = performance.now();
      expect(await said(post(client, service.url, { deadlineMs: 60 }))).toBe(OUT_OF_TIME);
      expect(performance.now() - start).toBeGreaterThanOrEqual(60);
      await until(() => service.open === 0);
    });
  }

  test("when a service does not shake hands", async () => {
    using service = rawService(() => {});
    const secure = service.url.replace("http:", "https:");
    expect(await said(post(client, secure, { deadlineMs: 60 }))).toBe(OUT_OF_TIME);
    await until(() => service.accepted === 1 && service.open === 0);
  });

  test("when its caller gives up, before it is made or in the middle", async () => {
    using service = rawService(() => {});
    expect(await said(post(client, service.url, { signal: AbortSignal.abort() }))).toBe(OUT_OF_TIME);
    expect(service.accepted).toBe(0);
    const caller = new AbortController();
    const answer = said(post(client, service.url, { signal: caller.signal }));
    await until(() => service.requests.length === 1);
    caller.abort();
    expect(await answer).toBe(OUT_OF_TIME);
    await until(() => service.open === 0);
  });
});

test("calls beyond 256 connections wait for their turn, and beyond 1,024 more are refused", async () => {
  await using own = new HttpClient();
  const held: (() => void)[] = [];
  let isHeld = true;
  using service = rawService((socket) => {
    const answer = () => socket.write(ok("a"));
    if (isHeld) held.push(answer);
    else answer();
  });
  const late = Array.from({ length: 256 + 1_024 }, () => said(post(own, service.url)));
  expect(await said(post(own, service.url))).toBe(
    "SERVICE_OVERLOADED: 1024 calls to the service are waiting.",
  );
  await until(() => held.length === 256);
  isHeld = false;
  for (const answer of held) answer();
  expect(new Set(await Promise.all(late))).toEqual(new Set(["a"]));
  expect(service.accepted).toBe(256);
});

test("closing the client ends its calls and connections, and no further ones are made", async () => {
  const own = new HttpClient();
  using service = rawService((socket, number) => void (number === 1 && socket.write(ok("a"))));
  await post(own, service.url);
  const answers = [1, 2].map(() => said(post(own, service.url)));
  await until(() => service.requests.length === 3);
  const connecting = said(post(own, service.url));
  await own[Symbol.asyncDispose]();
  const stopping = "SERVICE_UNAVAILABLE: The service could not be reached: bobbin is stopping.";
  expect(await Promise.all([...answers, connecting])).toEqual([stopping, stopping, stopping]);
  expect(await said(post(own, service.url))).toBe(stopping);
  await until(() => service.open === 0);
});

test("a large request arrives whole where the service reads slowly", async () => {
  const hash = (bytes: Uint8Array | string) => Bun.hash(bytes).toString();
  await using service = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const pieces: Uint8Array[] = [];
      for await (const piece of request.body as ReadableStream<Uint8Array>) {
        if (pieces.push(piece) < 10) await Bun.sleep(5);
      }
      return new Response(hash(Buffer.concat(pieces)));
    },
    maxRequestBodySize: 100_000_000,
  });
  for (const body of ["é".repeat(10_000_000), "0123456789".repeat(2_000_000)]) {
    expect(await said(post(client, service.url.href, { body }))).toBe(hash(body));
  }
});

test("an answer that comes before the request is sent is taken, and the connection given up", async () => {
  using service = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.pause();
        socket.write(ok("too large").replace("200 OK", "413 Too Large"));
      },
      data() {},
    },
  });
  const url = `http://127.0.0.1:${service.port}/`;
  const { status } = await post(client, url, { body: "x".repeat(30_000_000) });
  expect(status).toBe(413);
  expect((await post(client, url, { body: "x".repeat(30_000_000) })).status).toBe(413);
});

test("ordinary servers answer many calls at once, each its own", async () => {
  const echo = async (request: Request) => new Response(await request.text());
  await using bun = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: echo });
  const node = createServer((request, response) => void request.pipe(response));
  await new Promise<void>((listening) => node.listen(0, "127.0.0.1", listening));
  const nodeUrl = `http://127.0.0.1:${(node.address() as AddressInfo).port}/`;
  for (const target of [targetOf(bun.url.href), targetOf(nodeUrl)]) {
    const bodies = Array.from({ length: 400 }, (_, i) => `${i}:${"ü".repeat(i * 7)}`);
    const answers = await Promise.all(bodies.map((body) => said(post(client, target, { body }))));
    expect(answers).toEqual(bodies);
  }
  node.closeAllConnections();
  node.close();
});
