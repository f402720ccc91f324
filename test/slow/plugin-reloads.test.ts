/**
 * A plugin that is saved again and again while it is asked: no query fails or is answered wrongly, those in flight when
 * the version changes included, and nothing is left of the versions before. Every second save changes the schema.
 * 8 saves in a thread; TEST_FULL: 1,000 and 300, and 1,000 without a hop, which are only measured.
 */
import { expect, test } from "bun:test";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Isolation } from "../../src/plugins/define-plugin.ts";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { graphql, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";

const FULL = Boolean(process.env.TEST_FULL);
const SLOW_MS = 30;
const TYPES = 60;
/**
 * Keeping one composed schema per change comes to 0.4 MB each: 11 MB in the short form, 200 in the full one. What really
 * grows is what is kept of documents, each of them new here.
 */
const HEAP_BOUND_MB = FULL ? 20 : 5;
/** A thread that is left over holds 8 MB. What really grows, by some 30 MB in the full form, is free memory. */
const RESIDENT_BOUND_MB = 150;

/** One version: `only…` is another field in every second one. `slow` answers the version that it began on. */
function versionOf(number: number, isolation: Isolation): string {
  const types = Array.from(
    { length: TYPES },
    (_, i) => `type T${i} { id: ID! a: String t: [T${(i + 1) % TYPES}!] }`,
  );
  return `
    import { definePlugin } from "bobbin";
    const slow = () => new Promise((resolve) => setTimeout(() => resolve(${number}), ${SLOW_MS}));
    export default definePlugin({
      name: "changing", version: "1.0.0", isolation: "${isolation}",
      typeDefs: \`type Query { steady: String version: Int slow: Int t: T0 ${onlyOf(number)}: Int } ${types.join(" ")}\`,
      resolvers: { Query: { steady: () => "yes", version: () => ${number}, slow, ${onlyOf(number)}: () => ${number} } },
    });`;
}

const onlyOf = (number: number) => `only${Math.ceil(number / 2)}`;

/** Runs in the gateway's own thread, and so can say what that holds once nothing is left that could be collected. */
const INSIDE = `
  import { heapStats } from "bun:jsc";
  import { definePlugin } from "bobbin";
  const held = async () => {
    // Finalizers and weak references of one collection are garbage of the next.
    for (let i = 0; i < 3; i += 1) {
      Bun.gc(true);
      await Bun.sleep(5);
    }
    return { heap: heapStats().heapSize / 1e6, resident: process.memoryUsage.rss() / 1e6 };
  };
  export default definePlugin({
    name: "inside", version: "1.0.0", isolation: "inline",
    typeDefs: "type Query { other: String held: Held } type Held { heap: Float resident: Float }",
    resolvers: { Query: { other: () => "yes", held } },
  });`;

interface Held {
  /** Megabytes of the gateway's own heap. */
  readonly heap: number;
  /** Megabytes of the whole process. */
  readonly resident: number;
  readonly threads: number;
  readonly children: number;
}

async function heldBy({ urls, process: { pid } }: RunningBinary): Promise<Held> {
  const { data } = await graphql(urls.gateway, "{ held { heap resident } }");
  const tasks = await readdir(`/proc/${pid}/task`);
  const children = await Promise.all(
    tasks.map((task) =>
      Bun.file(`/proc/${pid}/task/${task}/children`)
        .text()
        // A thread that ended meanwhile has none.
        .catch(() => ""),
    ),
  );
  return {
    ...data.held,
    threads: tasks.length,
    children: children.join("").split(" ").filter(Boolean).length,
  };
}

/** Clients that ask all the while, and keep what was not as it has to be. */
class Clients {
  readonly failures: unknown[] = [];
  answers = 0;
  /** Answers of versions that were replaced while they were at it. */
  outlived = 0;
  readonly #gateway: string;
  readonly #asking: Promise<void>[];
  #newest = 0;
  #isOver = false;

  constructor(gateway: string) {
    this.#gateway = gateway;
    this.#asking = [this.#askQuick(), this.#askQuick(), this.#askSlow(), this.#askSlow()];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#asking);
  }

  /** What one client is answered never goes back to an older version. */
  async #askQuick(): Promise<void> {
    let seen = 0;
    while (!this.#isOver) {
      seen = (await this.#ask("version", seen)) ?? seen;
      this.#newest = Math.max(this.#newest, seen);
    }
  }

  /** A version that had been replaced when the question was asked does not answer it. */
  async #askSlow(): Promise<void> {
    while (!this.#isOver) {
      const version = await this.#ask("slow", this.#newest);
      if (version !== undefined && version < this.#newest) this.outlived += 1;
    }
  }

  async #ask(field: string, atLeast: number): Promise<number | undefined> {
    const { status, data, errors } = await graphql(this.#gateway, `{ ${field} steady other }`);
    this.answers += 1;
    const isRight = data?.steady === "yes" && data.other === "yes" && data[field] >= atLeast;
    if (!errors && isRight) return data[field];
    this.failures.push({ field, atLeast, status, data, errors });
    return undefined;
  }
}

/** Reloads and asks; returns what was held after the warm-up and at the end. */
async function reload(isolation: Isolation, warmUp: number, reloads: number): Promise<[Held, Held]> {
  await using folder = await tempFolder();
  const plugins = join(folder.path, "plugins");
  await writeFiles(plugins, { "changing.ts": versionOf(0, isolation), "inside.ts": INSIDE });
  await using bobbin = await startBinary({ folder: folder.path });
  const { gateway } = bobbin.urls;
  const clients = new Clients(gateway);
  const held: Held[] = [];
  for (let number = 1; number <= warmUp + reloads; number += 1) {
    await Bun.write(join(plugins, ".changing.ts.new"), versionOf(number, isolation));
    await rename(join(plugins, ".changing.ts.new"), join(plugins, "changing.ts"));
    await until(
      () => graphql(gateway, `{ version ${onlyOf(number)} }`),
      ({ data }) => data?.version === number && data[onlyOf(number)] === number,
    );
    if (number === warmUp) held.push(await heldBy(bobbin));
  }
  await clients.end();
  // What the last one took the place of goes when its requests have been answered.
  const children = isolation === "process" ? 1 : 0;
  const isDrained = (now: Held) => now.children === children && now.threads <= held[0]!.threads + 3;
  held.push(await until(() => heldBy(bobbin), isDrained));
  console.log(isolation, reloads, held, { answers: clients.answers, outlived: clients.outlived });
  expect(clients.failures).toEqual([]);
  expect(clients.outlived).toBeGreaterThan(0);
  return held as [Held, Held];
}

const WORKERS = FULL ? 1_000 : 8;
test(`${WORKERS} reloads in a thread`, async () => {
  const [before, after] = await reload("worker", FULL ? 100 : 4, WORKERS);
  expect(after.heap - before.heap).toBeLessThan(HEAP_BOUND_MB);
  expect(after.resident - before.resident).toBeLessThan(RESIDENT_BOUND_MB);
});

const PROCESSES = 300;
test.if(FULL)(`${PROCESSES} reloads in a process`, async () => {
  const [before, after] = await reload("process", 30, PROCESSES);
  expect(after.heap - before.heap).toBeLessThan(HEAP_BOUND_MB);
  expect(after.resident - before.resident).toBeLessThan(RESIDENT_BOUND_MB);
});

// What was imported into the gateway's thread stays there: how much that is, is only printed.
test.if(FULL)("1,000 reloads inline", async () => {
  await reload("inline", 100, 1_000);
});
