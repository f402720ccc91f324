/** What a registration or an update may say: the limits of every field, and settings that cannot be. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const URL_GIVEN = "http://127.0.0.1:9/graphql";

describe("a registration", () => {
  const long = (length: number) => "x".repeat(length);
  /** Field → values that are refused, and the field that the message names where it is another. */
  const REFUSED: [field: string, value: unknown, names?: string][] = [
    ...[
      "",
      "no url",
      "/path",
      "host:80",
      "ftp://h/",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "http://",
      "http://user:pw@h/",
      " http://h/",
      `http://h/${long(2_000)}`,
    ].map((url): [string, unknown] => ["url", url]),
    ["displayName", long(2_001)],
    ["description", long(2_001)],
    ["version", long(2_001)],
    ["tags", Array(101).fill("t")],
    ["tags", [long(256)]],
    ["dependencies", Array(101).fill("d")],
    ["metadata", { large: long(65_536) }],
    ["metadata", [], "metadata"],
    ["ttl", 0],
    ["ttl", -1],
    ["ttl", 86_401],
    ["metadata", { endpoints: { graphql: "http://" } }, "metadata.endpoints.graphql"],
    ["metadata", { endpoints: { graphql: "file:///x" } }, "metadata.endpoints.graphql"],
    ["metadata", { endpoints: { health: "javascript:1" } }, "metadata.endpoints.health"],
    ["metadata", { gateway: { namespace: "1st" } }, "metadata.gateway.namespace"],
    ["metadata", { gateway: { namespace: "__x" } }, "metadata.gateway.namespace"],
    ["metadata", { gateway: { namespace: 7 } }, "metadata.gateway.namespace"],
    ["metadata", { gateway: { headers: "cookie" } }, "metadata.gateway.headers"],
    ["metadata", { gateway: { headers: ["a b"] } }, "metadata.gateway.headers"],
    ["metadata", { gateway: { headers: Array(51).fill("a") } }, "metadata.gateway.headers"],
    ["metadata", { healthCheck: { interval: 0 } }, "metadata.healthCheck.interval"],
    ["metadata", { healthCheck: { interval: "10" } }, "metadata.healthCheck.interval"],
    ["metadata", { healthCheck: { timeout: 61 } }, "metadata.healthCheck.timeout"],
    ["metadata", { healthCheck: { failureThreshold: 0 } }, "metadata.healthCheck.failureThreshold"],
    ["metadata", { healthCheck: { successThreshold: -1 } }, "metadata.healthCheck.successThreshold"],
  ];

  test.each(REFUSED)(
    "with %s %j is refused over both doors, and nothing is kept",
    async (field, value, names = field) => {
      const rest = await post(`${app.urls.registry}/register`, {
        serviceName: "refused",
        url: URL_GIVEN,
        [field]: value,
      });
      expect(rest.body).toMatchObject({ status: 422, code: "INVALID_INPUT" });
      expect(rest.body.detail).toStartWith(names);
      const { errors, data } = await graphql(
        app.urls.core,
        "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { id } }",
        { input: { name: "refused", url: URL_GIVEN, [field]: value } },
      );
      expect(data).toEqual({ registerService: null });
      expect(errors?.[0]?.extensions?.code).toBe("INVALID_INPUT");
      expect(errors?.[0]?.message).toStartWith(names);
      expect((await get(`${app.urls.registry}/services/refused`)).status).toBe(404);
    },
  );

  test("with values at the limits is taken", async () => {
    const { status } = await post(`${app.urls.registry}/register`, {
      serviceName: "limits",
      url: `http://h/${long(1_991)}`,
      displayName: long(2_000),
      tags: Array(100).fill(long(255)),
      ttl: 86_400,
      metadata: {
        gateway: { namespace: "Thief", headers: ["X-Tenant"] },
        healthCheck: { interval: 0.1 },
        endpoints: 7,
      },
    });
    expect(status).toBe(201);
  });

  test("of the wrong types is refused with the field and what it has to be", async () => {
    const wrong = {
      serviceName: 1,
      url: null,
      tags: "a",
      metadata: "b",
      isRequired: "yes",
      ttl: "10",
      dependencies: [1],
    };
    for (const [field, value] of Object.entries(wrong)) {
      const { body } = await post(`${app.urls.registry}/register`, {
        serviceName: "refused",
        url: URL_GIVEN,
        [field]: value,
      });
      expect(body).toMatchObject({
        status: 422,
        code: "INVALID_INPUT",
        detail: expect.stringMatching(new RegExp(`^${field}.*: Expected`)),
      });
    }
    for (const body of ["[]", "null", '"text"', "1"]) {
      expect((await post(`${app.urls.registry}/register`, body)).body.code).toBe("INVALID_INPUT");
    }
    for (const body of ["", "{", "{'a':1}"]) {
      expect((await post(`${app.urls.registry}/register`, body)).body.code).toBe("INVALID_JSON");
    }
  });
});

test("an update is held to the same limits", async () => {
  await post(`${app.urls.registry}/register`, { serviceName: "updated", url: URL_GIVEN, version: "1" });
  for (const input of [
    { url: "ftp://h" },
    { displayName: "x".repeat(2_001) },
    { metadata: [1] },
    { metadata: { gateway: { namespace: "?" } } },
  ]) {
    const { errors } = await graphql(
      app.urls.core,
      'mutation ($input: UpdateServiceInput!) { updateService(name: "updated", input: $input) { id } }',
      { input: { version: "2", ...input } },
    );
    expect(errors?.[0]?.extensions?.code).toBe("INVALID_INPUT");
  }
  expect((await get(`${app.urls.registry}/services/updated`)).body.version).toBe("1");
});
