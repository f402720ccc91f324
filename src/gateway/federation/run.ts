/**
 * Carries a plan out: asks the subgraphs in the plan's order and gathers what they answer.
 * Knows plans and how a subgraph is asked; nothing of planning or of the client's answer.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import { GraphQLError } from "graphql";
import type { ErrorCode } from "../../errors.ts";
import {
  type Found,
  fail,
  failBelow,
  find,
  firstKey,
  type Gathered,
  gather,
  place,
  represent,
} from "./gathered.ts";
import type { Call, EntityFetch, Fetch, Plan, Selection } from "./plan.ts";

export interface Question {
  readonly call: Call;
  readonly variables: Record<string, unknown>;
}

export interface RunOptions {
  readonly plan: Plan;
  /** The client's variables. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What there is already; everything is gathered into it. */
  readonly root: Gathered;
  /** Whether an object of a type is one of another, abstract type. */
  readonly isOf: (typename: string, type: string) => boolean;
  ask(question: Question): Promise<ExecutionResult>;
  /** The name of the service that a subgraph is. */
  serviceOf(graph: string): string;
  /** The variables of a request for entities by a field of the subgraph's own. */
  readonly entityArguments: EntityArguments | undefined;
}

export type EntityArguments = (
  graph: string,
  entity: EntityFetch,
  representations: readonly Representation[],
) => Readonly<Record<string, unknown>>;

export type Representation = Readonly<Record<string, unknown>>;

/** The objects of one entity fetch, by their representations. */
interface Batch {
  readonly fetch: Fetch;
  readonly representations: readonly Record<string, unknown>[];
  readonly objects: readonly (readonly Found[])[];
}

/** Of one answer. */
const MOST_ERRORS = 100;

/**
 * Gathers everything, and returns the errors that stand beside a value, so that no place of the tree holds them.
 * `first`: the answer to the plan's first call, where there is one already.
 */
export async function run(options: RunOptions, first?: ExecutionResult): Promise<GraphQLError[]> {
  const errors: GraphQLError[] = [];
  const calls: Promise<void>[] = [];
  for (const [i, call] of options.plan.calls.entries()) {
    // Calls stand behind those that they come after.
    const before = call.after.map((index) => calls[index]);
    const known = i === 0 ? first : undefined;
    const begin = () => carryOut(call, options, errors, known);
    calls.push(before.length === 0 ? begin() : Promise.all(before).then(begin));
  }
  await Promise.all(calls);
  return errors;
}

async function carryOut(
  call: Call,
  { variables: client, root: tree, isOf, ask, serviceOf, entityArguments }: RunOptions,
  left: GraphQLError[],
  known: ExecutionResult | undefined,
): Promise<void> {
  const variables: Record<string, unknown> = {};
  for (const name of call.variables) if (Object.hasOwn(client, name)) variables[name] = client[name];
  const batches = new Map<string, Batch>();
  let isNeeded = false;
  for (const fetch of call.fetches) {
    const { entity } = fetch;
    isNeeded ||= !entity;
    if (!entity) continue;
    const batch = batchOf(fetch, entity, tree, isOf);
    batches.set(entity.alias, batch);
    Object.assign(
      variables,
      entity.field
        ? entityArguments?.(call.graph, entity, batch.representations)
        : { [entity.alias]: batch.representations },
    );
    isNeeded ||= batch.representations.length > 0;
  }
  if (!isNeeded) return;
  const { data, errors: told = [] } = known ?? (await ask({ call, variables }));
  const errors = told.slice(0, MOST_ERRORS);
  const root: Found = { object: tree, path: [] };
  for (const fetch of call.fetches) {
    const batch = fetch.entity && batches.get(fetch.entity.alias);
    if (batch) gatherEntities(batch, data?.[fetch.entity?.alias ?? ""]);
    else if (data) gather(fetch.selection, data, tree);
  }
  for (const error of errors as readonly GraphQLError[]) {
    left.push(...placeError(call, batches, root, error));
  }
  // What has neither an answer nor an error by now.
  const [first] = errors as readonly GraphQLError[];
  const reason = !data && first ? withoutPath(first) : wrongEntities(serviceOf(call.graph));
  for (const { selection, entity } of call.fetches) {
    const batch = entity && batches.get(entity.alias);
    if (batch && !isAnswered(batch, data?.[entity.alias]))
      for (const { object } of batch.objects.flat()) fail(selection, object, reason);
    else if (!entity && !data) fail(selection, tree, reason);
  }
}

