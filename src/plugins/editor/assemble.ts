/**
 * Makes the files that an editor, `tsc` and a plugin's tests need, out of the source tree and its node_modules. Knows
 * what they are; not where they go. In the binary they are there already, made by this at build time.
 */
import { dirname, join } from "node:path";
import { flattenTypes } from "./graphql-types.ts";

/** Path → content. */
export type EditorFiles = Readonly<Record<string, string>>;

const SDK = join(import.meta.dir, "../define-plugin.ts");

/** What the files are made of: changes whenever one of them may. */
export async function stampOfSources(): Promise<string> {
  const own = ["assemble.ts", "graphql-types.ts"].map((name) => join(import.meta.dir, name));
  const packages = ["graphql", "bun-types"].map((name) => join(folderOf(name), "package.json"));
  const hash = new Bun.CryptoHasher("sha256").update(Bun.version);
  for (const path of [SDK, ...own, ...packages]) hash.update(await Bun.file(path).text());
  return hash.digest("hex");
}

export async function assembleFiles(): Promise<EditorFiles> {
  const graphql = folderOf("graphql");
  const licence = `/*\n${await Bun.file(join(graphql, "LICENSE")).text()}*/\n`;
  return {
    ".gitignore": "*\n",
    "bobbin.ts": await Bun.file(SDK).text(),
    "graphql.js": licence + (await bundled(join(graphql, "index.mjs"))),
    "graphql.d.ts": licence + (await flattenTypes(join(graphql, "index.d.ts"))),
    "bun-test.d.ts": await testTypes(),
    "texts.d.ts": TEXTS,
    "tsconfig.json": `${JSON.stringify(TSCONFIG, null, 2)}\n`,
  };
}

/** Files that are imported as texts. */
const TEXTS = ["graphql", "gql", "txt", "md"]
  .map((ending) => `declare module "*.${ending}" {\n  const text: string;\n  export default text;\n}\n`)
  .join("");

/** To be extended: its paths are relative to itself. Without an ending "graphql" is the types to tsc, the code to Bun. */
const TSCONFIG = {
  compilerOptions: {
    target: "ESNext",
    module: "Preserve",
    moduleResolution: "bundler",
    lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowJs: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    paths: { bobbin: ["./bobbin.ts"], graphql: ["./graphql"] },
  },
  files: ["./bun-test.d.ts", "./texts.d.ts"],
  include: ["../**/*"],
};

function folderOf(name: string): string {
  return dirname(Bun.resolveSync(`${name}/package.json`, import.meta.dir));
}

/** The package as one module, its names as they are, for stacks that can be read. */
async function bundled(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  const [output] = outputs;
  if (!output) throw new Error(`${entry} could not be bundled`);
  return output.text();
}

/** The types of "bun:test", without the one declaration that comes from another file. */
async function testTypes(): Promise<string> {
  const text = await Bun.file(join(folderOf("bun-types"), "test.d.ts")).text();
  return `// From bun-types ${Bun.version}, MIT License: https://github.com/oven-sh/bun\n${text.replace(/^.*import\("\.\/vendor.*\n/gm, "")}`;
}
