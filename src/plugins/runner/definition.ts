/**
 * What a plugin's entry may export: checks it, and makes what the host is told of it. Pure.
 * Knows the definition; nothing of how code is loaded, run or served.
 */
import { BobbinError, type Place } from "../../errors.ts";
import { metadataProblems } from "../../registry/metadata.ts";
import { NAME_RULE } from "../../registry/service.ts";
import type { Isolation, PluginDefinition } from "../define-plugin.ts";

/** What the host knows of one version of a plugin: plain data. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly displayName?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly dependencies?: readonly string[] | undefined;
  readonly metadata?: Record<string, unknown> | undefined;
  readonly isolation: Isolation;
  /** The schema as the plugin has it, merge declarations included. */
  readonly sdl: string;
  /** Whether it answers HTTP requests. */
  readonly answersHttp: boolean;
}

/** The definition, or PLUGIN_INVALID. */
export function checkDefinition(value: unknown, file: string, isolation: string): PluginDefinition {
  const refuse = (problem: string) => invalid(`${file}: ${problem}`, { file });
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse("there is no default export made by definePlugin({ … })");
  const definition = value as Record<string, unknown>;
  const { name, version, typeDefs, resolvers } = definition;
  if (typeof name !== "string" || !NAME_RULE.test(name))
    throw refuse(`name ${JSON.stringify(name)} does not match ${NAME_RULE.source}`);
  if (typeof version !== "string" || version === "") throw refuse("version must be a text");
  if (typeof typeDefs !== "string") throw refuse("typeDefs must be SDL as a text");
  if (resolvers !== undefined && (typeof resolvers !== "object" || resolvers === null))
    throw refuse("resolvers must be an object");
  const problem = optionalProblem(definition);
  if (problem) throw refuse(problem);
  const { isolation: defined = "worker" } = definition;
  if (defined !== isolation) {
    throw refuse(
      `isolation is ${JSON.stringify(defined)}, but what is written out in this file is "${isolation}": write it here as "worker", "inline" or "process"`,
    );
  }
  return value as PluginDefinition;
}

/** What is wrong with the parts that a definition may leave out, or undefined. */
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
  for (const key of ["setup", "dispose", "health", "fetch"]) {
    const value = definition[key];
    if (value !== undefined && typeof value !== "function") return `${key} must be a function`;
  }
  const { metadata, config } = definition;
  if (config !== undefined && typeof config !== "function" && !isStandardSchema(config))
    return "config must be a function or a Standard Schema, such as a schema of zod or valibot";
  if (metadata === undefined) return undefined;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    return "metadata must be an object";
  const [problem] = metadataProblems(metadata as Record<string, unknown>);
  return problem && `${problem.field} ${problem.rule}`;
}

function isStandardSchema(value: unknown): boolean {
  const standard = (value as { "~standard"?: { validate?: unknown } } | null)?.["~standard"];
  return typeof standard?.validate === "function";
}

export function manifestOf(definition: PluginDefinition, sdl: string): Manifest {
  const { name, version, displayName, description, tags, dependencies, metadata, fetch } = definition;
  const { isolation = "worker" } = definition;
  return {
    name,
    version,
    displayName,
    description,
    tags,
    dependencies,
    metadata,
    isolation,
    sdl,
    answersHttp: fetch !== undefined,
  };
}

function invalid(message: string, place: Place): BobbinError {
  return new BobbinError("PLUGIN_INVALID", message, { place, step: "definition" });
}
