/**
 * The services of an island that is stitched, as a supergraph: their operations are planned and carried out as those
 * of federated services are, only that entities are asked for by the fields which the services declare for that.
 * Knows services' schemas and merge rules; nothing of operations.
 */
import type { MergedTypeConfig, MergedTypeEntryPoint } from "@graphql-tools/delegate";
import { buildSchema, type GraphQLSchema, getNullableType, isListType, parseType } from "graphql";
import type { Island } from "../compose/island.ts";
import { argumentVariable } from "../federation/assemble.ts";
import type { FederationOptions } from "../federation/executor.ts";
import type { EntityField } from "../federation/plan.ts";
import { Supergraph } from "../federation/supergraph.ts";
import { sdlOf } from "../subgraph/schema-text.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import { type Member, supergraphDocument } from "./supergraph-document.ts";

/** A way to ask a service for entities of a type. */
interface Entry {
  readonly field: EntityField;
  readonly key: NonNullable<MergedTypeEntryPoint["key"]>;
  readonly argsFromKeys: NonNullable<MergedTypeEntryPoint["argsFromKeys"]>;
}

/** By graph, type and key. */
type Entries = Map<string, Entry>;

const idOf = (graph: string, typename: string, key: string) => `${graph} ${typename} ${key}`;

const models = new WeakMap<Island, FederationOptions | null>();

/** Undefined where a service is shown otherwise than it is, or declares what is not planned. */
export function stitchedModel(island: Island): FederationOptions | undefined {
  let model = models.get(island);
  if (model === undefined) {
    model = island.group ? null : (modelOf(island) ?? null);
    models.set(island, model);
  }
  return model ?? undefined;
}

function modelOf({ subgraphs, schema: stitched }: Island): FederationOptions | undefined {
  const entries: Entries = new Map();
  const members: Member[] = [];
  for (const [i, subgraph] of subgraphs.entries()) {
    const member = memberOf(`S${i}`, subgraph, entries);
    if (!member) return undefined;
    members.push(member);
  }
  const supergraph = new Supergraph(supergraphDocument(members));
  const executors = new Map(members.map(({ graph }, i) => [graph, (subgraphs[i] as Subgraph).executor]));
  const schemas = new Map(members.map(({ graph, schema }) => [graph, schema]));
  let executed: GraphQLSchema | undefined;
  return {
    supergraph: () => supergraph,
    schema: () => {
      // Without stitching's resolvers.
      executed ??= readLiteralsExactly(buildSchema(sdlOf(stitched), { assumeValid: true }));
      return executed;
    },
    asked: (graph) => schemas.get(graph) ?? failing(graph),
    isOwnSchema: true,
    executor: (graph) => executors.get(graph) ?? failing(graph),
    entityField: (graph, typename, key) => entries.get(idOf(graph, typename, key))?.field,
    entityArguments: (graph, { typename, key, alias }, representations) => {
      const entry = entries.get(idOf(graph, typename, key));
      if (!entry) return {};
      const args = entry.argsFromKeys(representations.map((each) => entry.key(each)));
      return Object.fromEntries(
        Object.entries(args).map(([name, value]) => [argumentVariable(alias, name), value]),
      );
    },
  };
}

function failing(graph: string): never {
  throw new Error(`no service of the island is ${graph}`);
}

function memberOf(graph: string, subgraph: Subgraph, entries: Entries): Member | undefined {
  const { config, source, name } = subgraph;
  const { hide = [], rename = {}, namespace } = source;
  const isShaped = hide.length > 0 || Object.keys(rename).length > 0 || namespace !== null;
  if (!config || isShaped) return undefined;
  const schema = config.schema as GraphQLSchema;
  const keys = new Map<string, string[]>();
  const requires = new Map<string, string>();
  for (const [type, rule] of Object.entries(config.merge ?? {})) {
    const points = rule.entryPoints ?? (rule.fieldName === undefined ? [] : [rule]);
    for (const point of points) {
      const entry = entryOf(schema, point);
      const key = entry && selectionText(point.selectionSet);
      if (!entry || !key) return undefined;
      entries.set(idOf(graph, type, key), entry);
      keys.set(type, [...(keys.get(type) ?? []), key]);
    }
    for (const [field, text] of computedOf(rule)) requires.set(`${type}.${field}`, text);
  }
  return { graph, name, schema, keys, requires };
}

/** Undefined for a field that serves single objects: how many requests it takes is not known beforehand. */
function entryOf(
  schema: GraphQLSchema,
  { fieldName, key, argsFromKeys }: MergedTypeEntryPoint,
): Entry | undefined {
  const field = fieldName === undefined ? undefined : schema.getQueryType()?.getFields()[fieldName];
  if (!field || !key || !argsFromKeys || !isListType(getNullableType(field.type))) return undefined;
  const names = Object.keys(argsFromKeys([]));
  const args = field.args
    .filter(({ name }) => names.includes(name))
    .map(({ name, type }) => ({ name, type: parseType(String(type), { noLocation: true }) }));
  return { field: { name: field.name, args }, key, argsFromKeys };
}

function computedOf({ fields = {} }: MergedTypeConfig): [field: string, requires: string][] {
  return Object.entries(fields).flatMap(([field, { selectionSet, computed }]) => {
    const text = computed && selectionText(selectionSet);
    return text ? [[field, text]] : [];
  });
}

/** `{ id }` → `id` */
function selectionText(set: string | undefined): string | undefined {
  return set
    ?.trim()
    .replace(/^\{|\}$/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
