/**
 * The types of the package "graphql" as one file. Knows how that package writes its declarations, and throws where it
 * does so otherwise; nothing of who needs them.
 */
import { dirname, join } from "node:path";

/** Statements that name another module. In these files each begins a line and ends with the first semicolon. */
const FROM_STATEMENT = /^(import|export)(?: type)? (\{[^;]*\}|\*) from '(\.[^']*)';\n/gm;
const LOCAL_EXPORTS = /^export \{[^;]*\};\n/gm;
const DECLARATION =
  /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|enum|const|function) (\w+)/gm;

interface Module {
  readonly path: string;
  readonly text: string;
  /** Top-level name → whether it is exported. */
  readonly names: ReadonlyMap<string, boolean>;
}

/** One module with everything that `entry`, the package's index.d.ts, exports. */
export async function flattenTypes(entry: string): Promise<string> {
  const modules = await modulesFrom(entry);
  const exported = exportedNames(modules[0]?.text ?? "");
  const texts = withoutClashes(modules).map(({ text }) =>
    text
      .replace(FROM_STATEMENT, "")
      .replace(LOCAL_EXPORTS, "")
      .replace(/^export /gm, ""),
  );
  const left = texts.join("\n").match(/^(import|default)\b.*/m);
  if (left) throw new Error(`graphql's types have a statement of an unknown form: ${left[0]}`);
  const renamed = renamedExports(modules);
  const list = exported.map((name) => (renamed.has(name) ? `${renamed.get(name)} as ${name}` : name));
  return `${texts.join("\n")}\nexport { ${list.join(", ")} };\n`;
}

/** The entry and every module that it needs, each once. */
async function modulesFrom(entry: string): Promise<Module[]> {
  const paths = new Set([entry]);
  const modules: Module[] = [];
  for (const path of paths) {
    const text = await Bun.file(path).text();
    const names = new Map<string, boolean>();
    for (const [, isExported, name = ""] of text.matchAll(DECLARATION)) names.set(name, Boolean(isExported));
    modules.push({ path, text, names });
    for (const [, , , to = ""] of text.matchAll(FROM_STATEMENT))
      paths.add(await fileOf(join(dirname(path), to)));
  }
  return modules;
}

async function fileOf(path: string): Promise<string> {
  return (await Bun.file(`${path}.d.ts`).exists()) ? `${path}.d.ts` : `${path}/index.d.ts`;
}

/** What the index exports, which names each of them. */
function exportedNames(index: string): string[] {
  return [...index.matchAll(FROM_STATEMENT)].flatMap(([, , list = ""]) => {
    if (list === "*") throw new Error("graphql's index exports what it does not name");
    return namesIn(list).map(([, name]) => name);
  });
}

/** `{ a, b as c }` as [a, a], [b, c]. */
function namesIn(list: string): [string, string][] {
  const words = list.replace(/\/\*.*?\*\/|\/\/.*$/gms, "").match(/\w+(?: as \w+)?/g) ?? [];
  return words.map((word) => {
    const [name = "", other = name] = word.split(" as ");
    return [name, other];
  });
}

/** Exports that have another name where they are declared. */
function renamedExports(modules: readonly Module[]): Map<string, string> {
  const renamed = new Map<string, string>();
  for (const { text } of modules) {
    for (const [, keyword, list = ""] of text.matchAll(FROM_STATEMENT)) {
      for (const [name, other] of namesIn(list)) {
        if (name === other) continue;
        if (keyword === "import") throw new Error(`graphql's types import ${name} under another name`);
        renamed.set(other, name);
      }
    }
  }
  return renamed;
}

/** The modules; what one declares for itself under a name that another exports has another name there. */
function withoutClashes(modules: readonly Module[]): Module[] {
  return modules.map((module, index) => {
    let { text } = module;
    for (const [name, isExported] of module.names) {
      const others = modules.filter((other) => other !== module && other.names.has(name));
      if (others.length === 0) continue;
      if (!isExported) text = text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), `${name}${index}`);
      else if (others.some(({ names }) => names.get(name)))
        throw new Error(`two modules of graphql export types named ${name}`);
    }
    return { ...module, text };
  });
}
