/** What a service's bytes become: an answer, or a refusal that says what is wrong with them. */
import { afterAll, describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { HttpClient } from "../../src/gateway/remote/http/http-client.ts";
import { ok, post, rawService, said } from "./remote-http.ts";

const client = new HttpClient();
afterAll(() => client[Symbol.asyncDispose]());

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const HEAD = "HTTP/1.1 200 OK\r\n";
const NOT_HTTP = "INVALID_SERVICE_RESPONSE: The service's answer is not HTTP: ";
const UNCLEAR = `${NOT_HTTP}it is not clear where it ends.`;
const MALFORMED = `${NOT_HTTP}its head is malformed or has more than 256 headers.`;
const BAD_CHUNKS = `${NOT_HTTP}its chunks are malformed.`;
const TOO_LARGE = "INVALID_SERVICE_RESPONSE: The service's answer is larger than 1000 bytes.";
const BROKEN =
  "SERVICE_UNAVAILABLE: The service could not be reached: connection closed before the answer was complete.";

type Case = [what: string, bytes: string | Buffer, said: string, ends?: "closes"];

const understood: Case[] = [
  ["a length", ok("hello"), "hello"],
  ["a length of nothing", ok(""), ""],
  ["chunks", `${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, "hello!"],
  [
    "chunks with extensions and trailers",
    `${CHUNKED}5;a=b;c\r\nhello\r\n0;x\r\nT: 1\r\nU: 2\r\n\r\n`,
    "hello",
  ],
  ["chunk sizes with zeros, capitals and blanks", `${CHUNKED}000A \r\n0123456789\r\n0\r\n\r\n`, "0123456789"],
  ["chunks that hold line ends", `${CHUNKED}6\r\n\r\n0\r\n\r\r\n0\r\n\r\n`, "\r\n0\r\n\r"],
  ["a body that ends with the connection", `${HEAD}\r\nuntil the end`, "until the end", "closes"],
  ["an empty body that ends with the connection", `${HEAD}\r\n`, "", "closes"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "closes"],
  [
    "heads that announce the answer",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n${ok("hi")}`,
    "hi",
  ],
  ["no content", "HTTP/1.1 204 No Content\r\n\r\n", ""],
  [
    "not modified, with the length that it would have",
    "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
    "",
  ],
  [
    "a redirect, which is not followed",
    "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 2\r\n\r\nno",
    "no",
  ],
  ["no reason and no blank behind the status", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi", "hi"],
  ["names in any case and values between blanks", `${HEAD}CONTENT-LENGTH:\t 2 \r\n\r\nhi`, "hi"],
];

const refused: Case[] = [
  ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", MALFORMED],
  ["HTTP/2", "HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n", MALFORMED],
  ["a status of two digits", "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n", MALFORMED],
  ["a header that goes on in the next line", `${HEAD}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`, MALFORMED],
  ["a blank before the colon", `${HEAD}content-length : 0\r\n\r\n`, MALFORMED],
  ["a lone line feed", `${HEAD}a: b\ncontent-length: 5\r\ncontent-length: 0\r\n\r\n`, MALFORMED],
  ["a lone carriage return", `${HEAD}a: b\rc\r\ncontent-length: 0\r\n\r\n`, MALFORMED],
  ["a zero byte", `${HEAD}a: \0\r\ncontent-length: 0\r\n\r\n`, MALFORMED],
  ["a line without a colon", `${HEAD}hello\r\ncontent-length: 0\r\n\r\n`, MALFORMED],
  ["257 headers", `${HEAD}${"a: b\r\n".repeat(257)}\r\n`, MALFORMED],
  [
    "a head without end",
    `${HEAD}a: ${"b".repeat(70_000)}`,
    `${NOT_HTTP}its head is longer than 65536 bytes.`,
  ],
  [
    "announcements without end",
    "HTTP/1.1 100 Continue\r\n\r\n".repeat(3_000),
    `${NOT_HTTP}its head is longer than 65536 bytes.`,
  ],
  ["another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", `${NOT_HTTP}it changes the protocol.`],
  ["two lengths", `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\nhi!`, UNCLEAR],
  ["two lengths in one", `${HEAD}content-length: 2, 3\r\n\r\nhi!`, UNCLEAR],
  ["a negative length", `${HEAD}content-length: -1\r\n\r\n`, UNCLEAR],
  ["a length with a sign", `${HEAD}content-length: +2\r\n\r\nhi`, UNCLEAR],
  ["a hexadecimal length", `${HEAD}content-length: 0x2\r\n\r\nhi`, UNCLEAR],
  ["an empty length", `${HEAD}content-length:\r\n\r\nhi`, UNCLEAR],
  ["a length and chunks", `${HEAD}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, UNCLEAR],
  [
    "chunks twice",
    `${HEAD}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    UNCLEAR,
  ],
  ["another transfer encoding", `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, UNCLEAR],
  ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", UNCLEAR],
  ["a chunk size that is no number", `${CHUNKED}xyz\r\n`, BAD_CHUNKS],
  ["a negative chunk size", `${CHUNKED}-1\r\n`, BAD_CHUNKS],
  ["an empty chunk size", `${CHUNKED}\r\nhello`, BAD_CHUNKS],
  ["a chunk that is longer than it says", `${CHUNKED}2\r\nhello\r\n0\r\n\r\n`, BAD_CHUNKS],
  ["a chunk size with a lone line feed", `${CHUNKED}2\nhi\r\n0\r\n\r\n`, BAD_CHUNKS],
  [
    "a chunk extension without end",
    `${CHUNKED}2;${"a".repeat(5_000)}`,
    `${NOT_HTTP}a line between its chunks is too long.`,
  ],
  [
    "trailers without end",
    `${CHUNKED}0\r\n${"a: b\r\n".repeat(100)}`,
    `${NOT_HTTP}it has too many trailers.`,
  ],
  ["a length over the limit", `${HEAD}content-length: 1001\r\n\r\n`, TOO_LARGE],
  ["a chunk over the limit", `${CHUNKED}3e9\r\n`, TOO_LARGE],
  ["a chunk of four gigabytes", `${CHUNKED}ffffffff\r\n`, TOO_LARGE],
  [
    "chunks that add up to more than the limit",
    `${CHUNKED}${`64\r\n${"x".repeat(100)}\r\n`.repeat(11)}`,
    TOO_LARGE,
  ],
  ["a body over the limit that ends with the connection", `${HEAD}\r\n${"x".repeat(1_001)}`, TOO_LARGE],
  ["nothing", "", BROKEN, "closes"],
  ["half a head", `${HEAD}content-le`, BROKEN, "closes"],
  ["half a body", `${HEAD}content-length: 5\r\n\r\nhel`, BROKEN, "closes"],
  ["half a chunk", `${CHUNKED}5\r\nhel`, BROKEN, "closes"],
  ["chunks without the last one", `${CHUNKED}5\r\nhello\r\n`, BROKEN, "closes"],
];

for (const [group, cases] of Object.entries({ understood, refused })) {
  describe(group, () => {
    for (const [what, bytes, expected, ends] of cases) {
      test(`${what}, in one piece or in many`, async () => {
        // A head of 64 KiB byte by byte would only test patience.
        const sizes = bytes.length > 10_000 ? [bytes.length, 4_000] : [Math.max(bytes.length, 1), 1, 7];
        for (const size of sizes) {
          using service = rawService(async (socket) => {
            for (let at = 0; at < bytes.length; at += size) {
              if (socket.write(Buffer.from(bytes).subarray(at, at + size)) < 0) return;
              // In a turn of its own, or the system puts the pieces together again.
              if (at % 16 < size) await new Promise(setImmediate);
            }
            if (ends) socket.end();
          });
          expect(await said(post(client, service.url, { maxBytes: 1_000 }))).toBe(expected);
        }
      });
    }
  });
}

test("status, media type and door of an answer are told", async () => {
  const headers = "Content-Type: application/json; charset=utf-8\r\nX-Bobbin-Door: gateway\r\nDate: now\r\n";
  using service = rawService((socket) => void socket.write(ok("{}", headers).replace("200 OK", "418 Tea")));
  expect(await post(client, service.url)).toMatchObject({
    status: 418,
    contentType: "application/json; charset=utf-8",
    door: "gateway",
  });
});

test("an answer's bytes stay as they are while others come", async () => {
  const letters = (number: number) => "abcdefgh"[number % 8] as string;
  using service = rawService((socket, number) => {
    socket.write(ok(letters(number).repeat(number % 3 === 0 ? 50_000 : number * 20)));
  });
  const answers = [];
  for (let i = 0; i < 8; i++) {
    answers.push(...(await Promise.all(Array.from({ length: 25 }, () => post(client, service.url)))));
  }
  expect(answers).toHaveLength(200);
  for (const { body } of answers) expect(body.toString()).toMatch(/^(.)\1*$/);
});

test("a head that was read before is read again for its answer only, and another one for itself", async () => {
  const lines = (number: number) => (number % 2 ? "content-type: a/b\r\n" : "content-type: a/c\r\n");
  using service = rawService((socket, number) => {
    const isOther = number > 600;
    const head = `${HEAD}${lines(number)}x-number: ${isOther ? 0 : number % 300}\r\ncontent-length: `;
    socket.write(isOther ? `${head}2\r\n\r\nno` : `${head}3\r\n\r\n${String(number).padStart(3, "0")}`);
  });
  for (let number = 1; number <= 604; number++) {
    const { contentType, body } = await post(client, service.url);
    expect(contentType).toBe(number % 2 ? "a/b" : "a/c");
    expect(body.toString()).toBe(number > 600 ? "no" : String(number).padStart(3, "0"));
  }
});

describe("a body that is packed although nobody asked", () => {
  const text = "packed ".repeat(50);
  const packed: [encoding: string, bytes: Buffer, said: string][] = [
    ["identity", Buffer.from(text), text],
    ["gzip", gzipSync(text), text],
    ["GZIP", gzipSync(text), text],
    ["br", brotliCompressSync(text), text],
    ["deflate", deflateSync(text), text],
    ["gzip", gzipSync(Buffer.alloc(500_000)), TOO_LARGE],
    ["gzip", Buffer.from(text), "INVALID_SERVICE_RESPONSE: The service's answer cannot be unpacked."],
    [
      "gzip, br",
      gzipSync(text),
      "INVALID_SERVICE_RESPONSE: The service's answer is encoded in a way that it was not asked for.",
    ],
  ];
  for (const [i, [encoding, bytes, expected]] of packed.entries()) {
    test(`as ${encoding} (${i + 1}) is unpacked within the limit, or refused`, async () => {
      using service = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: () => new Response(new Uint8Array(bytes), { headers: { "content-encoding": encoding } }),
      });
      const answer = post(client, service.url.href, { maxBytes: expected === TOO_LARGE ? 1_000 : 100_000 });
      expect((await said(answer)).replace("100000", "1000")).toBe(expected);
    });
  }
});
