/**
 * Takes graphql-js into the binary as the ES modules that its package has. The bundler would take the CommonJS ones
 * beside them: 130 functions to call at each start, and every use of a name a call of a getter.
 * Knows graphql's package and nothing else.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { BunPlugin } from "bun";

export const graphqlModules: BunPlugin = {
  name: "graphql as ES modules",
  setup(build) {
    build.onResolve({ filter: /^graphql(\/|$)/ }, ({ path, importer }) => {
      const script = Bun.resolveSync(path, dirname(importer));
      const module = script.replace(/\.js$/, ".mjs");
      if (!existsSync(module)) throw new Error(`${script} has no ES module beside it any more`);
      return { path: module };
    });
  },
};