function batchOf(fetch: Fetch, entity: EntityFetch, root: Gathered, isOf: RunOptions["isOf"]): Batch {
  const representations: Record<string, unknown>[] = [];
  const objects: Found[][] = [];
  const places = new Map<string, number>();
  for (const found of find(root, entity, isOf)) {
    const fields = represent(entity.fields, found.object);
    if (fields instanceof GraphQLError) fail(fetch.selection, found.object, fields);
    if (fields === undefined || fields instanceof GraphQLError) continue;
    // A null in a list of keys would make such a field fail for all of them.
    if (entity.field && isLackingKey(entity, fields)) continue;
    const representation = { __typename: entity.typename, ...fields };
    const text = JSON.stringify(representation);
    let place = places.get(text);
    if (place === undefined) {
      place = representations.push(representation) - 1;
      places.set(text, place);
      objects.push([]);
    }
    objects[place]?.push(found);
  }
  return { fetch, representations, objects };
}

function isLackingKey({ keyNames }: EntityFetch, fields: Representation): boolean {
  return keyNames.some((name) => fields[name] === null || fields[name] === undefined);
}

function gatherEntities(batch: Batch, answer: unknown): void {
  if (!isAnswered(batch, answer)) return;
  const { fetch, objects } = batch;
  for (const [i, found] of objects.entries()) {
    const item = answer[i];
    if (item) for (const { object } of found) gather(fetch.selection, item, object);
  }
}

/** Which entity is which, their order alone says: a list of another length says nothing. */
function isAnswered(
  { objects }: Batch,
  answer: unknown,
): answer is readonly (Record<string, unknown> | null)[] {
  return Array.isArray(answer) && answer.length === objects.length;
}

function wrongEntities(service: string): GraphQLError {
  const message = `${service} did not answer with one entity, or null, for each that it was asked for.`;
  const code: ErrorCode = "INVALID_SERVICE_RESPONSE";
  return new GraphQLError(message, { extensions: { code, service } });
}

function withoutPath({ message, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { extensions });
}

/** Returns what has no place in the tree. */
function placeError(
  call: Call,
  batches: ReadonlyMap<string, Batch>,
  root: Found,
  error: GraphQLError,
): GraphQLError[] {
  const [alias, index, ...rest] = error.path ?? [];
  const unplaced = withoutPath(error);
  const batch = batches.get(String(alias));
  if (batch) {
    const hit = typeof index === "number" ? (batch.objects[index] ?? []) : batch.objects.flat();
    return hit.flatMap((found) => place(batch.fetch.selection, found, rest, unplaced) ?? []);
  }
  const left: GraphQLError[] = [];
  for (const { selection, entity } of call.fetches) {
    if (error.path && error.path.length > 0) {
      if (!entity) left.push(...[place(selection, root, error.path, unplaced) ?? []].flat());
    } else if (!entity) {
      left.push(...placeAnywhere(selection, root, unplaced));
    } else {
      for (const { object } of batches.get(entity.alias)?.objects.flat() ?? [])
        fail(selection, object, unplaced);
    }
  }
  return left;
}

/** An error that names no place stands where something is missing; where nothing is, at the first of what was asked. */
function placeAnywhere(selection: Selection, { object, path }: Found, error: GraphQLError): GraphQLError[] {
  if (fail(selection, object, error) || failBelow(selection, object, error)) return [];
  const key = firstKey(selection, object);
  const { message, extensions } = error;
  return [new GraphQLError(message, { path: key === undefined ? path : [...path, key], extensions })];
}
