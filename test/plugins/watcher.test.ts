/** Watching the plugin folder: what is noticed, when it is told, and what it costs. */
import { afterEach, describe, expect, type Mock, spyOn, test } from "bun:test";
import fs, { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, rename, rm, symlink, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import pino from "pino";
import { type Clock, systemClock } from "../../src/clock.ts";
import { Debouncer, MOST_WAIT_MS, QUIET_MS } from "../../src/plugins/source/debouncer.ts";
import { CHECK_MS, FOLLOW_MS, POLL_MS, Watcher, type WatchMode } from "../../src/plugins/source/watcher.ts";
import { tempFolder } from "../support/app.ts";
import { until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { toItsEnd } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";

/** A watcher, and what somebody knows who reads the files when told of a change, and only then. */
interface Watching extends Disposable {
  readonly watcher: Watcher;
  readonly stirs: number;
  readonly changes: number;
  /** What was in each file at the last call. */
  readonly seen: Record<string, string | undefined>;
  readonly lines: Record<string, unknown>[];
}

interface WatchingOptions {
  /** Paths, relative to the folder above the watched one, to read at each call. */
  read?: readonly string[];
  /** Those to follow; all that are read where not given. */
  follow?: readonly string[];
  mode?: WatchMode;
  clock?: Clock;
}

function watching(
  home: string,
  { read = [], follow = read, mode = "on", clock = systemClock }: WatchingOptions = {},
): Watching {
  const lines: Record<string, unknown>[] = [];
  const state = { stirs: 0, changes: 0, seen: {} as Record<string, string | undefined> };
  const watcher = new Watcher({
    folder: join(home, "plugins"),
    mode,
    onStir: () => {
      state.stirs += 1;
    },
    onChange: () => {
      state.changes += 1;
      state.seen = Object.fromEntries(read.map((path) => [path, contentOf(join(home, path))]));
    },
    clock,
    log: pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) }),
  });
  watcher.follow(follow.map((path) => join(home, path)));
  return {
    watcher,
    lines,
    get stirs() {
      return state.stirs;
    },
    get changes() {
      return state.changes;
    },
    get seen() {
      return state.seen;
    },
    [Symbol.dispose]: () => watcher[Symbol.dispose](),
  };
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function toSee(watched: Watching, path: string, content: string | undefined): Promise<void> {
  await until(
    () => (watched.changes > 0 ? watched.seen : { [path]: "never told" }),
    (seen) => seen[path] === content,
  );
}

/** Returns when nothing that happened before can lead to a call any more, as far as one can tell. */
async function quiet(watched: Watching): Promise<void> {
  let calls = -1;
  await until(
    async () => {
      const before = calls;
      calls = watched.changes;
      await Bun.sleep(5 * QUIET_MS);
      return before === calls && calls === watched.changes;
    },
    (isQuiet) => isQuiet,
  );
}

/** Watches of the operating system that this process has. */
function systemWatches(): number {
  let count = 0;
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (!readlinkSync(`/proc/self/fd/${fd}`).includes("inotify")) continue;
    } catch {
      // Closed since it was listed.
      continue;
    }
    count += readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("inotify wd").length - 1;
  }
  return count;
}

async function saveAtomically(path: string, content: string): Promise<void> {
  await Bun.write(`${path}.tmp-1`, content);
  await rename(`${path}.tmp-1`, path);
}

async function saveLikeVim(path: string, content: string): Promise<void> {
  await rename(path, `${path}~`);
  await Bun.write(path, content);
  await unlink(`${path}~`);
}

async function relink(target: string, path: string): Promise<void> {
  await symlink(target, `${path}_tmp`);
  await rename(`${path}_tmp`, path);
}

