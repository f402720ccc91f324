/**
 * Makes libSQL's native part a part of the binary: its loader finds out at each start what system this is (on Linux by
 * a report of the whole process) and computes the package's name of that, which a bundler cannot follow. Here a literal
 * `require` of the addon takes the loader's place. Knows libsql's loader and nothing else.
 */
import type { BunPlugin } from "bun";

/** What asks for the system, and how its answer is used. */
const REPLACED = [
  'const { load, currentTarget } = require("@neon-rs/load");',
  'const { familySync, GLIBC, MUSL } = require("detect-libc");',
  "} = requireNative();",
] as const;

/** `addon`: the path of the addon's file. */
export function libsqlStatic(addon: string): BunPlugin {
  return {
    name: "libsql static",
    setup(build) {
      build.onLoad({ filter: /node_modules[/\\]libsql[/\\]index\.js$/ }, async ({ path }) => {
        const source = await Bun.file(path).text();
        const missing = REPLACED.find((text) => !source.includes(text));
        if (missing) throw new Error(`${path} has no ${missing} any more: look how it loads its addon now`);
        const [load, detect, use] = REPLACED;
        const contents = source
          .replace(load, "")
          .replace(detect, "")
          .replace(use, `} = require(${JSON.stringify(addon)});`);
        return { contents, loader: "js" };
      });
    },
  };
}
