/**
 * The gateway's port as it is on the wire: questions in whatever pieces and company they come, and everything that is
 * not a plain question. Whichever way a request takes inside, its answer is the same.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { SECRET } from "../support/tokens.ts";

const LONG = "ü".repeat(3_000_000);

let app: TestApp;
let zoo: TestService;
beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0, corsOrigins: ["https://app.example.com"] } });
  zoo = await startService({
    typeDefs: `type Query { cat(name: String): Cat! long: String! } type Cat { name: String! }`,
    resolvers: {
      Query: { cat: (_: unknown, { name = "Tom" }: { name?: string }) => ({ name }), long: () => LONG },
    },
  });
  const { status } = await fetch(`${app.urls.registry}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      serviceName: "zoo",
      url: zoo.url,
      metadata: { endpoints: { graphql: "/graphql" }, gateway: { headers: ["x-user"] } },
    }),
  });
  expect(status).toBe(201);
  await until(
    () => graphql(app.urls.gateway, "{ cat { name } }"),
    ({ errors }) => !errors,
  );
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await zoo[Symbol.asyncDispose]();
});

interface WireAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A connection that takes answers apart by itself, as strictly as HTTP has them. */
class Wire implements AsyncDisposable {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), "127.0.0.1");
    this.#socket.on("data", (piece: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, piece]);
      this.#change();
    });
    this.#socket.on("close", () => {
      this.#isOver = true;
      this.#change();
    });
    this.#socket.on("error", () => {});
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  get socket(): Socket {
    return this.#socket;
  }

  async send(...pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => this.#socket.write(Buffer.from(piece as string), () => resolve()));
      if (pieces.length > 1) await Bun.sleep(2);
    }
  }

  /** The next answer; undefined where the connection ends before it. */
  async answer(): Promise<WireAnswer | undefined> {
    const end = await this.#find("\r\n\r\n");
    if (end === undefined) return undefined;
    const [first = "", ...lines] = this.#take(end + 4)
      .toString("latin1")
      .trim()
      .split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 2),
      ]),
    );
    const body = await this.#body(headers);
    return { status: Number(first.split(" ")[1]), headers, body: body.toString("utf8") };
  }

  async #body(headers: Record<string, string>): Promise<Buffer> {
    if (headers["transfer-encoding"] !== "chunked")
      return this.#bytesOf(Number(headers["content-length"] ?? 0));
    const chunks: Buffer[] = [];
    for (;;) {
      const line = this.#take(((await this.#find("\r\n")) ?? 0) + 2).toString("latin1");
      const chunk = await this.#bytesOf(Number.parseInt(line, 16));
      expect((await this.#bytesOf(2)).toString()).toBe("\r\n");
      if (chunk.length === 0) return Buffer.concat(chunks);
      chunks.push(chunk);
    }
  }

  async #bytesOf(length: number): Promise<Buffer> {
    while (this.#bytes.length < length && !this.#isOver) await this.#changed.promise;
    return this.#take(length);
  }

  async #find(text: string): Promise<number | undefined> {
    for (;;) {
      const at = this.#bytes.indexOf(text);
      if (at >= 0) return at;
      if (this.#isOver) return undefined;
      await this.#changed.promise;
    }
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

const QUERY = "query ($name: String) { cat(name: $name) { name } }";
const bodyFor = (name: string) => JSON.stringify({ query: QUERY, variables: { name } });

/** A question on the wire; `lines`: headers besides. */
function plain(name: string, lines: readonly string[] = []): string {
  const body = bodyFor(name);
  const head = [
    "POST /graphql HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...lines,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

const dataFor = (name: string) => JSON.stringify({ data: { cat: { name } } });

async function once(request: string): Promise<WireAnswer | undefined> {
  await using wire = new Wire(app.urls.gateway);
  await wire.send(request);
  return await wire.answer();
}

/** The bytes of a text in pieces. */
function cut(text: string, random: (below: number) => number): Buffer[] {
  const all = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    const next = at + 1 + random(random(3) === 0 ? 20 : 700);
    pieces.push(all.subarray(at, next));
    at = next;
  }
  return pieces;
}

const withoutDate = ({ date: _, ...headers }: Record<string, string>) => headers;

describe("a question", () => {
  test("may come byte by byte, in characters that are cut in two", async () => {
    await using wire = new Wire(app.urls.gateway);
    await wire.send(...[...Buffer.from(plain("Zoë"))].map((byte) => Buffer.from([byte])));
    expect(await wire.answer()).toMatchObject({ status: 200, body: dataFor("Zoë") });
  });

  test("is answered in its turn where several come at once", async () => {
    await using wire = new Wire(app.urls.gateway);
    await wire.send(plain("a") + plain("b") + plain("c").slice(0, 90));
    expect((await wire.answer())?.body).toBe(dataFor("a"));
    expect((await wire.answer())?.body).toBe(dataFor("b"));
    await wire.send(plain("c").slice(90));
    expect((await wire.answer())?.body).toBe(dataFor("c"));
  });

  test("says the same of itself whichever way it took", async () => {
    for (const lines of [[], ["Origin: https://app.example.com"], ["Origin: https://other.example.com"]]) {
      const here = await once(plain("Tom", lines));
      const behind = await once(plain("Tom", [...lines, "X-Long: ".padEnd(9_000, "x")]));
      expect(here?.headers["x-bobbin-road"]).toBe("compiled");
      expect(Object.keys(here?.headers ?? {}).sort()).toEqual(Object.keys(behind?.headers ?? {}).sort());
      expect(withoutDate(here?.headers ?? {})).toEqual(withoutDate(behind?.headers ?? {}));
      expect(here?.body).toBe(behind?.body as string);
      const said = Date.parse(here?.headers.date as string);
      expect(Math.abs(Date.now() - said)).toBeLessThan(60_000);
    }
  });

  test("takes along the headers that its service asks for, each client's own", async () => {
    for (const user of ["ada", "bob", "ada"]) {
      await once(plain("Tom", [`X-User: ${user}`]));
      expect(zoo.requests.at(-1)?.headers.get("x-user")).toBe(user);
    }
  });

  test("does not take a token of bobbin's own along, however often it comes", async () => {
    await using closed = await startApp({ config: { compileAfter: 0, jwtSecret: SECRET } });
    const { createToken } = await import("../../src/api/tokens.ts");
    const token = await createToken(SECRET, 60);
    const registered = await fetch(`${closed.urls.registry}/register`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({
        serviceName: "zoo",
        url: zoo.url,
        metadata: { endpoints: { graphql: "/graphql" }, gateway: { headers: ["authorization"] } },
      }),
    });
    expect(registered.status).toBe(201);
    const ask = (authorization: string) =>
      graphql(closed.urls.gateway, "{ cat { name } }", undefined, { authorization });
    await until(
      () => ask("Bearer a.b.c"),
      ({ errors }) => !errors,
    );
    for (let i = 0; i < 4; i++) {
      expect((await ask(`Bearer ${token}`)).data).toEqual({ cat: { name: "Tom" } });
      expect(zoo.requests.at(-1)?.headers.get("authorization")).toBeNull();
      expect((await ask("Bearer a.b.c")).data).toEqual({ cat: { name: "Tom" } });
      expect(zoo.requests.at(-1)?.headers.get("authorization")).toBe("Bearer a.b.c");
    }
  });

  test("is refused under a Host that is no loopback name, also after others were answered", async () => {
    await once(plain("Tom"));
    const refused = await once(plain("Tom").replace("Host: localhost", "Host: evil.example.com"));
    expect(refused?.status).toBe(403);
    expect(refused?.body).toContain("FORBIDDEN_HOST");
    const looping = await once(plain("Tom", ["X-Bobbin-Hops: 9"]));
    expect(looping?.status).toBe(508);
    expect(looping?.body).toContain("LOOP_DETECTED");
  });

  test("whose client hangs up before its answer leaves the door open for others", async () => {
    const asked = zoo.requests.length;
    const gate = Promise.withResolvers<void>();
    zoo.answerWith(async () => {
      zoo.requests.push({ query: "held", variables: {}, headers: new Headers() });
      await gate.promise;
      return Response.json({ data: { cat: { name: "late" } } });
    });
    const wire = new Wire(app.urls.gateway);
    await wire.send(plain("gone"));
    await until(
      () => zoo.requests.length,
      (count) => count > asked,
    );
    await wire[Symbol.asyncDispose]();
    zoo.answerWith(undefined);
    gate.resolve();
    expect((await once(plain("here")))?.body).toBe(dataFor("here"));
  });

  test("whose answer its client takes slowly is answered whole", async () => {
    await using wire = new Wire(app.urls.gateway);
    const body = JSON.stringify({ query: "{ long }" });
    const request = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (let i = 0; i < 3; i++) {
      wire.socket.pause();
      await wire.send(request + plain("next"));
      await Bun.sleep(50);
      wire.socket.resume();
      expect((await wire.answer())?.body).toBe(JSON.stringify({ data: { long: LONG } }));
      expect((await wire.answer())?.body).toBe(dataFor("next"));
    }
  });
});

describe("a request of another form", () => {
  const body = bodyFor("odd");
  const length = `Content-Length: ${body.length}`;
  const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  const answered: Record<string, string> = {
    "with its body in chunks": `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    "for the last time on its connection": `${head}\r\n${length}\r\nConnection: close\r\n\r\n${body}`,
    "of HTTP/1.0": `${head.replace("1.1", "1.0")}\r\n${length}\r\n\r\n${body}`,
    "by GET": `GET /graphql?query=${encodeURIComponent('{cat(name:"odd"){name}}')} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`,
    "with parameters in its path": `${head.replace("/graphql", "/graphql?a=1")}\r\n${length}\r\n\r\n${body}`,
    "with a header of other characters": `${head}\r\nX-Name: Zo\xeb\r\n${length}\r\n\r\n${body}`,
    "with a header of no value": `${head}\r\nX-Empty:\r\n${length}\r\n\r\n${body}`,
    "with a long head": `${head}\r\nX-Long: ${"x".repeat(9_000)}\r\n${length}\r\n\r\n${body}`,
    "behind a byte order mark": `${head}\r\nContent-Length: ${body.length + 3}\r\n\r\n\ufeff${body}`,
    "whose media type has parameters": `${head}; charset=utf-8\r\n${length}\r\n\r\n${body}`,
  };
  for (const [what, request] of Object.entries(answered)) {
    test(`is answered all the same: ${what}`, async () => {
      const answer = await once(request);
      expect(answer).toMatchObject({ status: 200, body: dataFor("odd") });
    });
  }

  const refused: Record<string, [string, number]> = {
    "two lengths": [`${head}\r\n${length}\r\nContent-Length: 3\r\n\r\n${body}`, 400],
    "a length and chunks": [`${head}\r\n${length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`, 400],
    "a length that is no number": [`${head}\r\nContent-Length: 1x\r\n\r\n${body}`, 400],
    "a name with a space before its colon": [`${head}\r\nX-A : b\r\n${length}\r\n\r\n${body}`, 400],
    "no JSON": [`${head}\r\nContent-Length: 3\r\n\r\n{"a`, 400],
    "another media type": [
      `${head.replace("application/json", "text/plain")}\r\n${length}\r\n\r\n${body}`,
      403,
    ],
    "a port that cannot be": [
      `${head.replace("localhost", "localhost:99999")}\r\n${length}\r\n\r\n${body}`,
      403,
    ],
    "a body over the limit": [`${head}\r\nContent-Length: 2000000\r\n\r\n`, 413],
  };
  for (const [what, [request, status]] of Object.entries(refused)) {
    test(`is refused with ${status}: ${what}`, async () => {
      expect((await once(request))?.status).toBe(status);
    });
  }

  test("may follow questions on their connection, and questions may follow it", async () => {
    await using wire = new Wire(app.urls.gateway);
    await wire.send(`${plain("a")}GET /gateway/live HTTP/1.1\r\nHost: localhost\r\n\r\n${plain("b")}`);
    expect((await wire.answer())?.body).toBe(dataFor("a"));
    expect((await wire.answer())?.body).toBe('{"status":"ok"}');
    expect((await wire.answer())?.body).toBe(dataFor("b"));
    await wire.send(plain("c"));
    expect((await wire.answer())?.body).toBe(dataFor("c"));
  });

  test("and questions are answered in their order, however they are cut into pieces", async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    for (let round = 0; round < 40; round++) {
      await using wire = new Wire(app.urls.gateway);
      const names = Array.from({ length: 1 + random(6) }, (_, i) => `${"né".repeat(random(40))}${i}`);
      const forms = names.map((name) => [
        plain(name),
        plain(name, [`X-Trace: ${random(9)}`]),
        plain(name, ["Connection: keep-alive", "Accept: application/json"]),
        `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(bodyFor(name)).toString(16)}\r\n${bodyFor(name)}\r\n0\r\n\r\n`,
      ]);
      // Bun's server, which has the connection from the first body in chunks on, takes one request at a time.
      const chunked = random(2) === 0 ? Number.POSITIVE_INFINITY : random(names.length);
      const requests = forms.map((form, i) => form[i === chunked ? 3 : random(3)] as string);
      const atOnce = requests.slice(0, Math.min(chunked + 1, names.length));
      const sent = wire.send(...cut(atOnce.join(""), random));
      for (const [i, name] of names.entries()) {
        if (i > chunked) await wire.send(...cut(requests[i] as string, random));
        expect((await wire.answer())?.body).toBe(dataFor(name));
      }
      await sent;
    }
  });
});
