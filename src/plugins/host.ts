/**
 * Turns a folder into services: finds plugins, loads and checks them, and answers for their schemas.
 * Knows plugins; nothing of the registry's inside, of composing or of doors.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { createDefaultExecutor } from "@graphql-tools/delegate";
import { makeExecutableSchema } from "@graphql-tools/schema";
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import { type GraphQLSchema, printSchema } from "graphql";
import { BobbinError, messageOf, type Place } from "../errors.ts";
import type { Log } from "../log.ts";
import { metadataProblems } from "../registry/metadata.ts";
import { NAME_RULE } from "../registry/service.ts";
import { loadDefaultExport, shown } from "./bundle.ts";
import type { PluginDefinition } from "./define-plugin.ts";

/** A plugin that was found: one that can serve, or the reason why it cannot. */
export interface Plugin {
  /** Of its definition; of its file where there is none. */
  readonly name: string;
  /** Path of its entry. */
  readonly entry: string;
  readonly definition: PluginDefinition | undefined;
  readonly serving:
    | { readonly schema: GraphQLSchema; readonly sdl: string; readonly execute: Executor }
    | BobbinError;
}

const ENTRY = /^[^._].*\.[jt]s$/;
const NOT_ENTRY = /\.(d|test|spec)\.[jt]s$/;
const CALL_DEADLINE_MS = 10_000;
const MAX_PLUGINS = 1_000;

export class PluginHost {
  readonly #folder: string;
  readonly #log: Log;
  #plugins = new Map<string, Plugin>();

  constructor(folder: string, log: Log) {
    this.#folder = resolve(folder);
    this.#log = log;
  }

  /** Loads every plugin of the folder, which may be missing. One that fails hurts no other. */
  async load(): Promise<void> {
    const found: Plugin[] = [];
    for (const entry of await findEntries(this.#folder)) found.push(await loadPlugin(entry));
    // A name that is only made of a broken plugin's file must not be in the way of one that somebody chose.
    found.sort((a, b) => Number(a.definition === undefined) - Number(b.definition === undefined));
    const plugins = new Map<string, Plugin>();
    for (const plugin of found) {
      const { name, definition, serving } = plugin;
      const other = plugins.get(name);
      if (serving instanceof BobbinError) this.#logRefusal(name, serving);
      else if (other) this.#logRefusal(name, sameName(plugin, other));
      else this.#log.info({ plugin: name, version: definition?.version }, "plugin loaded");
      if (!other) plugins.set(name, plugin);
    }
    this.#plugins = plugins;
  }

  /** Gives up a plugin that cannot be registered, such as one whose name belongs to another service. */
  refuseName({ name, error }: { name: string; error: BobbinError }): void {
    const plugin = this.#plugins.get(name);
    if (!plugin) return;
    this.#plugins.delete(name);
    const place = { file: shown(plugin.entry) };
    const code = error.code === "NAME_TAKEN" ? "NAME_TAKEN" : "PLUGIN_INVALID";
    this.#logRefusal(name, new BobbinError(code, `${place.file}: ${error.message}`, { place }));
  }

  list(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  get(name: string): Plugin | undefined {
    return this.#plugins.get(name);
  }

  #logRefusal(name: string, { code, message, place }: BobbinError): void {
    this.#log.error({ plugin: name, code, reason: message, ...place }, "plugin refused");
  }
}

async function findEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new BobbinError(
      "PLUGIN_LOAD_FAILED",
      `the plugin folder ${folder} cannot be read: ${error.message}`,
      { cause: error },
    );
  });
  const entries: string[] = [];
  for (const name of names.sort().slice(0, MAX_PLUGINS)) {
    if (ENTRY.test(name) && !NOT_ENTRY.test(name)) entries.push(join(folder, name));
    else if (/^[^._]/.test(name) && name !== "node_modules")
      entries.push(...(await indexOf(join(folder, name))));
  }
  return entries;
}

