/** Bodies that the doors do not take, and causes that never leave. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { rawRequest } from "../support/wire.ts";

let folder: Awaited<ReturnType<typeof tempFolder>>;
let app: TestApp;
beforeAll(async () => {
  folder = await tempFolder();
  const source = pluginSource("leaky", "leaky", "").replace(
    '=> ""',
    "=> { throw new Error(`password is hunter2`); }",
  );
  await writeFiles(folder.path, { "plugins/leaky.ts": source });
  app = await startApp({ folder: folder.path, config: { bodyLimitBytes: 100_000 } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const URL_GIVEN = "http://127.0.0.1:9/graphql";

describe("a body over the limit is 413", () => {
  test("by the length that it declares, before it is sent", async () => {
    for (const [url, path] of [
      [app.urls.registry, "/register"],
      [app.urls.core, "/graphql"],
      [app.urls.gateway, "/graphql"],
      [app.urls.gateway, "/gateway/reload"],
    ]) {
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100001\r\n\r\n`;
      const answer = await rawRequest(url!, head, (text) => text.includes("BODY_TOO_LARGE"));
      expect([path, answer.split("\r\n")[0]]).toEqual([path, "HTTP/1.1 413 Payload Too Large"]);
    }
  });

  test("in chunks, as soon as it is too long", async () => {
    const chunk = "x".repeat(10_000);
    const chunks = `${(10_000).toString(16)}\r\n${chunk}\r\n`.repeat(11);
    for (const [url, path] of [
      [app.urls.registry, "/register"],
      [app.urls.gateway, "/graphql"],
    ]) {
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const answer = await rawRequest(url!, head + chunks, (text) => text.includes("BODY_TOO_LARGE"));
      expect([path, answer.split("\r\n")[0]]).toEqual([path, "HTTP/1.1 413 Payload Too Large"]);
    }
  });

  test("and one in chunks within the limit is read to the byte", async () => {
    const description = "é".repeat(20_000).slice(0, 2_000);
    const body = Buffer.from(JSON.stringify({ serviceName: "chunked", url: URL_GIVEN, description }));
    const stream = new ReadableStream({
      start(controller) {
        // Cuts within characters of two bytes.
        for (let at = 0; at < body.length; at += 333) controller.enqueue(body.subarray(at, at + 333));
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${app.urls.registry}/register`, { method: "POST", headers, body: stream });
    expect(await response.json()).toMatchObject({ description });
  });
});

test("what went wrong inside is never sent: the code is INTERNAL and the cause stays in the log", async () => {
  for (const url of [app.urls.gateway, `${app.urls.gateway}/plugins/leaky/graphql`]) {
    const { data, errors } = await graphql(url, "{ leaky }");
    expect(data).toEqual({ leaky: null });
    expect(errors).toMatchObject([
      { message: "Unexpected error.", path: ["leaky"], extensions: { code: "INTERNAL" } },
    ]);
    expect(JSON.stringify(errors)).not.toContain("hunter2");
  }
});

test("requests that are not GraphQL get a code on both doors", async () => {
  const cases: [body: string, type: string, code: string][] = [
    ["{", "application/json", "INVALID_JSON"],
    ["", "application/json", "INVALID_JSON"],
    ["{}", "application/json", "GRAPHQL_REQUEST_INVALID"],
    ["[]", "application/json", "GRAPHQL_REQUEST_INVALID"],
    [
      '{"query":"query A { __typename } query B { __typename }"}',
      "application/json",
      "GRAPHQL_REQUEST_INVALID",
    ],
    ['{"query":"{ __typename }","operationName":"B"}', "application/json", "GRAPHQL_REQUEST_INVALID"],
    [
      '{"query":"query($n: String!) { getService(name: $n) { id } }","variables":{"n":1}}',
      "application/json",
      "INVALID_INPUT",
    ],
    ["<query/>", "application/xml", "UNSUPPORTED_MEDIA_TYPE"],
    ["query={a}&variables={", "application/x-www-form-urlencoded", "INVALID_JSON"],
    ["nothing", "multipart/form-data; boundary=x", "GRAPHQL_REQUEST_INVALID"],
  ];
  for (const door of ["core", "gateway"] as const) {
    for (const [body, type, code] of cases) {
      const { body: answer } = await post(`${app.urls[door]}/graphql`, body, {
        "content-type": type,
        "graphql-require-preflight": "1",
      });
      expect({ door, body, code: answer.errors?.[0]?.extensions?.code }).toEqual({ door, body, code });
      expect(JSON.stringify(answer)).not.toContain("originalError");
    }
    expect((await get(`${app.urls[door]}/nothing`)).body).toMatchObject({ status: 404, code: "NOT_FOUND" });
  }
});
