/** What a person who runs the binary sees and relies on: its log, its refusals to start, its end. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { BINARY, startBinary, tempFolder } from "../support/app.ts";
import { onTerminal } from "../support/bobbin-command.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { run } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";
import { openStream } from "../support/stream.ts";

const REST = {
  metadata: { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 0.1, failureThreshold: 1 } },
};

test("the log says who came, whose status changed and why, and who went", async () => {
  await using bobbin = await startBinary();
  await using service = await startService({ typeDefs: "type Query { a: Int }" });
  const line = (msg: string, fields: Record<string, unknown>) =>
    until(
      () =>
        bobbin.lines.find(
          (each) => each.msg === msg && Object.entries(fields).every(([k, v]) => each[k] === v),
        ),
      (found) => found !== undefined,
    );
  await post(`${bobbin.urls.registry}/register`, { serviceName: "a", url: service.url, ...REST });
  await line("service registered", { service: "a", url: service.url });
  await line("status changed", { service: "a", status: "ACTIVE" });
  await service.stop();
  const down = await line("status changed", { service: "a", status: "ERROR" });
  expect(down).toMatchObject({ level: "warn", reason: expect.stringContaining("refused") });
  await post(`${bobbin.urls.registry}/unregister`, { serviceName: "a" });
  await line("service removed", { service: "a" });
});

test("a port that is taken is said in one line that names the flag", async () => {
  await using first = await startBinary();
  const { port } = new URL(first.urls.core);
  await using folder = await tempFolder();
  const args = ["--gateway-port", "0", "--core-port", port, "--registry-port", "0"];
  const { status, stdout } = await run(args, { folder: folder.path, env: { LOG_FORMAT: "json" } });
  expect(status).toBe(1);
  const fatal = stdout
    .trim()
    .split("\n")
    .map((each) => JSON.parse(each))
    .filter(({ level }) => level === "fatal");
  expect(fatal).toHaveLength(1);
  expect(fatal[0].msg).toContain(`:${port}: it is in use`);
  expect(fatal[0].msg).toContain("--core-port");
  expect(fatal[0].err).toBeUndefined();
});

test.skipIf(!existsSync("/dev/full"))(
  "a command whose output cannot be written says so, and has not done it",
  async () => {
    const stdout = Bun.file("/dev/full");
    const child = Bun.spawn([BINARY, "completion", "bash"], { stdout, stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toMatch(
      /^Standard output cannot be written: ENOSPC.*\n$/,
    );
    expect(await child.exited).toBe(1);
  },
);

test("the log has colours on a terminal only, and none with NO_COLOR", async () => {
  await using first = await startBinary();
  await using folder = await tempFolder();
  const env = { DATABASE_URL: `file:${folder.path}/log.db`, PLUGINS_DIR: folder.path, LOG_FORMAT: "pretty" };
  const args = ["--gateway-port", "0", "--core-port", new URL(first.urls.core).port, "--registry-port", "0"];
  expect(await onTerminal(args, 80, env)).toContain("\u001b[41mFATAL");
  const plain = await onTerminal(args, 80, { ...env, NO_COLOR: "1" });
  const piped = await run(args, { folder: folder.path, env });
  for (const text of [plain, piped.stdout]) {
    expect(text).toContain("] FATAL: cannot listen");
    expect(text).not.toContain("\u001b");
  }
});

test("a subscription of a plugin ends at once with SIGTERM, in the graph and at its own door", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, {
    "plugins/ticker.ts": `
      import { definePlugin } from "bobbin";
      export default definePlugin({
        name: "ticker", version: "1.0.0",
        typeDefs: "type Query { ok: Int } type Subscription { tick: Int }",
        resolvers: { Subscription: { tick: { async *subscribe() { yield { tick: 1 }; await new Promise(() => {}); } } } },
      });`,
  });
  await using bobbin = await startBinary({ folder: folder.path });
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: "subscription { tick }" }),
  };
  const { gateway } = bobbin.urls;
  await using inGraph = await openStream(`${gateway}/graphql`, init);
  await using atDoor = await openStream(`${gateway}/plugins/ticker/graphql`, init);
  for (const stream of [inGraph, atDoor]) await stream.find(({ data }) => data?.data?.tick === 1);
  const before = Date.now();
  expect(await bobbin.stop("SIGTERM")).toBe(0);
  // Far below the ten seconds that requests in flight are given.
  expect(Date.now() - before).toBeLessThan(8_000);
});

test("a promise that a plugin leaves rejected costs a line in the log, and nothing else", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, {
    "plugins/careless.ts": `
      import { definePlugin } from "bobbin";
      export default definePlugin({
        name: "careless", version: "1.0.0", typeDefs: "type Query { careless: Int }",
        resolvers: { Query: { careless: () => { void Promise.reject(new Error("left alone")); return 1; } } },
      });`,
  });
  await using bobbin = await startBinary({ folder: folder.path });
  expect((await graphql(bobbin.urls.gateway, "{ careless }")).data).toEqual({ careless: 1 });
  await until(
    () => JSON.stringify(bobbin.lines),
    (lines) => lines.includes("left alone"),
  );
  expect((await get(`${bobbin.urls.gateway}/gateway/ready`)).status).toBe(200);
});

test("a second bobbin on the same database says whose it is, and leaves the last composed set alone", async () => {
  await using folder = await tempFolder();
  await using first = await startBinary({ folder: folder.path });
  await using service = await startService({ typeDefs: "type Query { a: Int }" });
  await post(`${first.urls.registry}/register`, { serviceName: "a", url: service.url, ...REST });
  const saved = () => Bun.file(`${folder.path}/data/last-composed.json`).text();
  const before = await until(
    () => saved().catch(() => ""),
    (text) => text.includes('"a"'),
  );
  await using second = await startBinary({ folder: folder.path, args: ["--plugins", "./none"] });
  expect(
    (await post(`${second.urls.registry}/register`, { serviceName: "b", url: service.url })).body.code,
  ).toBe("REGISTRY_UNAVAILABLE");
  expect(JSON.stringify(second.lines)).toContain("another bobbin");
  expect(await second.stop()).toBe(0);
  expect(await saved()).toBe(before);
});