/** What happens to a.ts, which was "1" → where to look → what is there then. */
type Change = [change: (plugins: string) => Promise<unknown>, path: string, content: string | undefined];
const CHANGES: Record<string, Change> = {
  "written in place": [(at) => Bun.write(`${at}/a.ts`, "2"), "a.ts", "2"],
  "saved atomically": [(at) => saveAtomically(`${at}/a.ts`, "2"), "a.ts", "2"],
  "saved as vim does": [(at) => saveLikeVim(`${at}/a.ts`, "2"), "a.ts", "2"],
  removed: [(at) => rm(`${at}/a.ts`), "a.ts", undefined],
  renamed: [(at) => rename(`${at}/a.ts`, `${at}/b.ts`), "b.ts", "1"],
  "joined by a file in new folders": [(at) => Bun.write(`${at}/x/y/z/index.ts`, "2"), "x/y/z/index.ts", "2"],
  "joined by a file in a folder that was there": [
    (at) => Bun.write(`${at}/shop/b.ts`, "2"),
    "shop/b.ts",
    "2",
  ],
  "in a folder that is renamed": [(at) => rename(`${at}/shop`, `${at}/store`), "store/part.ts", "1"],
  "joined by a folder from elsewhere": [
    async (at) => {
      await Bun.write(`${at}/../else/deep/c.ts`, "2");
      await rename(`${at}/../else`, `${at}/moved`);
    },
    "moved/deep/c.ts",
    "2",
  ],
  "in a package that is installed": [
    (at) => Bun.write(`${at}/node_modules/new/main.js`, "2"),
    "node_modules/new/main.js",
    "2",
  ],
};

describe("a change is noticed where a file is", () => {
  for (const [what, [change, path, content]] of Object.entries(CHANGES)) {
    test(what, async () => {
      await using home = await tempFolder();
      await writeFiles(home.path, { "plugins/a.ts": "1", "plugins/shop/part.ts": "1" });
      using watched = watching(home.path, { read: ["plugins/a.ts", `plugins/${path}`] });
      await toSee(watched, "plugins/a.ts", "1");
      expect(watched.stirs).toBe(0);

      await change(`${home.path}/plugins`);
      await toSee(watched, `plugins/${path}`, content);
      expect(watched.stirs).toBeGreaterThan(0);
    });
  }

  test("in a folder that was made a moment ago, or that took the place of another", async () => {
    await using home = await tempFolder();
    const shop = `${home.path}/plugins/shop`;
    await writeFiles(home.path, { "plugins/shop/lib/part.ts": "1" });
    using watched = watching(home.path, { read: ["plugins/shop/lib/part.ts"] });
    await toSee(watched, "plugins/shop/lib/part.ts", "1");

    await rm(shop, { recursive: true });
    await mkdir(`${shop}/lib`, { recursive: true });
    await toSee(watched, "plugins/shop/lib/part.ts", undefined);
    await quiet(watched);
    await Bun.write(`${shop}/lib/part.ts`, "2");
    await toSee(watched, "plugins/shop/lib/part.ts", "2");

    await rename(shop, `${home.path}/old`);
    await mkdir(`${shop}/lib`, { recursive: true });
    await toSee(watched, "plugins/shop/lib/part.ts", undefined);
    await quiet(watched);
    await Bun.write(`${shop}/lib/part.ts`, "3");
    await toSee(watched, "plugins/shop/lib/part.ts", "3");
  });

  test("in a burst of 500 files, with few calls", async () => {
    await using home = await tempFolder();
    const files = Array.from({ length: 500 }, (_, i) => `plugins/p${i}.ts`);
    await writeFiles(home.path, { "plugins/a.ts": "" });
    using watched = watching(home.path, { read: files });
    await until(
      () => watched.changes,
      (changes) => changes > 0,
    );

    for (const round of ["1", "2", "3"]) {
      for (const file of files) fs.writeFileSync(join(home.path, file), round);
    }
    await until(
      () => watched.seen,
      (seen) => files.every((file) => seen[file] === "3"),
    );
    expect(watched.changes).toBeLessThan(50);
  });

  test("but not where files are only read", async () => {
    await using home = await tempFolder();
    await using other = await tempFolder();
    await writeFiles(home.path, { "plugins/shop/a.ts": "1" });
    await writeFiles(other.path, { "plugins/a.ts": "1" });
    using watched = watching(home.path);
    using control = watching(other.path, { read: ["plugins/a.ts"] });
    await toSee(control, "plugins/a.ts", "1");
    await quiet(watched);
    const before = watched.changes;

    expect(contentOf(`${home.path}/plugins/shop/a.ts`)).toBe("1");
    expect(readdirSync(`${home.path}/plugins/shop`)).toEqual(["a.ts"]);
    await Bun.write(`${other.path}/plugins/a.ts`, "2");
    await toSee(control, "plugins/a.ts", "2");
    expect([watched.stirs, watched.changes]).toEqual([0, before]);
  });
});

