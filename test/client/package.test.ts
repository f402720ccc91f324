/** The package: what it exports, to whom, with which types; and the one module that the registry serves, in a browser. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as source from "../../src/client/index.ts";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, post } from "../support/client.ts";
import { toItsEnd } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";
import { start } from "./program.ts";

const ROOT = resolve(import.meta.dir, "../..");
const BUILT = join(ROOT, "dist/client");

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await post(`${app.urls.registry}/register`, { serviceName: "found", url: "http://found.example" });
});
afterAll(() => app[Symbol.asyncDispose]());

const NAMES = Object.keys(source).sort();

test.concurrent("GET /client.js is one module without imports, the same from source and from the binary", async () => {
  await using binary = await startBinary();
  const answers = await Promise.all([app, binary].map(({ urls }) => get(`${urls.registry}/client.js`)));
  const [text, carried] = answers.map(({ body }) => body as string);
  expect(answers[0]?.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(carried).toBe(text as string);
  expect(await Bun.file(join(BUILT, "client.js")).text()).toBe(text as string);
  const { imports, exports } = new Bun.Transpiler({ loader: "js" }).scan(text as string);
  expect({ imports, exports: exports.sort() }).toEqual({ imports: [], exports: NAMES });
  expect(text).not.toMatch(/\bBun\b|\brequire\b/);
});

test.concurrent.each(["node", "bun"] as const)(
  "in %s a program has one client, however it asks for it",
  async (runtime) => {
    await using program = await start(
      "main.mjs",
      `import * as module from "bobbin/client";
    import { createRequire } from "node:module";
    const common = createRequire(import.meta.url)("bobbin/client");
    const names = Object.keys(module).filter((name) => name !== "default").sort();
    const same = names.filter((name) => module[name] === common[name]);
    console.log(JSON.stringify({ names, same: same.length }));`,
      { runtime },
    );
    expect(await program.ended).toBe(0);
    expect(JSON.parse(program.stdout)).toEqual({ names: NAMES, same: NAMES.length });
  },
);

test.concurrent("its types hold, for a module and for CommonJS, with no types of Node's or Bun's", async () => {
  await using folder = await tempFolder();
  const use = `
    const url: string = await getServiceUrl("orders");
    const source: "REGISTRY" | "ENVIRONMENT" | "DEFAULT" = (await resolveService("orders")).source;
    const done: boolean = await registerService("a", url, { version: source }, { health: () => true, ttl: 30 });
    const response: Response = await serviceFetch("orders", "/x", { method: "POST", deadlineMs: 100 });
    // @ts-expect-error a name is a text
    await unregisterService(done, response);`;
  const names = "getServiceUrl, registerService, resolveService, serviceFetch, unregisterService";
  await writeFiles(folder.path, {
    "module.mts": `import { ${names} } from "bobbin/client";\n${use}`,
    "common.cts": `import client = require("bobbin/client");
      const { ${names} } = client;\nexport async function use() {${use}}`,
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        module: "node16",
        target: "es2022",
        lib: ["es2022", "dom"],
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
      },
    }),
  });
  await mkdir(join(folder.path, "node_modules"));
  await symlink(BUILT, join(folder.path, "node_modules/bobbin"));
  const { status, stdout } = await toItsEnd([join(ROOT, "node_modules/.bin/tsc"), "-p", folder.path]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});

/** What a page does with the module; without a process there is nothing but fetch. */
const LOOK_UP = (registry: string) => `
  const client = createClient({ registryUrl: ${JSON.stringify(registry)} });
  const url = await client.getServiceUrl("found");
  const again = await client.resolveService("found");
  const names = (await client.listServices()).map(({ serviceName }) => serviceName);
  const missing = await client.getServiceUrl("missing").catch(({ code }) => code);
  await client.close();
  const result = { url, stale: again.stale, names, missing };`;
const LOOKED_UP = {
  url: "http://found.example",
  stale: false,
  names: expect.arrayContaining(["core", "found"]),
  missing: "SERVICE_NOT_FOUND",
};

test.concurrent("where there is no process it looks up over fetch", async () => {
  const { registry } = app.urls;
  await using program = await start(
    "main.mjs",
    `const text = await (await fetch("${registry}/client.js")).text();
    const { log } = console;
    delete globalThis.process;
    const { createClient } = await import("data:text/javascript," + encodeURIComponent(text));
    ${LOOK_UP(registry)}
    log(JSON.stringify(result));`,
  );
  expect(await program.ended).toBe(0);
  expect(program.stderr).toBe("");
  expect(JSON.parse(program.stdout)).toEqual(LOOKED_UP);
});

const chromium = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find(Boolean);

test.concurrent.skipIf(!chromium)("a page of another origin looks up, in a real browser", async () => {
  const { registry } = app.urls;
  const told = Promise.withResolvers<unknown>();
  await using page = Bun.serve({
    port: 0,
    hostname: "localhost",
    async fetch(request) {
      if (request.method === "POST") told.resolve(await request.json());
      const script = `import { createClient } from "${registry}/client.js";
        const tell = (what) => fetch("/", { method: "POST", body: JSON.stringify(what) });
        try {${LOOK_UP(registry)}; await tell(result); } catch (error) { await tell(String(error)); }`;
      return new Response(`<!doctype html><script type="module">${script}</script>`, {
        headers: { "content-type": "text/html" },
      });
    },
  });
  await using profile = await tempFolder();
  const browser = Bun.spawn(
    [
      chromium as string,
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      `--user-data-dir=${profile.path}`,
      `http://localhost:${page.port}/`,
      "--remote-debugging-port=0",
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  expect(await told.promise).toEqual(LOOKED_UP);
  browser.kill("SIGKILL");
  await browser.exited;
});
