/** Plugins that go wrong while they serve, in a worker and in a process: bobbin and all others go on. */
import { describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { crashesIn, ISOLATIONS, plugin, serviceOf, startWith } from "./beside-bystander.ts";
import { FAULTY, FIXTURES, faultySource, fieldOf, REFUSED } from "./broken-plugins.ts";

/** What a kind's own field is answered with; where it depends on what is noticed first, all that it may be. */
const CODES: Record<string, Partial<Record<"worker" | "process", string | RegExp>>> = {
  "throw-in-resolver": { worker: "INTERNAL", process: "INTERNAL" },
  "throw-later": { worker: "SERVICE_UNAVAILABLE", process: "SERVICE_UNAVAILABLE" },
  "hang-in-resolver": { worker: "SERVICE_TIMEOUT", process: "SERVICE_TIMEOUT" },
  "endless-loop": { worker: /SERVICE_(TIMEOUT|UNAVAILABLE)/, process: /SERVICE_(TIMEOUT|UNAVAILABLE)/ },
  "memory-without-end": { worker: /SERVICE_(TIMEOUT|UNAVAILABLE)/, process: /SERVICE_(TIMEOUT|UNAVAILABLE)/ },
  "huge-result": { worker: "INVALID_SERVICE_RESPONSE", process: "INVALID_SERVICE_RESPONSE" },
  exit: { worker: "SERVICE_UNAVAILABLE", process: "SERVICE_UNAVAILABLE" },
  abort: { worker: "INTERNAL", process: "SERVICE_UNAVAILABLE" },
  signal: { worker: "INTERNAL", process: "SERVICE_UNAVAILABLE" },
  "native-crash": { process: "SERVICE_UNAVAILABLE" },
};

const IS_REFUSED = new Set(REFUSED.map(({ kind }) => kind));
const TAKES_MEMORY = new Set(["leak", "memory-without-end"]);

for (const isolation of ISOLATIONS) {
  const contained = FAULTY.filter(
    ({ kind, outcomes }) => !IS_REFUSED.has(kind) && outcomes[isolation] === "contained",
  ).map(({ kind }) => kind);
  // Apart: a plugin that shares the process with one that takes memory may be taken for it.
  const groups = [
    contained.filter((k) => !TAKES_MEMORY.has(k)),
    contained.filter((k) => TAKES_MEMORY.has(k)),
  ];
  for (const kinds of groups) {
    test(`in a ${isolation} are survived by all others: ${kinds.join(", ")}`, async () => {
      const sources = await Promise.all(
        kinds.map(async (k) => [k, await faultySource(k, isolation)] as const),
      );
      await using bobbin = await startWith(Object.fromEntries(sources));
      const ask = (query: string) => graphql(bobbin.urls.gateway, query);
      let isOver = false;
      const failures: unknown[] = [];
      const asking = (async () => {
        while (!isOver) {
          const answer = await ask("{ bystander }");
          if (answer.data?.bystander !== "yes") failures.push(answer);
          await Bun.sleep(5);
        }
      })();

      await Promise.all(
        kinds.map(async (kind) => {
          const field = fieldOf(kind);
          const answer = await ask(`{ ${field} bystander }`);
          expect(answer.data?.bystander, kind).toBe("yes");
          const code = CODES[kind]?.[isolation];
          if (!code) expect(answer.errors, kind).toBeUndefined();
          else {
            expect(answer.errors, kind).toMatchObject([{ path: [field] }]);
            expect(answer.errors?.[0]?.extensions?.code, kind).toMatch(code);
          }
          expect(JSON.stringify(answer)).not.toContain("hunter2");
          if (kind === "leak")
            await until(
              () => crashesIn(bobbin),
              (lines) => lines.some((line) => line.plugin === kind),
            );
          await until(
            () => ask(`{ ${field}IsUp }`),
            ({ data }) => data?.[`${field}IsUp`] === true,
          );
        }),
      );
      isOver = true;
      await asking;
      expect(failures).toEqual([]);
      for (const { reason } of crashesIn(bobbin)) expect(reason).toMatch(/^plugins\/[a-z-]+\.ts crashed: /);
      for (const { plugin: of } of crashesIn(bobbin)) expect(kinds).toContain(of as string);
    });
  }
}

test("a copy of graphql in a plugin's own node_modules is no trouble", async () => {
  await using folder = await tempFolder();
  const own = `${folder.path}/plugins/own-graphql`;
  await cp(join(FIXTURES, "own-graphql"), own, { recursive: true });
  const copy = resolve(import.meta.dir, "../../node_modules/graphql");
  await cp(copy, `${own}/node_modules/graphql`, { recursive: true });
  await using bobbin = await startBinary({ folder: folder.path });
  expect((await graphql(bobbin.urls.gateway, "{ ownGraphql }")).data).toEqual({ ownGraphql: 2 });
});

describe.each(ISOLATIONS)("in a %s", (isolation) => {
  test("calls in flight when the code ends fail at their path; the rest of the answer stands", async () => {
    const end = isolation === "worker" ? `setTimeout(() => { throw new Error("end"); })` : "process.exit(1)";
    await using bobbin = await startWith(
      {
        a: plugin(
          "waits: String waiting: Int ends: String",
          `waits: () => { globalThis.waiting = (globalThis.waiting ?? 0) + 1; return new Promise(() => {}); },
           waiting: () => globalThis.waiting, ends: () => ${end} && "x"`,
          isolation,
        ),
      },
      { env: {} },
    );
    const ask = (query: string) => graphql(bobbin.urls.gateway, query);
    const waiting = [1, 2, 3].map(() => ask("{ waits bystander }"));
    await until(
      () => ask("{ waiting }"),
      ({ data }) => data?.waiting === waiting.length,
    );
    await ask("{ ends }");
    for (const answer of await Promise.all(waiting)) {
      expect(answer.data).toEqual({ waits: null, bystander: "yes" });
      expect(answer.errors).toMatchObject([
        { path: ["waits"], extensions: { code: "SERVICE_UNAVAILABLE", service: "a" } },
      ]);
    }
  });

  test("an exception in a timer is told in one line, with its place", async () => {
    await using bobbin = await startWith({ "throw-later": await faultySource("throw-later", isolation) });
    await graphql(bobbin.urls.gateway, "{ throwLater }");
    const [crash] = await until(
      () => crashesIn(bobbin),
      ({ length }) => length > 0,
    );
    expect(crash).toMatchObject({ file: "plugins/throw-later.ts", line: 13 });
    expect(crash?.reason).toMatch(/^plugins\/throw-later\.ts crashed: .*thrown by a timer$/);
  });

  // Whichever way the code ended, what follows is the same.
  test.if(isolation === "worker")(
    "after three crashes a plugin is stopped with the reason, until it changes or is reloaded",
    async () => {
      const source = await faultySource("throw-later", isolation);
      await using bobbin = await startWith({ "throw-later": source });
      const ask = (query: string) => graphql(bobbin.urls.gateway, query);
      const untilUp = () =>
        until(
          () => ask("{ throwLaterIsUp }"),
          ({ data }) => data?.throwLaterIsUp === true,
        );
      const untilStopped = () =>
        until(
          () => serviceOf(bobbin, "throw-later"),
          ({ statusReason }) => statusReason?.includes("stopped after 3 crashes"),
        );
      const crash = async () => {
        await untilUp();
        await ask("{ throwLater }");
      };

      for (let n = 0; n < 3; n += 1) await crash();
      expect(await untilStopped()).toMatchObject({ status: "ERROR" });
      expect(crashesIn(bobbin).map(({ pauseMs }) => pauseMs)).toEqual([100, 1_000]);
      const { body } = await get(`${bobbin.urls.gateway}/gateway/services`);
      expect(body.services.find(({ name }: { name: string }) => name === "throw-later")).toMatchObject({
        status: "ERROR",
        reason: { code: "PLUGIN_CRASHED", step: "run", file: "plugins/throw-later.ts" },
      });
      expect((await ask("{ throwLaterIsUp bystander }")).errors).toMatchObject([
        { path: ["throwLaterIsUp"], extensions: { code: "SERVICE_UNAVAILABLE", service: "throw-later" } },
      ]);

      expect((await post(`${bobbin.urls.gateway}/plugins/throw-later/reload`, {})).status).toBe(200);
      for (let n = 0; n < 3; n += 1) await crash();
      await untilStopped();
      await Bun.write(`${bobbin.folder}/plugins/throw-later.ts`, `${source}\n// changed`);
      await untilUp();
      const service = await until(
        () => serviceOf(bobbin, "throw-later"),
        ({ status }) => status === "ACTIVE",
      );
      expect(service.statusReason).toBeNull();
    },
  );

  test("what is said on the console are lines of the log, with the plugin's name", async () => {
    const say = `console.log("hello", { n: 1 }), console.warn("careful"), console.error("oh"), "said"`;
    await using bobbin = await startWith({ a: plugin("say: String", `say: () => (${say})`, isolation) });
    await graphql(bobbin.urls.gateway, "{ say }");
    const said = () => bobbin.lines.filter((line) => line.plugin === "a" && line.msg !== "plugin loaded");
    const lines = await until(said, ({ length }) => length === 3);
    expect(lines.map(({ level }) => level)).toEqual(["info", "warn", "error"]);
    expect(lines[0]?.msg).toMatch(/^hello \{\s+n: 1,?\s+\}$/);
  });

  test("a plugin that logs without end is cut short, and the others serve", async () => {
    const flood =
      "for (let n = 0; ; n += 1) { console.log(String(n)); if (n % 100 === 0) await Bun.sleep(1); }";
    await using bobbin = await startWith({
      a: plugin(
        "flood: String",
        `flood: () => { void (async () => { ${flood} })(); return "begun"; }`,
        isolation,
      ),
    });
    const beganAt = Date.now();
    expect((await graphql(bobbin.urls.gateway, "{ flood bystander }")).data.bystander).toBe("yes");
    const ofPlugin = () => bobbin.lines.filter((line) => line.plugin === "a" && line.msg !== "plugin loaded");
    const lines = await until(ofPlugin, (seen) =>
      seen.some(({ msg }) => / lines were left out$/.test(String(msg))),
    );
    const seconds = Math.ceil((Date.now() - beganAt) / 1_000);
    // Of the seconds of the clock, one more is begun than passed; in each a further line says what was left out.
    expect(lines.length).toBeLessThanOrEqual((seconds + 1) * 201);
    expect((await graphql(bobbin.urls.gateway, "{ bystander }")).data.bystander).toBe("yes");
  });
});

test("what would end the whole process throws in a worker", async () => {
  const tries = {
    abort: "process.abort()",
    chdir: `process.chdir("/")`,
    kill: `process.kill(process.pid, "SIGKILL")`,
  };
  const field = ([name, code]: [string, string]) =>
    `${name}: () => { try { ${code}; return "done"; } catch (error) { return error.message; } }`;
  const cwd = "cwd: () => process.cwd()";
  await using bobbin = await startWith({
    a: plugin(
      `${Object.keys(tries).join(": String ")}: String cwd: String`,
      [...Object.entries(tries).map(field), cwd].join(", "),
    ),
  });
  const { data } = await graphql(bobbin.urls.gateway, `{ ${Object.keys(tries).join(" ")} cwd bystander }`);
  for (const name of Object.keys(tries)) expect(data[name], name).toContain('isolation: "process"');
  expect(data).toMatchObject({ cwd: bobbin.folder, bystander: "yes" });
});

test("a plugin's process in an endless loop ends with a bobbin that was killed", async () => {
  await using bobbin = await startWith(
    { a: plugin("pid: Int loop: Int", "pid: () => process.pid, loop: () => { for (;;); }", "process") },
    { env: {} },
  );
  const { data } = await graphql(bobbin.urls.gateway, "{ pid }");
  const isThere = () => Bun.file(`/proc/${data.pid}/stat`).exists();
  expect(await isThere()).toBe(true);
  const asking = graphql(bobbin.urls.gateway, "{ loop }").catch(() => "gone");
  const ticks = async () => Number((await Bun.file(`/proc/${data.pid}/stat`).text()).split(" ")[13]);
  const before = await ticks();
  await until(ticks, (now) => now > before + 20);
  await bobbin.stop("SIGKILL");
  expect(await asking).toBe("gone");
  await until(isThere, (is) => !is);
});

test("a failure that stands is not forgotten when the version that serves crashes", async () => {
  const source = await faultySource("throw-later", "worker");
  await using bobbin = await startWith({ "throw-later": source });
  await Bun.write(`${bobbin.folder}/plugins/throw-later.ts`, `${source}\n];`);
  const isDegraded = ({ status }: { status: string }) => status === "DEGRADED";
  await until(() => serviceOf(bobbin, "throw-later"), isDegraded);
  await graphql(bobbin.urls.gateway, "{ throwLater }");
  await until(
    () => graphql(bobbin.urls.gateway, "{ throwLaterIsUp }"),
    ({ data }) => data?.throwLaterIsUp === true,
  );
  await until(
    () => serviceOf(bobbin, "throw-later"),
    ({ status }) => status !== "ERROR",
  );
  expect(await serviceOf(bobbin, "throw-later")).toMatchObject({ status: "DEGRADED" });
});

const POSTS = {
  "a text from a worker": ["worker", `postMessage("ready?")`],
  "an object from a worker": ["worker", `postMessage({ type: "ready" })`],
  "an object from a process": ["process", `process.send({ type: "ready" })`],
} as const;
for (const [what, [isolation, post]] of Object.entries(POSTS)) {
  test(`a message that is not the runner's leaves the gateway serving: ${what}`, async () => {
    await using bobbin = await startWith({
      a: plugin("a: String", `a: () => { ${post}; return "x"; }`, isolation),
    });
    await graphql(bobbin.urls.gateway, "{ a }").catch(() => {});
    expect((await graphql(bobbin.urls.gateway, "{ bystander }")).data).toEqual({ bystander: "yes" });
  });
}