describe("it is told", () => {
  const debouncer = () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    const made = new Debouncer({
      onStir: () => calls.push("stir"),
      onQuiet: () => calls.push("quiet"),
      clock,
    });
    return { clock, calls, made };
  };

  test("at the first sign, and when there were none for a moment", async () => {
    const { clock, calls, made } = debouncer();
    made.stir();
    expect(calls).toEqual(["stir"]);
    await clock.advance(QUIET_MS - 1);
    made.stir();
    await clock.advance(QUIET_MS - 1);
    expect(calls).toEqual(["stir"]);
    await clock.advance(1);
    expect(calls).toEqual(["stir", "quiet"]);
    await clock.advance(10 * MOST_WAIT_MS);
    expect(calls).toEqual(["stir", "quiet"]);
    made.stir();
    expect(calls).toEqual(["stir", "quiet", "stir"]);
  });

  test("in time where the signs do not end, again and again", async () => {
    const { clock, calls, made } = debouncer();
    const step = QUIET_MS - 1;
    for (let at = 0; at < 3 * MOST_WAIT_MS; at += step) {
      made.stir();
      expect(calls.filter((call) => call === "quiet").length).toBe(Math.floor(at / MOST_WAIT_MS));
      await clock.advance(step);
    }
    expect(calls).toEqual(["stir", "quiet", "stir", "quiet", "stir", "quiet"]);
  });

  test("again where a change comes while it is being told", async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    const made = new Debouncer({
      onStir: () => calls.push("stir"),
      onQuiet: () => {
        calls.push("quiet");
        if (calls.length === 2) made.stir();
      },
      clock,
    });
    made.stir();
    await clock.advance(QUIET_MS);
    expect(calls).toEqual(["stir", "quiet", "stir"]);
    await clock.advance(QUIET_MS);
    expect(calls).toEqual(["stir", "quiet", "stir", "quiet"]);
  });

  test("without a first sign after it began to watch, since something may have changed meanwhile", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "lib/b.ts": "1" });
    const clock = new FakeClock();
    using watched = watching(home.path, { clock });
    await clock.advance(QUIET_MS);
    expect([watched.stirs, watched.changes]).toEqual([0, 1]);

    watched.watcher.follow([`${home.path}/plugins/a.ts`]);
    await clock.advance(FOLLOW_MS + QUIET_MS);
    expect(watched.changes).toBe(1);
    watched.watcher.follow([`${home.path}/lib/b.ts`]);
    await clock.advance(FOLLOW_MS + QUIET_MS);
    expect([watched.stirs, watched.changes]).toEqual([0, 2]);
    watched.watcher.follow([`${home.path}/lib/b.ts`]);
    await clock.advance(10 * CHECK_MS);
    expect([watched.stirs, watched.changes]).toEqual([0, 2]);
  });

  test("never after disposal, and no watch is left then", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/shop/a.ts": "1", "lib/b.ts": "1" });
    const before = systemWatches();
    using control = watching(home.path, { read: ["plugins/shop/a.ts"] });
    const ofControl = systemWatches() - before;
    const watched = watching(home.path, { read: ["plugins/shop/a.ts", "lib/b.ts"] });
    await toSee(control, "plugins/shop/a.ts", "1");
    await quiet(watched);
    expect([ofControl, systemWatches() - before]).toEqual([2, 3]);

    await Bun.write(`${home.path}/lib/b.ts`, "2");
    await Bun.write(`${home.path}/plugins/shop/a.ts`, "2");
    await until(
      () => watched.stirs,
      (stirs) => stirs > 0,
    );
    watched[Symbol.dispose]();
    const { stirs, changes } = watched;
    expect(systemWatches() - before).toBe(2);
    watched.watcher.follow([`${home.path}/lib/b.ts`]);
    await Bun.write(`${home.path}/plugins/shop/a.ts`, "3");
    await toSee(control, "plugins/shop/a.ts", "3");
    await quiet(control);
    expect(systemWatches() - before).toBe(2);
    expect([watched.stirs, watched.changes]).toEqual([stirs, changes]);
    control[Symbol.dispose]();
    expect(systemWatches()).toBe(before);
  });
});

