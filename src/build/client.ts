/**
 * Builds src/client, for other programs: one ES module without imports for browsers and for GET /client.js, the same
 * as CommonJS, an ES module over that for Node (so that a program has one client, however it asks for it), and types.
 * Knows how they are made; not who serves or installs them.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };

const ROOT = join(import.meta.dir, "../..");
const ENTRY = join(ROOT, "src/client/index.ts");
const BANNER = `// bobbin/client ${manifest.version}, MIT License`;

/** The client as one ES module without imports. */
export function clientModule(): Promise<string> {
  return bundle("esm");
}

/** Makes the whole package in `folder`, in place of what was there. Returns the path of the one module. */
export async function buildClient(folder: string): Promise<string> {
  const draft = `${folder}.${crypto.randomUUID()}.tmp`;
  await writePackage(draft);
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return join(folder, "client.js");
}

async function writePackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: string) => Bun.write(join(folder, name), content);
  const [module, common] = await Promise.all([clientModule(), bundle("cjs"), writeTypes(folder)]);
  const names = [...module.matchAll(/^export \{([^}]*)\}/gms)]
    .flatMap(([, list = ""]) => list.split(","))
    .map((name) => name.trim().replace(/^\w+ as /, ""))
    .filter((name) => name !== "");
  if (!names.includes("registerService"))
    throw new Error("the client's exports are written in an unknown form");
  await write("client.js", module);
  await write("index.cjs", common);
  const values = names.map((name) => `export const ${name} = client.${name};\n`).join("");
  await write("index.mjs", `${BANNER}\nimport client from "./index.cjs";\n${values}`);
  await write("package.json", `${JSON.stringify(ownManifest(), null, 2)}\n`);
}

async function bundle(format: "esm" | "cjs"): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [ENTRY],
    // Nothing of Bun's or Node's is put in: the client asks for what there is when it runs.
    target: "browser",
    format,
    banner: BANNER,
    // In an ES module there is none; a bundler that meets the word would look for what it asks for.
    define: format === "esm" ? { require: "undefined" } : {},
    minify: { whitespace: false, syntax: true, identifiers: false },
  });
  const [output] = outputs;
  if (!output) throw new Error("the client could not be bundled");
  return output.text();
}

/** One declaration for each file of the client, twice: TypeScript wants to know which kind of module they describe. */
async function writeTypes(folder: string): Promise<void> {
  const types = join(folder, "types");
  const options =
    "--ignoreConfig --emitDeclarationOnly --declaration --noEmit false --allowImportingTsExtensions --target ES2022 --lib ES2022,DOM,DOM.Iterable --module Preserve --moduleResolution bundler --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --types";
  const command = [join(ROOT, "node_modules/.bin/tsc"), ENTRY, ...options.split(" "), "", "--outDir", types];
  const tsc = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const said = await new Response(tsc.stdout).text();
  if ((await tsc.exited) !== 0) throw new Error(`the client's types could not be made:\n${said}`);
  for (const path of [...new Bun.Glob("**/*.d.ts").scanSync(types)]) {
    const text = await Bun.file(join(types, path)).text();
    for (const [ending, imported] of [
      ["d.ts", "js"],
      ["d.cts", "cjs"],
    ]) {
      const linked = text.replace(/(from "\.[^"]*)\.ts"/g, `$1.${imported}"`);
      await Bun.write(join(types, path.replace(/d\.ts$/, ending as string)), linked);
    }
  }
}

/** The folder is a package by itself, which depends on nothing: to be installed from where it lies. */
function ownManifest() {
  const { name, version, license } = manifest;
  const here = (path: string) => path.replace("./dist/client/", "./");
  const moved = JSON.stringify(manifest.exports, (_key, value) =>
    typeof value === "string" ? here(value) : value,
  );
  return { name, version, license, type: "module", engines: manifest.engines, exports: JSON.parse(moved) };
}
