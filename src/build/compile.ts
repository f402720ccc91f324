/**
 * Compiles src/main.ts and its threads into one executable file for a target, with libSQL's addon and the files that
 * it needs at run time in it. Knows Bun's build; nothing of how many binaries there are to be.
 */
import { rm } from "node:fs/promises";
import { graphqlModules } from "./graphql-modules.ts";
import { libsqlStatic } from "./libsql-static.ts";
import type { Target } from "./targets.ts";

/** By which the bytecode is laid out (start-profile.ts). */
export const START_PROFILE = "src/build/start.order";

/** How many times as often as usual code has to run at the start until the engine compiles it. */
const START_PATIENCE = 8;

/** Throws where it does not compile, with the reasons on standard error. */
export async function compileBinary(
  { bun, name }: Pick<Target, "bun" | "name">,
  { outfile, addon, assets }: { outfile: string; addon: string; assets: readonly string[] },
): Promise<void> {
  const startedAt = performance.now();
  const result = await Bun.build({
    entrypoints: ["src/main.ts", "src/plugins/runner/worker.ts", "src/gateway/federation/thread.ts"],
    target: "bun",
    format: "esm",
    bytecode: true,
    // What a start does not import is not read either: neither its pages nor its functions.
    splitting: true,
    sourcemap: "linked",
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      target: bun,
      outfile,
      assets: ["drizzle", ...assets],
      // The main thread's, until tier-up.ts ends it: compiling what runs once costs more than it saves.
      jitPolicy: START_PATIENCE,
      bytecodeOrder: START_PROFILE,
      // A plugin's own node_modules resolves only with its package.json read.
      autoloadPackageJson: true,
      // Files that happen to lie in the working directory must not change what the binary is.
      autoloadBunfig: false,
      autoloadDotenv: false,
    } as Bun.CompileBuildOptions,
    plugins: [libsqlStatic(addon), graphqlModules],
    throw: false,
  });
  for (const log of result.logs) console.error(String(log));
  if (!result.success) throw new Error(`bobbin does not compile for ${name}`);
  // The maps are in the binary too.
  for (const { kind, path } of result.outputs) if (kind === "sourcemap") await rm(path);
  const megabytes = (Bun.file(outfile).size / 1e6).toFixed(0);
  console.log(`${outfile}: ${megabytes} MB in ${Math.round(performance.now() - startedAt)} ms`);
}
