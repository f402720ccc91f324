/** How a program ends that uses the client: by itself, in its own way, and without leaving its instance behind. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { type Program, type Runtime, start } from "./program.ts";

let app: TestApp;
let service: TestService;
beforeAll(async () => {
  app = await startApp();
  service = await startService({ typeDefs: "type Query { a: String }" });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const instancesOf = async (name: string): Promise<string[]> => {
  const { body } = await get(`${app.urls.registry}/services/${name}`);
  return (body.instances ?? []).map(({ url }: { url: string }) => url);
};

/** TEST_FULL: in Bun too. */
const RUNTIMES: readonly Runtime[] = process.env.TEST_FULL ? ["node", "bun"] : ["node"];

describe.each(RUNTIMES)("in %s", (runtime) => {
  const run = (source: string, env: Record<string, string> = {}): Promise<Program> =>
    start("main.mjs", source, { runtime, env: { SERVICE_REGISTRY_URL: app.urls.registry, ...env } });
  const name = (what: string) => `${what}-${runtime}`;
  /** A program that another instance of the same service runs beside. */
  const beside = async (service: string, after: string): Promise<Program> => {
    await post(`${app.urls.registry}/register`, { serviceName: service, url: "http://127.0.0.1:9" });
    const program = await run(`
      import { registerService, unregisterService } from "bobbin/client";
      const keep = setInterval(() => {}, 1000);
      await registerService("${service}", "http://127.0.0.1:4001");
      ${after}
      console.log("registered");`);
    await until(
      () => program.stdout,
      (text) => text.includes("registered"),
    );
    expect(await instancesOf(service)).toEqual(["http://127.0.0.1:9", "http://127.0.0.1:4001"]);
    return program;
  };
  const OTHERS = ["http://127.0.0.1:9"];

  test.concurrent("a program that only registers and looks up ends by itself, and its instance is gone", async () => {
    await post(`${app.urls.registry}/register`, { serviceName: name("looked-up"), url: service.url });
    await using program = await run(`
      import { registerService, getServiceUrl } from "bobbin/client";
      registerService("${name("short")}", "http://127.0.0.1:4001");
      console.log(await getServiceUrl("${name("looked-up")}"));`);
    expect(await program.ended).toBe(0);
    expect(program).toMatchObject({ stdout: `${service.url}\n`, stderr: "" });
    expect(await instancesOf(name("short"))).toEqual([]);
  });

  test.concurrent("one without a registry ends by itself too, and prints nothing to stdout", async () => {
    await using program = await run(
      `import { registerService, getServiceUrl } from "bobbin/client";
      registerService("${name("nowhere")}", "http://127.0.0.1:4001");
      console.log(await getServiceUrl("core"));`,
      { SERVICE_REGISTRY_URL: "http://127.0.0.1:9" },
    );
    expect(await program.ended).toBe(0);
    expect(program.stdout).toBe("http://localhost:3001/graphql\n");
    expect(program.stderr).toMatch(/^bobbin: .*will be tried again/);
  });

  test.concurrent.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGINT", "SIGINT"],
  ] as const)(
    "%s removes its instance and no other, and ends it as it would have",
    async (signal, status) => {
      const own = name(`signalled-${signal.toLowerCase()}`);
      await using program = await beside(own, "");
      program.kill(signal);
      expect(await program.ended).toBe(status);
      expect(await instancesOf(own)).toEqual(OTHERS);
    },
  );

  test.concurrent("a program that handles the signal itself decides when it ends", async () => {
    const own = name("handled");
    await using program = await beside(
      own,
      `process.once("SIGTERM", () => {
        clearInterval(keep);
        setTimeout(() => { console.log("drained"); process.exit(7); }, 300);
      });`,
    );
    program.kill("SIGTERM");
    expect(await program.ended).toBe(7);
    expect(program.stdout).toContain("drained");
    expect(await instancesOf(own)).toEqual(OTHERS);
  });

  test.concurrent.each([
    ["process.exit(3)", 3],
    [`queueMicrotask(() => { throw new Error("a mistake"); })`, 1],
  ])("%s takes its instance along", async (ending, status) => {
    const own = name(`ended-${status}`);
    await using program = await beside(own, `setTimeout(() => { ${ending} }, 100);`);
    expect(await program.ended).toBe(status);
    await until(
      () => instancesOf(own),
      (urls) => urls.length === 1,
    );
    expect(await instancesOf(own)).toEqual(OTHERS);
  });

  test.concurrent("with the registry gone, the end waits two seconds at most", async () => {
    await using silent = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Promise<Response>(() => {}),
    });
    await using program = await run(
      `import { registerService } from "bobbin/client";
      registerService("${name("late")}", "http://127.0.0.1:4001");
      console.log("begun");`,
      { SERVICE_REGISTRY_URL: `http://127.0.0.1:${silent.port}` },
    );
    await until(
      () => program.stdout,
      (text) => text.includes("begun"),
    );
    const signalled = performance.now();
    program.kill("SIGTERM");
    expect(await program.ended).toBe("SIGTERM");
    expect(performance.now() - signalled).toBeLessThan(6_000);
    expect(program.stdout).toBe("begun\n");
  });
});
