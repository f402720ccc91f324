/** Where plugins are in a folder, and when files count as changed. */
import { describe, expect, test } from "bun:test";
import { chmod, rename, rm, symlink, utimes } from "node:fs/promises";
import { relative } from "node:path";
import { configFileOf, fileNameOf, findEntries, MAX_PLUGINS } from "../../src/plugins/source/entries.ts";
import { fingerprint } from "../../src/plugins/source/fingerprint.ts";
import { tempFolder } from "../support/app.ts";
import { writeFiles } from "../support/files.ts";

async function entriesIn(folder: string): Promise<string[]> {
  return (await findEntries(folder)).map((entry) => relative(folder, entry));
}

describe("entries", () => {
  test("are files and folders with an index, in the order of their paths", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "time.ts": "",
      "script.js": "",
      "module.mjs": "",
      "typed.mts": "",
      "shop.ts": "",
      "shop/index.ts": "",
      "shop/other.ts": "",
      "old/index.js": "",
      "new/index.mts": "",
      "newer/index.mjs": "",
      "both/index.js": "",
      "both/index.ts": "",
      "named.ts/index.ts": "",
    });
    expect(await entriesIn(folder.path)).toEqual([
      "both/index.ts",
      "module.mjs",
      "named.ts/index.ts",
      "new/index.mts",
      "newer/index.mjs",
      "old/index.js",
      "script.js",
      "shop.ts",
      "shop/index.ts",
      "time.ts",
      "typed.mts",
    ]);
  });

  test("are not: what is hidden, private, a test, a declaration, a package, no code or a folder without an index", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      ".hidden.ts": "",
      "_shared.ts": "",
      "_shared/index.ts": "",
      "..2024_1/time.ts": "",
      ".git/index.ts": "",
      "time.test.ts": "",
      "time.spec.js": "",
      "time.test.helper.ts": "",
      "types.d.ts": "",
      "types.d.mts": "",
      "node_modules/index.ts": "",
      "time.config.json": "",
      "README.md": "",
      "time.ts~": "",
      "empty/notes.txt": "",
      "deep/down/index.ts": "",
      "odd/index.ts/file.txt": "",
    });
    expect(await entriesIn(folder.path)).toEqual([]);
  });

  test("may be links; what leads nowhere or in a circle hurts no other", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, {
      "else/file.ts": "",
      "else/shop/index.ts": "",
      "else/part.ts": "",
      "plugins/good.ts": "",
      "plugins/half/notes.txt": "",
      "plugins/closed/index.ts": "",
    });
    const plugins = `${folder.path}/plugins`;
    await symlink("../else/file.ts", `${plugins}/file.ts`);
    await symlink("../else/shop", `${plugins}/shop`);
    await symlink("../../else/part.ts", `${plugins}/half/index.ts`);
    await symlink("../else/gone.ts", `${plugins}/gone.ts`);
    await symlink("circle.ts", `${plugins}/circle.ts`);
    await symlink("round", `${plugins}/round`);
    await chmod(`${plugins}/closed`, 0o000);

    const found = await entriesIn(plugins);
    await chmod(`${plugins}/closed`, 0o700);
    // Nothing is closed to root.
    const open = process.getuid?.() === 0 ? ["closed/index.ts"] : [];
    expect(found).toEqual([...open, "file.ts", "good.ts", "half/index.ts", "shop/index.ts"]);
  });

  test("are none where the folder is missing", async () => {
    await using folder = await tempFolder();
    expect(await findEntries(`${folder.path}/plugins`)).toEqual([]);
  });

  test("cannot be told where the folder is a file, and the refusal names it", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, { plugins: "a file" });
    const path = `${folder.path}/plugins`;
    await expect(findEntries(path)).rejects.toMatchObject({
      code: "PLUGIN_LOAD_FAILED",
      message: expect.stringContaining(path),
    });
  });

  test("are bounded, whatever else is in the folder", async () => {
    await using folder = await tempFolder();
    const names = Array.from({ length: MAX_PLUGINS + 5 }, (_, i) => `p${String(i).padStart(5, "0")}`);
    await writeFiles(folder.path, Object.fromEntries(names.map((name) => [`${name}.ts`, ""])));
    await writeFiles(folder.path, Object.fromEntries(names.map((name) => [`a${name}.txt`, ""])));
    const found = await entriesIn(folder.path);
    expect(found).toEqual(names.slice(0, MAX_PLUGINS).map((name) => `${name}.ts`));
  });

  test("give a name and the place of a configuration", () => {
    const of = (entry: string) => [fileNameOf(entry), configFileOf(entry)];
    expect(of("/p/time.ts")).toEqual(["time", "/p/time.config.json"]);
    expect(of("/p/time.v2.mjs")).toEqual(["time.v2", "/p/time.v2.config.json"]);
    expect(of("/p/shop/index.ts")).toEqual(["shop", "/p/shop/config.json"]);
    expect(of("/p/shop/index.mjs")).toEqual(["shop", "/p/shop/config.json"]);
    expect(of("/p/index.page.ts")).toEqual(["index.page", "/p/index.page.config.json"]);
  });
});

describe("a fingerprint", () => {
  test("stays while nothing happens to the files, and changes whatever happens to one of them", async () => {
    await using folder = await tempFolder();
    const path = (name: string) => `${folder.path}/${name}`;
    await writeFiles(folder.path, { "a.ts": "1", "b.ts": "1", "v1/c.ts": "same", "v2/c.ts": "same" });
    await symlink("v1", path("current"));
    const files = ["a.ts", "b.ts", "late.ts", "current/c.ts"].map(path);
    const replace = async (name: string, content: string) => {
      await Bun.write(path("draft"), content);
      await rename(path("draft"), path(name));
    };

    const seen = [fingerprint(files)];
    const changes: [what: string, change: () => Promise<unknown>][] = [
      ["changed in place, to the same length", () => Bun.write(path("a.ts"), "2")],
      ["replaced by a like one", () => replace("a.ts", "2")],
      ["made", () => Bun.write(path("late.ts"), "")],
      ["removed", () => rm(path("b.ts"))],
      ["given another time", () => utimes(path("a.ts"), 1, 1)],
      [
        "changed, and given its former time",
        async () => {
          await Bun.write(path("a.ts"), "3");
          await utimes(path("a.ts"), 1, 1);
        },
      ],
      ["opened to others", () => chmod(path("a.ts"), 0o777)],
      [
        "led elsewhere by a link",
        async () => {
          await symlink("v2", path("next"));
          await rename(path("next"), path("current"));
        },
      ],
      [
        "led in a circle",
        async () => {
          await rm(path("late.ts"));
          await symlink("late.ts", path("late.ts"));
        },
      ],
    ];
    for (const [what, change] of changes) {
      // The kernel's clock for files may stand still for some milliseconds.
      await Bun.sleep(12);
      await change();
      const print = fingerprint(files);
      expect(fingerprint(files), `before anything else is ${what}`).toBe(print);
      expect(seen, what).not.toContain(print);
      seen.push(print);
    }
  });

  test("takes the files one by one: two that change places are another list", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, { "a.ts": "1", "b.ts": "22" });
    const [a, b] = [`${folder.path}/a.ts`, `${folder.path}/b.ts`];
    expect(fingerprint([a, b])).not.toBe(fingerprint([b, a]));
    expect(fingerprint([])).toBe(fingerprint([]));
  });
});
