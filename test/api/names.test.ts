/** Which names there may be, and whose they are: over every write of both doors. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";

let folder: Awaited<ReturnType<typeof tempFolder>>;
let app: TestApp;
beforeAll(async () => {
  folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/hello.ts": pluginSource("hello", "hello", "world") });
  app = await startApp({ folder: folder.path });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const URL_GIVEN = "http://127.0.0.1:9/graphql";

async function mutate(field: string): Promise<string> {
  const { data, errors } = await graphql(app.urls.core, `mutation { it: ${field} { name } }`);
  if (errors) expect(data.it).toBeNull();
  return errors ? String(errors[0]?.extensions?.code) : "done";
}
async function send(path: string, body: object): Promise<string> {
  const { status, body: answer } = await post(`${app.urls.registry}${path}`, body);
  return status < 300 ? "done" : `${status} ${answer.code}`;
}
const named = (name: string) => JSON.stringify(name);

describe("a name", () => {
  const GOOD = ["a", "0", "a.b", "a-b", "a_b", "payment-service", "x".repeat(64)];
  const BAD = [
    "",
    "A",
    "Ab",
    "-a",
    "a-",
    ".a",
    "_a",
    "a_",
    "@scope/name",
    "a b",
    "a/b",
    "ä",
    "a\n",
    "x".repeat(65),
  ];

  test("of lower case letters, digits, dot, hyphen and underscore is taken over both doors", async () => {
    for (const name of GOOD) {
      expect([name, await send("/register", { serviceName: name, url: URL_GIVEN })]).toEqual([name, "done"]);
      expect([
        name,
        await mutate(`registerService(input: { name: ${named(name)}, url: "${URL_GIVEN}" })`),
      ]).toEqual([name, "done"]);
    }
  });

  test("of any other form is refused over both doors, with the rule in the message", async () => {
    for (const name of BAD) {
      const { body } = await post(`${app.urls.registry}/register`, { serviceName: name, url: URL_GIVEN });
      expect([name, body.code]).toEqual([name, "INVALID_INPUT"]);
      expect(body.detail).toContain("^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$");
      const { errors } = await graphql(
        app.urls.core,
        `mutation { registerService(input: { name: ${named(name)}, url: "${URL_GIVEN}" }) { id } }`,
      );
      expect([name, errors?.[0]?.extensions?.code]).toEqual([name, "INVALID_INPUT"]);
      expect(errors?.[0]?.message).toBe(body.detail);
    }
  });
});

describe.each(["core", "hello"])("the name %s", (name) => {
  test("cannot be registered, updated, renewed or removed through a door", async () => {
    const before = (await get(`${app.urls.registry}/services/${name}`)).body;
    const rest: [string, object][] = [
      ["/register", { serviceName: name, url: URL_GIVEN }],
      ["/register", { serviceName: name, url: "http://127.0.0.1:8", version: "9" }],
      ["/unregister", { serviceName: name }],
      ["/unregister", { serviceName: name, url: before.url }],
      ["/heartbeat", { serviceName: name, url: before.url }],
    ];
    for (const [path, body] of rest) {
      expect([path, await send(path, body)]).toEqual([path, "409 NAME_TAKEN"]);
    }
    const mutations = [
      `registerService(input: { name: "${name}", url: "${URL_GIVEN}" })`,
      `unregisterService(name: "${name}")`,
      ...[
        `url: "${URL_GIVEN}"`,
        'version: "9"',
        'displayName: "X"',
        "metadata: {}",
        "isRequired: true",
        'tags: ["t"]',
      ]
        .flatMap((field) => [field, `${field}, status: MAINTENANCE`])
        .map((fields) => `updateService(name: "${name}", input: { ${fields} })`),
    ];
    for (const field of mutations) expect([field, await mutate(field)]).toEqual([field, "NAME_TAKEN"]);
    expect((await get(`${app.urls.registry}/services/${name}`)).body).toEqual({
      ...before,
      lastHealthCheck: expect.anything(),
      instances: expect.anything(),
    });
  });

  test("may be set to maintenance, and back", async () => {
    const statusOf = async () => (await get(`${app.urls.registry}/services/${name}`)).body.status;
    expect(await mutate(`updateService(name: "${name}", input: { status: MAINTENANCE })`)).toBe("done");
    expect(await statusOf()).toBe("MAINTENANCE");
    expect(await mutate(`updateService(name: "${name}", input: { status: ACTIVE })`)).toBe("done");
    expect(await statusOf()).toBe("ACTIVE");
  });
});

test("a plugin whose name a remote service holds is refused, and the service stays", async () => {
  await using other = await tempFolder();
  {
    await using first = await startApp({ folder: other.path });
    await post(`${first.urls.registry}/register`, { serviceName: "held", url: "http://127.0.0.1:9" });
  }
  await writeFiles(other.path, { "plugins/held.ts": pluginSource("held", "held", "mine") });
  await using second = await startApp({ folder: other.path });
  expect((await get(`${second.urls.registry}/services/held`)).body).toMatchObject({
    source: "REMOTE",
    url: "http://127.0.0.1:9",
  });
  const { errors } = await graphql(second.urls.gateway, "{ held }");
  expect(errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
});