async function indexOf(folder: string): Promise<string[]> {
  for (const name of ["index.ts", "index.js"]) {
    const path = join(folder, name);
    if (await isFile(path)) return [path];
  }
  return [];
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Missing, or a plain file where a folder would be: no entry.
    return false;
  }
}

async function loadPlugin(entry: string): Promise<Plugin> {
  const fileName = basename(entry).startsWith("index.")
    ? basename(join(entry, ".."))
    : basename(entry).replace(/\.[jt]s$/, "");
  let definition: PluginDefinition | undefined;
  try {
    definition = checkDefinition(await loadDefaultExport(entry), entry);
    const { typeDefs, resolvers = {} } = definition;
    const schema = makeExecutableSchema({ typeDefs, resolvers: resolvers as never });
    const execute = withDeadline(definition.name, createDefaultExecutor(schema));
    return {
      name: definition.name,
      entry,
      definition,
      serving: { schema, sdl: printSchema(schema), execute },
    };
  } catch (error) {
    const place = { file: shown(entry) };
    const refusal =
      error instanceof BobbinError ? error : invalid(`${place.file}: ${messageOf(error)}`, place);
    return { name: definition?.name ?? nameFrom(fileName), entry, definition, serving: refusal };
  }
}

/** A name that a plugin without a usable definition can be shown under. */
function nameFrom(fileName: string): string {
  const name = fileName
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "")
    .slice(0, 64);
  return NAME_RULE.test(name) ? name : "unnamed-plugin";
}

function checkDefinition(value: unknown, entry: string): PluginDefinition {
  const place = { file: shown(entry) };
  if (typeof value !== "object" || value === null) {
    throw invalid(`${place.file} has no default export made by definePlugin({ … })`, place);
  }
  const { name, version, typeDefs, resolvers } = value as Record<string, unknown>;
  if (typeof name !== "string" || !NAME_RULE.test(name)) {
    throw invalid(`${place.file}: name ${JSON.stringify(name)} does not match ${NAME_RULE.source}`, place);
  }
  if (typeof version !== "string" || version === "")
    throw invalid(`${place.file}: version must be a text`, place);
  if (typeof typeDefs !== "string") throw invalid(`${place.file}: typeDefs must be SDL as a text`, place);
  if (resolvers !== undefined && (typeof resolvers !== "object" || resolvers === null)) {
    throw invalid(`${place.file}: resolvers must be an object`, place);
  }
  const problem = optionalProblem(value as Record<string, unknown>);
  if (problem) throw invalid(`${place.file}: ${problem}`, place);
  return value as PluginDefinition;
}

/** What is wrong with the fields that a definition may leave out, or undefined. */
function optionalProblem(definition: Record<string, unknown>): string | undefined {
  for (const key of ["displayName", "description"]) {
    const value = definition[key];
    if (value !== undefined && typeof value !== "string") return `${key} must be a text`;
  }
  for (const key of ["tags", "dependencies"]) {
    const value = definition[key];
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    if (value !== undefined && !isList) return `${key} must be a list of texts`;
  }
  const { metadata } = definition;
  if (metadata === undefined) return undefined;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    return "metadata must be an object";
  const [problem] = metadataProblems(metadata as Record<string, unknown>);
  return problem && `${problem.field} ${problem.rule}`;
}

function sameName({ name, entry }: Plugin, other: Plugin): BobbinError {
  const place = { file: shown(entry) };
  return invalid(`${place.file}: the plugin ${shown(other.entry)} is named ${name} too`, place);
}

function invalid(message: string, place: Place): BobbinError {
  return new BobbinError("PLUGIN_INVALID", message, { place });
}

/** Gives up a resolver that does not come back. */
function withDeadline(name: string, executor: Executor): Executor {
  return async (request: ExecutionRequest) => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const message = `The plugin ${name} did not answer within ${CALL_DEADLINE_MS} ms.`;
    const timer = setTimeout(() => reject(new BobbinError("SERVICE_TIMEOUT", message)), CALL_DEADLINE_MS);
    try {
      return (await Promise.race([executor(request), late])) as ExecutionResult;
    } finally {
      clearTimeout(timer);
    }
  };
}
