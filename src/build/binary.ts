/**
 * `npm run build`: compiles src/main.ts, libSQL's addon, the migrations and the types for editors into dist/bobbin.
 */
import { familySync, GLIBC } from "detect-libc";
import { writeAsset } from "../plugins/editor/files.ts";
import { libsqlStatic } from "./libsql-static.ts";

const outfile = "dist/bobbin";

/** The addon's package for the machine that builds. */
function libsqlTarget(): string {
  const { platform, arch } = process;
  if (platform === "linux")
    return `linux-${arch}-${familySync() === GLIBC || !familySync() ? "gnu" : "musl"}`;
  return platform === "win32" ? "win32-x64-msvc" : `${platform}-${arch}`;
}

const startedAt = performance.now();
const result = await Bun.build({
  entrypoints: ["src/main.ts", "src/plugins/runner/worker.ts", "src/gateway/federation/thread.ts"],
  target: "bun",
  format: "esm",
  bytecode: true,
  sourcemap: "linked",
  minify: { whitespace: true, syntax: true, identifiers: false },
  define: { "process.env.NODE_ENV": '"production"' },
  compile: {
    outfile,
    assets: ["drizzle", await writeAsset("dist")],
    // A plugin's own node_modules resolves only with its package.json read.
    autoloadPackageJson: true,
    // Files that happen to lie in the working directory must not change what the binary is.
    autoloadBunfig: false,
    autoloadDotenv: false,
  } as Bun.CompileBuildOptions,
  plugins: [libsqlStatic(libsqlTarget())],
  throw: false,
});
for (const log of result.logs) console.error(String(log));
if (!result.success) process.exit(1);
const megabytes = (Bun.file(outfile).size / 1e6).toFixed(0);
console.log(`${outfile}: ${megabytes} MB in ${Math.round(performance.now() - startedAt)} ms`);