describe("the folder itself", () => {
  test("may be missing at first, and those above it too", async () => {
    await using home = await tempFolder();
    await using above = await tempFolder();
    await rm(above.path, { recursive: true });
    for (const { path } of [home, above]) {
      using watched = watching(path, { read: ["plugins/a.ts"] });
      await writeFiles(path, { "plugins/a.ts": "1" });
      await toSee(watched, "plugins/a.ts", "1");
      await quiet(watched);
      await Bun.write(`${path}/plugins/a.ts`, "2");
      await toSee(watched, "plugins/a.ts", "2");
    }
  });

  test("is looked for at each check", async () => {
    await using home = await tempFolder();
    const clock = new FakeClock();
    using watched = watching(home.path, { clock });
    await clock.advance(3 * CHECK_MS);
    expect(watched.changes).toBe(0);
    await mkdir(`${home.path}/plugins`);
    await clock.advance(CHECK_MS + QUIET_MS);
    expect([watched.stirs, watched.changes]).toEqual([1, 1]);
  });

  /** Ways to take the folder away, and to have one in its place. */
  const AWAY: Record<string, (plugins: string) => Promise<unknown>> = {
    removed: (plugins) => rm(plugins, { recursive: true }),
    "moved away": (plugins) => rename(plugins, `${plugins}-old`),
  };
  for (const [what, takeAway] of Object.entries(AWAY)) {
    for (const pause of [true, false]) {
      test(`may be ${what} and made again${pause ? "" : " at once"}`, async () => {
        await using home = await tempFolder();
        await writeFiles(home.path, { "plugins/a.ts": "1" });
        using watched = watching(home.path, { read: ["plugins/a.ts"] });
        await toSee(watched, "plugins/a.ts", "1");

        await takeAway(`${home.path}/plugins`);
        if (pause) {
          await toSee(watched, "plugins/a.ts", undefined);
          await quiet(watched);
        }
        await writeFiles(home.path, { "plugins/a.ts": "2" });
        await toSee(watched, "plugins/a.ts", "2");
        await quiet(watched);
        await Bun.write(`${home.path}/plugins/a.ts`, "3");
        await toSee(watched, "plugins/a.ts", "3");
      });
    }
  }

  test("is watched again at once where it is there again, without waiting for the next check", async () => {
    await using home = await tempFolder();
    const plugins = `${home.path}/plugins`;
    await mkdir(plugins);
    const before = systemWatches();
    const clock = new FakeClock();
    using watched = watching(home.path, { clock });
    await clock.advance(FOLLOW_MS + QUIET_MS);
    const stirsTo = (count: number) =>
      until(
        () => watched.stirs,
        (stirs) => stirs === count,
      );
    await rm(plugins, { recursive: true });
    await stirsTo(1);
    await mkdir(plugins);
    await clock.advance(QUIET_MS);
    await Bun.write(`${plugins}/a.ts`, "1");
    await stirsTo(2);
    watched[Symbol.dispose]();
    await clock.advance(10 * CHECK_MS);
    expect(systemWatches()).toBe(before);
  });

  test("may be empty when it is removed and made again", async () => {
    await using home = await tempFolder();
    const plugins = `${home.path}/plugins`;
    await mkdir(plugins);
    using watched = watching(home.path, { read: ["plugins/a.ts"] });
    await toSee(watched, "plugins/a.ts", undefined);
    for (const content of ["1", "2", "3"]) {
      await rm(plugins, { recursive: true });
      await mkdir(plugins);
      await quiet(watched);
      await Bun.write(`${plugins}/a.ts`, content);
      await toSee(watched, "plugins/a.ts", content);
    }
  });

  test("may be made again where the file system does not tell when that was", async () => {
    await using home = await tempFolder();
    const plugins = `${home.path}/plugins`;
    await writeFiles(home.path, { "plugins/a.ts": "1" });
    const real = fs.statSync;
    const stat = spyOn(fs, "statSync").mockImplementation(((...args: [string, fs.StatSyncOptions]) => {
      const found = real(...args);
      return found && Object.assign(found, { birthtimeNs: 0n });
    }) as typeof fs.statSync);
    try {
      using watched = watching(home.path, { read: ["plugins/a.ts"] });
      await toSee(watched, "plugins/a.ts", "1");
      await rm(plugins, { recursive: true });
      await mkdir(plugins);
      await toSee(watched, "plugins/a.ts", undefined);
      await quiet(watched);
      await Bun.write(`${plugins}/a.ts`, "2");
      await toSee(watched, "plugins/a.ts", "2");
      expect(stat).toHaveBeenCalled();
    } finally {
      stat.mockRestore();
    }
  });

  test("may be a link, and be led elsewhere", async () => {
    await using home = await tempFolder();
    const plugins = `${home.path}/plugins`;
    await writeFiles(home.path, { "v1/a.ts": "1", "v2/a.ts": "2" });
    await symlink("v1", plugins);
    using watched = watching(home.path, { read: ["plugins/a.ts"] });
    await toSee(watched, "plugins/a.ts", "1");
    await saveAtomically(`${home.path}/v1/a.ts`, "1b");
    await toSee(watched, "plugins/a.ts", "1b");
    await quiet(watched);

    await relink("v2", plugins);
    await toSee(watched, "plugins/a.ts", "2");
    await quiet(watched);
    await Bun.write(`${home.path}/v2/a.ts`, "2b");
    await toSee(watched, "plugins/a.ts", "2b");
  });

  test("may be a Kubernetes mount", async () => {
    await using home = await tempFolder();
    const plugins = `${home.path}/plugins`;
    await writeFiles(plugins, { "..2024_1/a.ts": "1" });
    await symlink("..2024_1", `${plugins}/..data`);
    await symlink("..data/a.ts", `${plugins}/a.ts`);
    using watched = watching(home.path, { read: ["plugins/a.ts"] });
    await toSee(watched, "plugins/a.ts", "1");

    for (const version of [2, 3, 4]) {
      await quiet(watched);
      await writeFiles(plugins, { [`..2024_${version}/a.ts`]: String(version) });
      await relink(`..2024_${version}`, `${plugins}/..data`);
      await rm(`${plugins}/..2024_${version - 1}`, { recursive: true });
      await toSee(watched, "plugins/a.ts", String(version));
    }
  });

  test("may be a file for a while", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { plugins: "a file" });
    using watched = watching(home.path, { read: ["plugins/a.ts"] });
    await rm(`${home.path}/plugins`);
    await writeFiles(home.path, { "plugins/a.ts": "1" });
    await toSee(watched, "plugins/a.ts", "1");
    expect(watched.lines).toEqual([]);
  });
});

