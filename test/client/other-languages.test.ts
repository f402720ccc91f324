/** The page for other languages: its calls and its programs are run as they stand there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { toItsEnd } from "../support/command.ts";
import { startService, type TestService } from "../support/service.ts";

const PAGE = await Bun.file(resolve(import.meta.dir, "../../src/client/other-languages.md")).text();
const FIXTURES = resolve(import.meta.dir, "../fixtures/client");

let app: TestApp;
let service: TestService;
beforeAll(async () => {
  app = await startApp();
  service = await startService({ typeDefs: "type Query { a: String }" });
  await post(`${app.urls.registry}/register`, { serviceName: "orders", url: service.url });
  await until(
    () => get(`${app.urls.registry}/services/orders`),
    ({ body }) => body.status === "ACTIVE",
  );
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** The blocks of the page in this language. */
const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text ?? "");

/** Runs one of the programs until it is registered, ends it, and returns what it printed. */
async function joins(command: readonly string[], name: string): Promise<string> {
  const env = { ...process.env, SERVICE_REGISTRY_URL: app.urls.registry, SERVICE_URL: service.url };
  const program = Bun.spawn([...command], { env, stdout: "pipe", stderr: "inherit" });
  try {
    await until(
      () => get(`${app.urls.registry}/services/${name}`),
      ({ body }) => body.status === "ACTIVE" && body.ttl === 30,
    );
    program.kill("SIGTERM");
    expect(await program.exited).toBe(0);
    expect((await get(`${app.urls.registry}/services/${name}`)).status).toBe(404);
    return await new Response(program.stdout).text();
  } finally {
    program.kill("SIGKILL");
  }
}

const python = Bun.which("python3");
test.skipIf(!python)("the Python program (where there is python3)", async () => {
  expect(await joins([python as string, join(FIXTURES, "service.py")], "reports")).toBe(
    `['${service.url}']\n`,
  );
});

/** Go builds its whole standard library first, which takes a minute where that was never done. */
const go = process.env.TEST_FULL ? Bun.which("go") : null;
test.skipIf(!go)("the Go program (where there is go, in a full run)", async () => {
  await using folder = await tempFolder();
  const built = join(folder.path, "service");
  const build = await toItsEnd([go as string, "build", "-o", built, join(FIXTURES, "service.go")]);
  expect(build).toMatchObject({ status: 0, stderr: "" });
  expect(await joins([built], "billing")).toBe(`[{${service.url}}]\n`);
});

test("the programs on the page are these", async () => {
  expect(blocks("python")).toEqual([await Bun.file(join(FIXTURES, "service.py")).text()]);
  expect(blocks("go")).toEqual([await Bun.file(join(FIXTURES, "service.go")).text()]);
});

const curl = Bun.which("curl");
test.skipIf(!curl)("its calls (where there is curl)", async () => {
  const [script = ""] = blocks("sh");
  const calls = script.trim().split("\n\n");
  const answers = [];
  // Registered before it is found, and looked up before it is removed.
  for (const index of [0, 1, 3, 4, 2]) {
    const call = `${calls[index]} -s -w ' %{http_code}'`.replaceAll(/localhost:3999/g, app.urls.registry);
    const { stdout } = await toItsEnd([
      "sh",
      "-c",
      call.replaceAll('"orders"', '"by-curl"').replace("/orders", "/by-curl"),
    ]);
    const [, body = "", status] = /^(.*) (\d+)$/s.exec(stdout) ?? [];
    answers.push({ status: Number(status), body: JSON.parse(body) });
  }
  const instance = { serviceName: "by-curl", url: "http://localhost:4001", version: "1.0.0", ttl: 30 };
  expect(answers).toMatchObject([
    { status: 201, body: instance },
    { status: 200, body: instance },
    { status: 200, body: instance },
    { status: 200, body: { services: expect.arrayContaining([expect.objectContaining(instance)]) } },
    { status: 200, body: instance },
  ]);
});
