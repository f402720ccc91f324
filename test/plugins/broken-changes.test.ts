/** Plugins that are broken while bobbin runs: as new ones, and as changes of plugins that serve. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, type RestAnswer, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";
import {
  BYSTANDER,
  FAULTY,
  FIXTURES,
  fieldOf,
  goodSource,
  HANGING,
  PROMPT,
  putBroken,
  putGood,
  REFUSED,
  type Refused,
} from "./broken-plugins.ts";

/** What is refused at once, with the deadline as it is by default; what hangs, with one that a test can wait for. */
const GROUPS = [
  { when: "at once", kinds: PROMPT, env: {} },
  { when: "when its time is over", kinds: HANGING, env: { PLUGIN_START_TIMEOUT: "2" } },
];

// biome-ignore lint/suspicious/noExplicitAny: the shape is the test's matter
type Listed = any;

/** What was seen of every kind, and of the graph meanwhile. */
interface Seen {
  readonly listed: ReadonlyMap<string, Listed>;
  readonly registered: ReadonlyMap<string, Listed>;
  readonly reloaded: ReadonlyMap<string, RestAnswer>;
  readonly logged: readonly Record<string, unknown>[];
  /** How many times the graph was asked, and what was not answered as it should have been. */
  readonly asked: number;
  readonly failures: readonly unknown[];
}

/** Asks the graph again and again while `work` is done. */
async function whileAsking<T>(
  { urls }: RunningBinary,
  data: Record<string, string>,
  work: () => Promise<T>,
): Promise<{ result: T; asked: number; failures: unknown[] }> {
  let isOver = false;
  let asked = 0;
  const failures: unknown[] = [];
  const asking = (async () => {
    while (!isOver) {
      const answer = await graphql(urls.gateway, `{ ${Object.keys(data).join(" ")} }`);
      if (!Bun.deepEquals(answer.data, data) || answer.errors) failures.push(answer);
      asked += 1;
      await Bun.sleep(5);
    }
  })();
  const result = await work().finally(() => {
    isOver = true;
  });
  await asking;
  return { result, asked, failures };
}

async function listedBy({ urls }: RunningBinary): Promise<Map<string, Listed>> {
  const { body } = await get(`${urls.gateway}/gateway/services`);
  return new Map(body.services.map((service: Listed) => [service.name, service]));
}

/** Breaks every kind at once, and looks at all of them when each has its reason. */
async function breakAll(
  kinds: readonly Refused[],
  bobbin: RunningBinary,
  serving: Record<string, string>,
): Promise<Seen> {
  const { gateway, registry } = bobbin.urls;
  const firstLine = bobbin.lines.length;
  const { result, asked, failures } = await whileAsking(bobbin, serving, async () => {
    for (const { kind } of kinds) await putBroken(kind, `${bobbin.folder}/plugins`);
    const reasons = await until(
      () => listedBy(bobbin),
      (services) => kinds.every(({ kind }) => services.get(kind)?.reason),
    );
    const registered = new Map<string, Listed>();
    for (const { kind } of kinds) {
      const { body } = await until(
        () => get(`${registry}/services/${kind}`),
        ({ body: service }) => service.statusReason?.includes(reasons.get(kind).reason.message),
      );
      registered.set(kind, body);
    }
    const listed = await listedBy(bobbin);
    const logged = bobbin.lines.slice(firstLine);
    const answers = await Promise.all(
      kinds.map(async ({ kind }) => [kind, await post(`${gateway}/plugins/${kind}/reload`, {})] as const),
    );
    return { listed, registered, logged, reloaded: new Map(answers) };
  });
  return { ...result, asked, failures };
}