describe("beyond the folder", () => {
  /** What happens to a file, or to a link to it, outside → where the plugin has it. */
  const OUTSIDE: Record<string, (home: string) => Promise<unknown>> = {
    "is written": (home) => Bun.write(`${home}/lib/part.ts`, "2"),
    "is saved atomically": (home) => saveAtomically(`${home}/lib/part.ts`, "2"),
    "is saved as vim does": (home) => saveLikeVim(`${home}/lib/part.ts`, "2"),
    "is made again with its folder": async (home) => {
      await rm(`${home}/lib`, { recursive: true });
      await writeFiles(home, { "lib/part.ts": "2" });
    },
    "is moved in with its folder": async (home) => {
      await writeFiles(home, { "next/part.ts": "2" });
      await rename(`${home}/lib`, `${home}/former`);
      await rename(`${home}/next`, `${home}/lib`);
    },
  };
  for (const [what, change] of Object.entries(OUTSIDE)) {
    test(`a file that a plugin imports is followed where it ${what}`, async () => {
      await using home = await tempFolder();
      await writeFiles(home.path, { "plugins/a.ts": "1", "lib/part.ts": "1" });
      using watched = watching(home.path, { read: ["lib/part.ts"] });
      await toSee(watched, "lib/part.ts", "1");
      await quiet(watched);
      await change(home.path);
      await toSee(watched, "lib/part.ts", "2");
      await quiet(watched);
      await Bun.write(`${home.path}/lib/part.ts`, "3");
      await toSee(watched, "lib/part.ts", "3");
    });
  }

  test("a file is followed that is removed, and comes back later", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "lib/part.ts": "1" });
    using watched = watching(home.path, { read: ["lib/part.ts"] });
    await toSee(watched, "lib/part.ts", "1");
    await quiet(watched);
    await rm(`${home.path}/lib`, { recursive: true });
    await toSee(watched, "lib/part.ts", undefined);
    await quiet(watched);
    await writeFiles(home.path, { "lib/part.ts": "2" });
    await toSee(watched, "lib/part.ts", "2");
  });

  test("links in the folder are followed, to files and to folders, also to those that are still to come", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, {
      "else/v1/file.ts": "1",
      "else/v2/file.ts": "moved on",
      "else/shop/index.ts": "1",
      "else/empty/notes.txt": "",
    });
    await mkdir(`${home.path}/plugins`);
    await symlink("v1", `${home.path}/else/current`);
    await symlink("../else/current/file.ts", `${home.path}/plugins/file.ts`);
    for (const name of ["shop", "empty", "late"]) {
      await symlink(`../else/${name}`, `${home.path}/plugins/${name}`);
    }
    const read = ["file.ts", "shop/index.ts", "empty/index.ts", "late/index.ts"].map((p) => `plugins/${p}`);
    using watched = watching(home.path, { read, follow: [] });
    await toSee(watched, "plugins/file.ts", "1");

    const steps: [path: string, content: string, change: () => Promise<unknown>][] = [
      ["plugins/file.ts", "2", () => saveAtomically(`${home.path}/else/v1/file.ts`, "2")],
      ["plugins/file.ts", "moved on", () => relink("v2", `${home.path}/else/current`)],
      ["plugins/file.ts", "3", () => Bun.write(`${home.path}/else/v2/file.ts`, "3")],
      ["plugins/shop/index.ts", "2", () => Bun.write(`${home.path}/else/shop/index.ts`, "2")],
      ["plugins/empty/index.ts", "1", () => Bun.write(`${home.path}/else/empty/index.ts`, "1")],
      ["plugins/late/index.ts", "1", () => Bun.write(`${home.path}/else/late/index.ts`, "1")],
      ["plugins/late/index.ts", "2", () => Bun.write(`${home.path}/else/late/index.ts`, "2")],
    ];
    for (const [path, content, change] of steps) {
      await quiet(watched);
      await change();
      await toSee(watched, path, content);
    }
  });

  test("a link that comes later is followed", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "else/index.ts": "1" });
    using watched = watching(home.path, { read: ["plugins/a.ts", "plugins/shop/index.ts"], follow: [] });
    await toSee(watched, "plugins/a.ts", "1");
    await quiet(watched);
    await symlink("../else", `${home.path}/plugins/shop`);
    await toSee(watched, "plugins/shop/index.ts", "1");
    await quiet(watched);
    await Bun.write(`${home.path}/else/index.ts`, "2");
    await toSee(watched, "plugins/shop/index.ts", "2");
  });

  test("what else goes on beside a file that is followed is no sign", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "part.ts": "1", "noise.log": "1" });
    using watched = watching(home.path, { read: ["part.ts"] });
    using control = watching(home.path, { read: ["noise.log"] });
    await toSee(watched, "part.ts", "1");
    await toSee(control, "noise.log", "1");
    await quiet(watched);
    const { changes } = watched;
    for (const content of ["2", "3", "4"]) {
      await Bun.write(`${home.path}/noise.log`, content);
      await toSee(control, "noise.log", content);
    }
    expect([watched.stirs, watched.changes]).toEqual([0, changes]);
    await Bun.write(`${home.path}/part.ts`, "2");
    await toSee(watched, "part.ts", "2");
  });

  test("a change between reading and following is told", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "lib/part.ts": "1" });
    const files = [`${home.path}/lib/part.ts`];
    const clock = new FakeClock();
    using watched = watching(home.path, { read: ["lib/part.ts"], clock });
    await clock.advance(FOLLOW_MS + QUIET_MS);
    expect(watched.seen).toEqual({ "lib/part.ts": "1" });
    fs.writeFileSync(`${home.path}/lib/part.ts`, "2");
    watched.watcher.follow(files);
    await clock.advance(FOLLOW_MS + QUIET_MS);
    expect(watched.seen).toEqual({ "lib/part.ts": "2" });
  });

  test("each folder is watched once, as long as it is needed, and no more than 200 are", async () => {
    await using home = await tempFolder();
    const many = Array.from({ length: 250 }, (_, i) => `lib/${i}/part.ts`);
    const packages = Array.from({ length: 250 }, (_, i) => `node_modules/p${i}/main.js`);
    const all = [...many, ...packages];
    await writeFiles(home.path, Object.fromEntries(all.map((path) => [path, ""])));
    await writeFiles(home.path, { "plugins/shop/a.ts": "", "lib/0/other.ts": "" });
    await symlink("../lib/1", `${home.path}/plugins/one`);
    const before = systemWatches();
    const clock = new FakeClock();
    using watched = watching(home.path, { clock });
    const follow = async (...paths: string[]) => {
      watched.watcher.follow(paths.map((path) => join(home.path, path)));
      await clock.advance(FOLLOW_MS + QUIET_MS);
      return systemWatches() - before;
    };
    // The plugin folder, the folder in it, and what the link leads to.
    expect(await follow()).toBe(3);
    expect(await follow("plugins/a.ts", "plugins/shop/a.ts")).toBe(3);
    expect(await follow("lib/0/part.ts", "lib/0/other.ts", "lib/1/part.ts", "plugins/one/part.ts")).toBe(4);
    expect(await follow("lib/0/part.ts", "lib/2/part.ts", "lib/3/part.ts")).toBe(6);
    expect(await follow(...all)).toBe(202);
    expect(await follow("plugins/shop/a.ts")).toBe(3);

    // Packages give way to what somebody may be writing.
    expect(await follow(...packages, "lib/249/part.ts")).toBe(202);
    const { stirs } = watched;
    await Bun.write(`${home.path}/lib/249/part.ts`, "2");
    await until(
      async () => {
        await clock.advance(QUIET_MS);
        return watched.stirs;
      },
      (now) => now > stirs,
    );
  });
});

