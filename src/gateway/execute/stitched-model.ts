/**
 * The services of an island that is stitched, as a supergraph: their operations are planned and carried out as those
 * of federated services are, only that entities are asked for by the fields which the services declare for that.
 * Knows services' schemas and merge rules; nothing of operations.
 */
import type { MergedTypeConfig, MergedTypeEntryPoint } from "@graphql-tools/delegate";
import {
  type ExecutionRequest,
  type ExecutionResult,
  type Executor,
  isAsyncIterable,
  mapAsyncIterator,
} from "@graphql-tools/utils";
import { buildSchema, type DocumentNode, type GraphQLSchema } from "graphql";
import type { Island } from "../compose/island.ts";
import { argumentVariable } from "../federation/assemble.ts";
import type { FederationOptions } from "../federation/executor.ts";
import { Supergraph } from "../federation/supergraph.ts";
import { OwnNames } from "../subgraph/own-names.ts";
import { rootName, rootTypes } from "../subgraph/reshape.ts";
import { sdlOf } from "../subgraph/schema-text.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { readLiteralsExactly } from "../values/exact-inputs.ts";
import { type Entry, entryOf } from "./merge-entries.ts";
import { Lists, oneByOne } from "./one-by-one.ts";
import { type Member, supergraphDocument } from "./supergraph-document.ts";

/** By graph, type and key. */
type Entries = Map<string, Entry>;

const idOf = (graph: string, typename: string, key: string) => `${graph} ${typename} ${key}`;

interface Model {
  readonly options: FederationOptions;
  /** Whether all services are asked as the plans say. */
  readonly isAsShown: boolean;
}

const models = new WeakMap<Island, Model | null>();

/** Undefined where a service declares what is not planned. */
export function interpretedModel(island: Island): FederationOptions | undefined {
  return modelOf(island)?.options;
}

/** The same of services that are shown as they are, and asked for lists: those that code can be made for. */
export function stitchedModel(island: Island): FederationOptions | undefined {
  const model = modelOf(island);
  return model?.isAsShown ? model.options : undefined;
}

function modelOf(island: Island): Model | undefined {
  let model = models.get(island);
  if (model === undefined) {
    model = island.group ? null : (newModel(island) ?? null);
    models.set(island, model);
  }
  return model ?? undefined;
}

function newModel(island: Island): Model | undefined {
  const entries: Entries = new Map();
  const members: Asked[] = [];
  for (const [i, subgraph] of island.subgraphs.entries()) {
    const member = memberOf(`S${i}`, subgraph, entries);
    if (!member) return undefined;
    members.push(member);
  }
  const supergraph = new Supergraph(supergraphDocument(members));
  const byGraph = new Map(members.map((member) => [member.graph, member]));
  let executed: GraphQLSchema | undefined;
  const options: FederationOptions = {
    supergraph: () => supergraph,
    schema: () => {
      executed ??= executedSchema(members, island);
      return executed;
    },
    asked: (graph) => byGraph.get(graph)?.schema ?? failing(graph),
    isOwnSchema: true,
    executor: (graph) => byGraph.get(graph)?.executor ?? failing(graph),
    entityField: (graph, typename, key) => entries.get(idOf(graph, typename, key))?.field,
    entityArguments: (graph, { typename, key, alias }, representations) => {
      const values = entries.get(idOf(graph, typename, key))?.valuesOf(representations) ?? {};
      return Object.fromEntries(
        Object.entries(values).map(([name, value]) => [argumentVariable(alias, name), value]),
      );
    },
  };
  return { options, isAsShown: members.every(({ isAsShown }) => isAsShown) };
}

/** What the graph shows of the services, without stitching's resolvers. */
function executedSchema([first, ...others]: readonly Asked[], { shown }: Island): GraphQLSchema {
  const hasStandardRoots = ({ schema }: Asked) =>
    rootTypes(schema).every(({ operation, type }) => type.name === rootName(operation));
  if (first && others.length === 0 && hasStandardRoots(first)) return first.schema;
  return readLiteralsExactly(buildSchema(sdlOf(shown), { assumeValid: true }));
}

interface Asked extends Member {
  readonly executor: Executor;
  /** Whether it is asked under the names that the graph shows, for lists where it is asked by keys. */
  readonly isAsShown: boolean;
}

function failing(graph: string): never {
  throw new Error(`no service of the island is ${graph}`);
}

/** Whether it is shown in another form than it has. */
export function isShaped({ source: { hide = [], rename = {}, namespace } }: Subgraph): boolean {
  return hide.length > 0 || Object.keys(rename).length > 0 || namespace !== null;
}

function memberOf(graph: string, subgraph: Subgraph, entries: Entries): Asked | undefined {
  const { config, name, own, source } = subgraph;
  if (!config || !own) return undefined;
  const names = isShaped(subgraph) ? new OwnNames(own, source) : undefined;
  const schema = names?.shown ?? (config.schema as GraphQLSchema);
  const lists = new Lists();
  const keys = new Map<string, string[]>();
  const requires = new Map<string, string>();
  for (const [type, rule] of Object.entries(config.merge ?? {})) {
    for (const point of pointsOf(rule)) {
      const entry = entryOf(schema, point, lists);
      const key = entry && selectionText(point.selectionSet);
      if (!entry || !key) return undefined;
      entries.set(idOf(graph, type, key), entry);
      keys.set(type, [...(keys.get(type) ?? []), key]);
    }
    for (const [field, text] of computedOf(rule)) requires.set(`${type}.${field}`, text);
  }
  const points = Object.values(config.merge ?? {}).flatMap(pointsOf);
  const isOneByOne = points.some(({ args }) => args);
  const asked = names ? translated(subgraph.executor, names, own) : subgraph.executor;
  const executor = isOneByOne ? oneByOne(asked, lists) : asked;
  const isAsShown = !names && !isOneByOne;
  return { graph, name, schema, executor, isAsShown, keys, requires };
}

function pointsOf(rule: MergedTypeConfig): readonly MergedTypeEntryPoint[] {
  return rule.entryPoints ?? (rule.fieldName === undefined ? [] : [rule]);
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

/** Asks in the service's names, and answers in the graph's. */
function translated(executor: Executor, names: OwnNames, schema: GraphQLSchema): Executor {
  /** A plan's documents are asked again and again. */
  const documents = new WeakMap<DocumentNode, DocumentNode>();
  return (async (request: ExecutionRequest) => {
    const document = documents.get(request.document) ?? names.asked(request.document);
    documents.set(request.document, document);
    const answer = await executor({ ...request, document, schema } as ExecutionRequest);
    const shown = (result: ExecutionResult) => {
      names.answered(result.data, document);
      return result;
    };
    return isAsyncIterable(answer) ? mapAsyncIterator(answer, shown) : shown(answer as ExecutionResult);
  }) as Executor;
}