function expectSaid({ kind, code, step, place, text }: Refused, seen: Seen): void {
  const where = { code, step, file: `plugins/${kind}.ts`, ...place };
  const { reason } = seen.listed.get(kind);
  expect(reason).toMatchObject(where);
  expect(reason.message).toContain(`plugins/${kind}.ts`);
  expect(reason.message).toContain(text);
  const lines = seen.logged.filter(({ level, plugin }) => level === "error" && plugin === kind);
  expect(lines).toMatchObject([where]);
  const { status, headers, body } = seen.reloaded.get(kind) as RestAnswer;
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({ ...where, status, detail: reason.message });
}

test("every broken plugin is in the README, and every one of the README is there", async () => {
  const files = (await readdir(FIXTURES)).filter((name) => name !== "README.md");
  const kinds = [...REFUSED, ...FAULTY].map(({ kind }) => `${kind}.ts`);
  expect(files.sort()).toEqual([...new Set([...kinds, "own-graphql"])].sort());
});

describe.each(GROUPS)("a new plugin that is broken is left out alone, $when", ({ kinds, env }) => {
  const stack = new AsyncDisposableStack();
  let seen: Seen;
  beforeAll(async () => {
    const folder = stack.use(await tempFolder());
    await writeFiles(folder.path, { "plugins/bystander.ts": BYSTANDER });
    const bobbin = stack.use(await startBinary({ folder: folder.path, env }));
    seen = await breakAll(kinds, bobbin, { bystander: "yes" });
  });
  afterAll(() => stack.disposeAsync());

  test("and the others serve throughout", () => {
    expect(seen.failures).toEqual([]);
    expect(seen.asked).toBeGreaterThan(0);
  });

  for (const refused of kinds) {
    test(refused.kind, () => {
      expectSaid(refused, seen);
      const status = refused.step === "compose" ? "ERROR" : "INACTIVE";
      expect(seen.registered.get(refused.kind)).toMatchObject({ source: "PLUGIN", status });
      expect(seen.listed.get(refused.kind)).toMatchObject({ composition: "REJECTED", status });
    });
  }
});

describe.each(GROUPS)(
  "a change that breaks a plugin, refused $when, leaves the version before it in service",
  ({ kinds, env }) => {
    const stack = new AsyncDisposableStack();
    const answers = (text: string) => Object.fromEntries(kinds.map(({ kind }) => [fieldOf(kind), text]));
    let bobbin: RunningBinary;
    let seen: Seen;
    beforeAll(async () => {
      const folder = stack.use(await tempFolder());
      const files = kinds.map(({ kind }) => [`plugins/${kind}.ts`, goodSource(kind, "old")]);
      await writeFiles(folder.path, { "plugins/bystander.ts": BYSTANDER, ...Object.fromEntries(files) });
      bobbin = stack.use(await startBinary({ folder: folder.path, env }));
      seen = await breakAll(kinds, bobbin, { bystander: "yes", ...answers("old") });
    });
    afterAll(() => stack.disposeAsync());

    test("throughout", () => {
      expect(seen.failures).toEqual([]);
      expect(seen.asked).toBeGreaterThan(0);
    });

    for (const refused of kinds) {
      test(refused.kind, () => {
        expectSaid(refused, seen);
        expect(seen.registered.get(refused.kind)).toMatchObject({ source: "PLUGIN", status: "DEGRADED" });
        expect(seen.listed.get(refused.kind)).toMatchObject({ composition: "PREVIOUS", status: "DEGRADED" });
      });
    }

    test("and once they are mended all are well again", async () => {
      for (const { kind } of kinds) await putGood(kind, `${bobbin.folder}/plugins`, "mended");
      const isWell = ({ status, composition, reason }: Listed) =>
        status === "ACTIVE" && composition === "COMPOSED" && reason === null;
      await until(
        async () => [...(await listedBy(bobbin)).values()].filter((service) => !isWell(service)),
        ({ length }) => length === 0,
      );
      const fields = kinds.map(({ kind }) => fieldOf(kind)).join(" ");
      const { data } = await graphql(bobbin.urls.gateway, `{ bystander ${fields} }`);
      expect(data).toEqual({ bystander: "yes", ...answers("mended") });
    });
  },
);