describe("trouble", () => {
  afterEach(() => {
    spyOn(fs, "watch").mockRestore();
  });

  const failure = (code: string) => Object.assign(new Error(`${code}: no more`), { code });

  /** The watch that was opened last comes upon an error. */
  const fail = (open: Mock<typeof fs.watch>, error: Error) => {
    const watch = open.mock.results.at(-1)?.value as fs.FSWatcher;
    watch.emit("error", error);
  };

  test("with a watch leads to another one, and is logged once", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1" });
    const open = spyOn(fs, "watch");
    using watched = watching(home.path, { read: ["plugins/a.ts"] });
    await toSee(watched, "plugins/a.ts", "1");
    for (const content of ["2", "3"]) {
      await quiet(watched);
      const armed = open.mock.calls.length;
      fail(open, failure("EIO"));
      await until(
        () => open.mock.calls.length,
        (calls) => calls === armed + 1,
      );
      await quiet(watched);
      await Bun.write(`${home.path}/plugins/a.ts`, content);
      await toSee(watched, "plugins/a.ts", content);
    }
    expect(watched.lines.map(({ level, code }) => [level, code])).toEqual([[40, "EIO"]]);
  });

  test("with a folder that is closed leaves the others watched", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1" });
    const open = spyOn(fs, "watch");
    const clock = new FakeClock();
    using watched = watching(home.path, { clock });
    await clock.advance(QUIET_MS);
    const closed = failure("EPERM");
    fail(open, closed);
    await clock.advance(10 * CHECK_MS);
    expect([open.mock.calls.length, watched.changes]).toEqual([1, 1]);
    expect(watched.lines).toMatchObject([{ code: "EPERM", reason: closed.message }]);
    await Bun.write(`${home.path}/plugins/a.ts`, "2");
    await until(
      () => watched.stirs,
      (stirs) => stirs > 0,
    );
  });

  /** What is the matter with a folder that was there a moment ago → how often it is logged. */
  for (const [code, count] of Object.entries({ EACCES: 1, ENOENT: 0 })) {
    test(`with a folder that cannot be watched yet (${code}) is logged ${count} times, and it is tried again`, async () => {
      await using home = await tempFolder();
      await writeFiles(home.path, { "plugins/a.ts": "1" });
      const open = spyOn(fs, "watch").mockImplementation(() => {
        throw failure(code);
      });
      const clock = new FakeClock();
      using watched = watching(home.path, { clock });
      await clock.advance(10 * CHECK_MS);
      expect([watched.stirs, watched.changes]).toEqual([0, 0]);
      expect(watched.lines.map((line) => line.code)).toEqual(Array(count).fill(code));
      open.mockRestore();
      await clock.advance(CHECK_MS + QUIET_MS);
      expect([watched.stirs, watched.changes]).toEqual([1, 1]);
    });
  }

  for (const code of ["ENOSPC", "EMFILE"]) {
    for (const when of ["at first", "later", "for a folder beyond"]) {
      test(`when the watches are exhausted (${code}) ${when}, it polls and says what to set`, async () => {
        await using home = await tempFolder();
        await writeFiles(home.path, { "plugins/a.ts": "1", "lib/b.ts": "1" });
        const before = systemWatches();
        const real = fs.watch;
        const open = spyOn(fs, "watch").mockImplementation(((path: string, ...rest: []) => {
          if (when === "at first" || (when !== "later" && path.endsWith("/lib"))) throw failure(code);
          return real(path, ...rest);
        }) as typeof fs.watch);
        const clock = new FakeClock();
        using watched = watching(home.path, { read: ["lib/b.ts"], clock });
        await clock.advance(FOLLOW_MS + QUIET_MS);
        if (when === "later") {
          fail(open, failure(code));
          await clock.advance(QUIET_MS);
        }
        expect(watched.lines).toMatchObject([{ level: 40, code }]);
        expect(watched.lines[0]?.msg).toMatch(/fs\.inotify\.max_user_watches.*PLUGINS_WATCH=poll/);
        expect(systemWatches()).toBe(before);

        const { changes } = watched;
        expect(changes).toBeGreaterThan(0);
        await clock.advance(10 * POLL_MS);
        expect(watched.changes - changes).toBeOneOf([9, 10]);
        watched.watcher.follow([`${home.path}/lib/b.ts`]);
        expect(systemWatches()).toBe(before);
        expect(watched.lines.length).toBe(1);
      });
    }
  }

  /** A user namespace has limits of its own, so that nobody else is hurt. */
  const limited = (command: string) => ["unshare", "-Ur", "sh", "-c", command];
  const canLimit =
    Bun.which("unshare") !== null &&
    Bun.spawnSync(limited("echo 2 > /proc/sys/user/max_inotify_watches")).exitCode === 0;

  test.skipIf(!canLimit)("when the system has no more watches, changes are seen all the same", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { ...script(home.path), "plugins/a.ts": "1" });
    for (let i = 0; i < 5; i++) await mkdir(`${home.path}/plugins/folder${i}`);
    for (const limit of ["watches", "instances"]) {
      const count = limit === "watches" ? 2 : 0;
      const command = `echo ${count} > /proc/sys/user/max_inotify_${limit} && exec "${process.execPath}" script.ts wait`;
      const { status, stdout } = await toItsEnd(limited(command), { folder: home.path });
      expect([limit, status]).toEqual([limit, 0]);
      expect(stdout).toContain("PLUGINS_WATCH=poll");
      expect(stdout).toContain("seen");
    }
  });

  test("there is none at the end: a watch does not keep the process alive", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { ...script(home.path), "plugins/a.ts": "1", "lib/b.ts": "1" });
    const { status, stdout, stderr } = await toItsEnd([process.execPath, "script.ts"], { folder: home.path });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });

  /** A process that watches; with `wait`: changes a.ts once a warning is logged, and ends when told of the change. */
  function script(home: string): Record<string, string> {
    const source = (file: string) => JSON.stringify(resolve(import.meta.dir, "../../src", file));
    return {
      "script.ts": `
        import { readFileSync, writeFileSync } from "node:fs";
        import { systemClock } from ${source("clock.ts")};
        import { Watcher } from ${source("plugins/source/watcher.ts")};
        const isWaiting = process.argv[2] === "wait";
        const file = "plugins/a.ts";
        let isWarned = false;
        const warn = (fields, message) => {
          console.log(message);
          isWarned = true;
          setTimeout(() => writeFileSync(file, "2"), 50);
        };
        writeFileSync(file, "1");
        const watcher = new Watcher({
          folder: "plugins", mode: "on", clock: systemClock, log: { warn },
          onStir() {},
          onChange() {
            if (!isWarned || readFileSync(file, "utf8") !== "2") return;
            console.log("seen");
            process.exit();
          },
        });
        watcher.follow([${JSON.stringify(join(home, "lib/b.ts"))}]);
        if (isWaiting) setTimeout(() => process.exit(1), 20_000);`,
    };
  }
});

