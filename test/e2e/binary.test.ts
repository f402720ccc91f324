/** The compiled binary alone in an empty folder: everything it needs is inside, and nothing beside it counts. */
import { expect, test } from "bun:test";
import { copyFile, readdir } from "node:fs/promises";
import { BINARY, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";

test("copied alone into an empty folder it serves everything, from a registration to the query", async () => {
  await using folder = await tempFolder();
  await copyFile(BINARY, `${folder.path}/bobbin`);
  await using logs = await tempFolder();
  const log = `${logs.path}/log`;
  const ports = ["--gateway-port", "0", "--core-port", "0", "--registry-port", "0"];
  const bobbin = Bun.spawn(["./bobbin", ...ports], { cwd: folder.path, env: {}, stdout: Bun.file(log) });
  await using _end = { [Symbol.asyncDispose]: async () => bobbin.kill("SIGKILL") };
  const line = await until(
    async () => (await Bun.file(log).text()).split("\n").find((each) => each.includes('"ready"')),
    (found) => found !== undefined,
  );
  const ready = JSON.parse(line ?? "");
  expect(ready).toMatchObject({
    level: "info",
    note: expect.stringMatching(/outside this machine.*JWT_SECRET/),
  });
  const { gateway, core, registry } = ready;
  for (const url of [gateway, core, registry]) expect(url).toMatch(/^http:\/\/localhost:\d+$/);

  await using service = await startService({
    typeDefs: "type Query { hello: String }",
    resolvers: { Query: { hello: () => "from afar" } },
  });

  const registered = await post(`${registry}/register`, {
    serviceName: "hello",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });
  expect(registered.status).toBe(201);
  await until(
    () => graphql(gateway, `{ hello getService(name: "hello") { status } }`),
    ({ data }) => data?.hello === "from afar" && data.getService.status === "ACTIVE",
  );
  const { data } = await graphql(core, "{ getActiveServices { name } }");
  expect(data.getActiveServices).toContainEqual({ name: "hello" });

  bobbin.kill("SIGTERM");
  expect(await bobbin.exited).toBe(0);
  expect((await readdir(folder.path)).sort()).toEqual(["bobbin", "data"]);
});

test("what was registered is there after a restart, before the service is asked again", async () => {
  await using folder = await tempFolder();
  {
    await using bobbin = await startBinary({ folder: folder.path });
    await post(`${bobbin.urls.registry}/register`, {
      serviceName: "kept",
      url: "http://127.0.0.1:9",
      metadata: { team: "blue" },
    });
    expect(await bobbin.stop()).toBe(0);
  }
  await using bobbin = await startBinary({ folder: folder.path });
  const { body } = await get(`${bobbin.urls.registry}/services/kept`);
  expect(body).toMatchObject({ url: "http://127.0.0.1:9", metadata: { team: "blue" } });
});

test("a plugin in TypeScript needs nothing installed", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins/sums`, {
    "index.ts": `
      import { definePlugin } from "bobbin";
      import { GraphQLError } from "graphql";
      import { add } from "./add.ts";
      import limits from "./limits.json";
      export default definePlugin({
        name: "sums", version: "1.0.0",
        typeDefs: "type Query { sum(of: [Int!]!): Int }",
        resolvers: {
          Query: {
            sum(_: unknown, { of }: { of: number[] }): number {
              if (of.length > limits.most) throw new GraphQLError("too many", { extensions: { code: "TOO_MANY" } });
              return of.reduce(add, 0);
            },
          },
        },
      });`,
    "add.ts": "export const add = (a: number, b: number): number => a + b;",
    "limits.json": `{ "most": 3 }`,
  });
  await using bobbin = await startBinary({ folder: folder.path });

  expect((await graphql(bobbin.urls.gateway, "{ sum(of: [1, 2, 3]) }")).data).toEqual({ sum: 6 });
  const { errors } = await graphql(bobbin.urls.gateway, "{ sum(of: [1, 2, 3, 4]) }");
  expect(errors).toMatchObject([{ message: "too many", extensions: { code: "TOO_MANY" } }]);
});

test("no .env, bunfig.toml or tsconfig.json in the working folder changes anything", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, {
    ".env": "HOST=0.0.0.0\nINSECURE=1\nJWT_SECRET=from-the-env-file\nLOG_LEVEL=silent",
    ".env.production": "LOG_LEVEL=silent",
    "bunfig.toml": `preload = ["./preload.ts"]`,
    "preload.ts": "process.exit(7);",
    "tsconfig.json": `{ "compilerOptions": { "paths": { "graphql": ["./preload.ts"] } } }`,
    "package.json": `{ "name": "somebody-else", "type": "commonjs", "imports": {} }`,
  });
  await using bobbin = await startBinary({ folder: folder.path });

  expect(bobbin.urls.gateway).toStartWith("http://localhost:");
  const registered = await post(`${bobbin.urls.registry}/register`, {
    serviceName: "open",
    url: "http://127.0.0.1:9",
  });
  expect(registered.status).toBe(201);
  expect(await bobbin.stop()).toBe(0);
});

test("on localhost both loopback families answer at the same port", async () => {
  const hasIPv6 = await fetchable("[::1]");
  await using bobbin = await startBinary();
  for (const [door, path] of [
    ["gateway", "/gateway/live"],
    ["core", "/graphql?query={__typename}"],
    ["registry", "/health"],
  ] as const) {
    const { port } = new URL(bobbin.urls[door]);
    for (const host of ["localhost", "127.0.0.1", ...(hasIPv6 ? ["[::1]"] : [])]) {
      expect((await fetch(`http://${host}:${port}${path}`)).status).toBe(200);
    }
  }
});

/** Whether this machine has the address. */
async function fetchable(host: string): Promise<boolean> {
  try {
    await using server = Bun.serve({
      hostname: host.replace(/[[\]]/g, ""),
      port: 0,
      fetch: () => new Response(),
    });
    return (await fetch(`http://${host}:${server.port}`)).ok;
  } catch {
    return false;
  }
}
