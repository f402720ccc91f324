/**
 * Makes libSQL's native part a part of the binary: its loader computes the package's name, which a bundler cannot
 * follow, so the computed `require` becomes a literal one. Knows libsql's loader and nothing else.
 */
import type { BunPlugin } from "bun";

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template
const COMPUTED_REQUIRE = "require(`@libsql/${target}`)";

/** `addon`: the path of the addon's file. */
export function libsqlStatic(addon: string): BunPlugin {
  return {
    name: "libsql static",
    setup(build) {
      build.onLoad({ filter: /node_modules[/\\]libsql[/\\]index\.js$/ }, async ({ path }) => {
        const source = await Bun.file(path).text();
        if (!source.includes(COMPUTED_REQUIRE)) {
          throw new Error(`${path} has no ${COMPUTED_REQUIRE} any more: look how it loads its addon now`);
        }
        const contents = source.replace(COMPUTED_REQUIRE, `require(${JSON.stringify(addon)})`);
        return { contents, loader: "js" };
      });
    },
  };
}