describe("told otherwise", () => {
  test("it polls: there is a call every second, whatever happens, and nothing is watched", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "lib/b.ts": "1" });
    const before = systemWatches();
    const clock = new FakeClock();
    using watched = watching(home.path, { read: ["lib/b.ts"], mode: "poll", clock });
    expect(systemWatches()).toBe(before);
    await clock.advance(POLL_MS - 1);
    expect(watched.changes).toBe(0);
    await clock.advance(1);
    expect(watched.changes).toBe(1);
    await clock.advance(5 * POLL_MS);
    expect([watched.stirs, watched.changes]).toEqual([0, 6]);
    watched[Symbol.dispose]();
    await clock.advance(5 * POLL_MS);
    expect(watched.changes).toBe(6);
  });

  test("it never calls, and nothing is watched", async () => {
    await using home = await tempFolder();
    await writeFiles(home.path, { "plugins/a.ts": "1", "lib/b.ts": "1" });
    const before = systemWatches();
    const clock = new FakeClock();
    using watched = watching(home.path, { read: ["lib/b.ts"], mode: "off", clock });
    expect(systemWatches()).toBe(before);
    await Bun.write(`${home.path}/plugins/a.ts`, "2");
    await clock.advance(100 * POLL_MS);
    expect([watched.stirs, watched.changes]).toEqual([0, 0]);
  });
});
