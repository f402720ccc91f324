/**
 * The house rules that a reader relies on: imports run one way, only main.ts touches the process, every file says
 * what it owns, and the README's tables are the code's own.
 */
import { describe, expect, test } from "bun:test";
import { join, relative } from "node:path";
import { OPTIONS } from "../src/config.ts";
import { ERROR_TABLE } from "../src/errors.ts";
import { REASONS } from "../src/gateway/quick/uncompilable.ts";

const ROOT = join(import.meta.dir, "..");
const SRC = join(ROOT, "src");

const files = new Map<string, string>();
for (const path of new Bun.Glob("**/*.ts").scanSync(SRC))
  files.set(path, await Bun.file(join(SRC, path)).text());

/** Module → the modules of src that it imports, types included. */
const imports = new Map<string, string[]>();
for (const [path, text] of files) {
  const found = [...text.matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+\.ts)"/gms)].map(([, target = ""]) =>
    relative(SRC, join(SRC, path, "..", target)),
  );
  imports.set(path, found);
}

const importsOf = (folder: RegExp): [string, string][] =>
  [...imports]
    .filter(([path]) => folder.test(path))
    .flatMap(([path, targets]) => targets.map((to) => [path, to] as [string, string]));

const SHARED = /^(clock|compiled|errors|events|http|log|unix-url|until-aborted)\.ts$/;
const NOUN = /^registry\/(service|metadata)\.ts$/;

describe("imports", () => {
  test("were found at all", () => {
    expect(imports.get("app.ts")?.length).toBeGreaterThan(10);
  });

  test("the noun imports nothing", () => {
    expect(importsOf(NOUN)).toEqual([]);
  });

  for (const part of ["health", "plugins", "gateway"]) {
    test(`${part} knows the noun and what is shared, not the other parts nor the registry's inside`, () => {
      const foreign = importsOf(new RegExp(`^${part}/`)).filter(
        ([, to]) => !to.startsWith(`${part}/`) && !SHARED.test(to) && !NOUN.test(to),
      );
      expect(foreign).toEqual([]);
    });
  }

  test("the folders of the gateway build on each other in one order", () => {
    // "" are the files beside the folders: the composer and what it keeps.
    const order = ["values", "remote", "subgraph", "federation", "compose", "", "execute", "quick"];
    const place = (path: string) => order.indexOf(/^gateway\/(?:([^/]+)\/)?/.exec(path)?.[1] ?? "");
    const within = importsOf(/^gateway\//).filter(([, to]) => to.startsWith("gateway/"));
    expect(within.filter(([from]) => place(from) < 0)).toEqual([]);
    expect(within.filter(([from, to]) => place(to) > place(from))).toEqual([]);
  });

  test("the client knows nothing else, and nothing else knows the client", () => {
    const across = importsOf(/./).filter(
      ([from, to]) => from.startsWith("client/") !== to.startsWith("client/"),
    );
    expect(importsOf(/^client\//).length).toBeGreaterThan(10);
    expect(across).toEqual([]);
  });

  test("the registry knows no other part", () => {
    const foreign = importsOf(/^registry\//).filter(
      ([, to]) => !to.startsWith("registry/") && !SHARED.test(to),
    );
    expect(foreign).toEqual([]);
  });

  test("only the composition roots and the command line import the doors, and only the command line the root", () => {
    const users = importsOf(/./).filter(([from, to]) => to.startsWith("api/") && !from.startsWith("api/"));
    expect([...new Set(users.map(([from]) => from))].sort()).toEqual([
      "app.ts",
      "cli/token.ts",
      "workers/gateway-process.ts",
    ]);
    expect(importsOf(/./).filter(([, to]) => to === "app.ts")).toEqual([["cli/serve.ts", "app.ts"]]);
  });

  test("what checks plugins loads nothing of a server", () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const next of imports.get(path) ?? []) visit(next);
    };
    visit("cli/plugins/check.ts");
    expect(reached).toContain("gateway/compose/compose.ts");
    const ofServers =
      /^(api|health)\/|^(app|cli\/serve|registry\/(registry|database)|gateway\/composer)\.ts$/;
    expect([...reached].filter((path) => ofServers.test(path))).toEqual([]);
  });

  test("make no circle", () => {
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) throw new Error(`circle: ${[...trail, path].join(" → ")}`);
      if (done.has(path)) return;
      for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of imports.keys()) visit(path, []);
  });
});

test("only main.ts, the build, a gateway worker, metrics, and who starts or is a plugin's thread or process touch the process", () => {
  const users = [...files].filter(([, text]) =>
    /(?<![-\w])process\./.test(text.replace(/^\s*(\/?\*|\/\/).*$/gm, "")),
  );
  const paths = users.map(([path]) => path).filter((path) => !path.startsWith("build/"));
  // A plugin's process and thread have entries of their own; own-process.ts is for starting this program once more.
  const entries = ["own-process", "runner/child", "runner/isolation", "runner/worker"];
  const plugins = entries.map((name) => `plugins/${name}.ts`);
  expect(paths.sort()).toEqual(["api/metrics.ts", "main.ts", ...plugins, "workers/worker.ts"]);
});

test("every file begins with what it owns", () => {
  const silent = [...files].filter(([, text]) => !text.startsWith("/**"));
  expect(silent.map(([path]) => path)).toEqual([]);
});

describe("the README", async () => {
  const readme = await Bun.file(join(ROOT, "README.md")).text();

  test("has every code with its status and meaning", () => {
    for (const [code, [status, meaning]] of Object.entries(ERROR_TABLE)) {
      expect(readme).toContain(`| \`${code}\` | ${status} | ${meaning} |`);
    }
  });

  test("has every reason why an answer is not compiled, and no other", () => {
    const [, section = ""] = readme.split("### Which road an answer took");
    const rows = section.split("\n### ")[0]?.matchAll(/^\| `([^`]+)` \|/gm) ?? [];
    expect([...rows].map(([, reason]) => reason)).toEqual([...REASONS]);
  });

  test("has every option with its flag, variable and default", () => {
    for (const { flag, env, shown } of Object.values(OPTIONS)) {
      const name = flag ? `\`${flag.split(" ")[0]}\`` : "";
      const row = readme
        .split("\n")
        .find((line) => line.startsWith(`| ${name}`) && line.includes(`\`${env}\``));
      expect(row, env).toBeDefined();
      expect(row?.replaceAll("`", "")).toContain(shown.split(/[ :]/)[0] as string);
    }
  });
});
