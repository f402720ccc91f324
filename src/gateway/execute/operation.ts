/**
 * Carries out an operation on a snapshot: each part of it on the island whose root fields it asks, by a plan that sees
 * all of it at once where there can be one: of the federated services alone where everything is theirs, of an island of
 * others where it can be planned. Knows snapshots; nothing of doors.
 */
import type { ExecutionRequest, Executor } from "@graphql-tools/utils";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FieldNode,
  FieldsOnCorrectTypeRule,
  getOperationAST,
  getVariableValues,
  KnownTypeNamesRule,
  OperationTypeNode,
  subscribe,
  validate,
} from "graphql";
import type { Island } from "../compose/island.ts";
import type { Snapshot } from "../snapshot.ts";
import { islandExecutor } from "./island-executor.ts";
import { answerKeys, rootFieldsOf, withRootFields } from "./split.ts";

export type OperationArgs = Omit<ExecutionArgs, "schema">;

/** A part of an operation; without an island, what the graph says of itself. */
export interface Part {
  readonly island: Island | undefined;
  readonly document: DocumentNode;
}

export interface Route {
  readonly operation: OperationTypeNode;
  readonly parts: readonly Part[];
}

export async function executeOperation(snapshot: Snapshot, args: OperationArgs): Promise<ExecutionResult> {
  const route = routeOf(snapshot, args);
  const [only] = route?.parts ?? [];
  if (!route || !only) return execute({ ...args, schema: snapshot.schema });
  if (route.parts.length === 1) return executePart(snapshot, only, args);
  const operation = getOperationAST(args.document, args.operationName);
  if (!operation) throw new Error("a route is an operation's");
  // No part is begun where another's variables are wrong.
  const { coerced, errors } = getVariableValues(
    snapshot.schema,
    operation.variableDefinitions ?? [],
    args.variableValues ?? {},
  );
  if (errors) return { errors };
  const results =
    route.operation === OperationTypeNode.MUTATION
      ? await inTurn(route.parts, (part) => executePart(snapshot, part, args))
      : await Promise.all(route.parts.map((part) => executePart(snapshot, part, args)));
  return joined(results, answerKeys(snapshot.schema, args.document, operation, coerced));
}

export async function subscribeOperation(
  snapshot: Snapshot,
  args: OperationArgs,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void, void>> {
  // A subscription has one root field.
  const [part] = routeOf(snapshot, args)?.parts ?? [];
  if (!part?.island) return subscribe({ ...args, schema: snapshot.schema });
  const { island, document } = part;
  const request = { ...requestOf({ ...args, document }), operationType: "subscription" } as ExecutionRequest;
  return (await executorFor(island, document)(request)) as
    | ExecutionResult
    | AsyncGenerator<ExecutionResult, void, void>;
}

async function executePart(
  snapshot: Snapshot,
  { island, document }: Part,
  args: OperationArgs,
): Promise<ExecutionResult> {
  const own = { ...args, document };
  if (!island) return execute({ ...own, schema: snapshot.schema });
  return (await executorFor(island, document)(requestOf(own))) as ExecutionResult;
}

function executorFor(island: Island, document: DocumentNode): Executor {
  return isGroups(island, document) && island.group ? island.group.executor : islandExecutor(island);
}

/** A mutation's fields follow each other; after one that makes the whole answer null, none is begun. */
async function inTurn(
  parts: readonly Part[],
  carryOut: (part: Part) => Promise<ExecutionResult>,
): Promise<ExecutionResult[]> {
  const results: ExecutionResult[] = [];
  for (const part of parts) {
    const result = await carryOut(part);
    results.push(result);
    if (!result.data) break;
  }
  return results;
}

export function joined(results: readonly ExecutionResult[], keys: readonly string[]): ExecutionResult {
  const errors = results.flatMap((result) => result.errors ?? []);
  const told = errors.length > 0 ? { errors } : {};
  if (results.some(({ data }) => !data)) return { ...told, data: null };
  const all: Record<string, unknown> = Object.assign({}, ...results.map(({ data }) => data));
  const data: Record<string, unknown> = Object.create(null);
  for (const key of keys) if (Object.hasOwn(all, key)) data[key] = all[key];
  return { ...told, data };
}

function requestOf({
  document,
  variableValues,
  operationName,
  contextValue,
}: OperationArgs): ExecutionRequest {
  return {
    document,
    ...(variableValues ? { variables: variableValues } : {}),
    ...(operationName ? { operationName } : {}),
    context: contextValue as Record<string, unknown>,
  };
}

/** Worked out once for each document that is kept; by operation name. */
const routes = new WeakMap<Snapshot, WeakMap<DocumentNode, Map<string, Route>>>();

/** Undefined where the document has no such operation. */
export function routeOf(
  snapshot: Snapshot,
  { document, operationName }: Pick<OperationArgs, "document" | "operationName">,
): Route | undefined {
  const documents = routes.get(snapshot) ?? new WeakMap<DocumentNode, Map<string, Route>>();
  routes.set(snapshot, documents);
  const byName = documents.get(document) ?? new Map<string, Route>();
  documents.set(document, byName);
  const known = byName.get(operationName ?? "");
  if (known) return known;
  const route = findRoute(snapshot, document, operationName);
  if (route) byName.set(operationName ?? "", route);
  return route;
}

function findRoute(
  snapshot: Snapshot,
  document: DocumentNode,
  operationName: string | null | undefined,
): Route | undefined {
  const node = getOperationAST(document, operationName);
  if (!node) return undefined;
  const { operation } = node;
  const fields = rootFieldsOf(document, node);
  const islandOf = (name: string) => (name.startsWith("__") ? undefined : snapshot.islandOf(operation, name));
  const isInTurn = operation === OperationTypeNode.MUTATION;
  /** Of a mutation, whose order counts, fields that follow each other; of others, all fields of one island. */
  const runs: { island: Island | undefined; nodes: Set<FieldNode> }[] = [];
  const byKey = new Map<string, Set<FieldNode>>();
  for (const field of fields) {
    const key = (field.alias ?? field.name).value;
    const island = islandOf(field.name.value);
    const last = isInTurn ? runs.at(-1) : runs.find((run) => run.island === island);
    const run = last?.island === island ? last : undefined;
    const nodes = byKey.get(key) ?? run?.nodes ?? new Set();
    if (!byKey.has(key) && !run) runs.push({ island, nodes });
    byKey.set(key, nodes);
    nodes.add(field);
  }
  const parts = runs.map(({ island, nodes }): Part => {
    const own = runs.length === 1 ? document : withRootFields(document, node, (field) => nodes.has(field));
    return { island: island && fitting(snapshot, island, own), document: own };
  });
  return { operation, parts };
}

/** A field may lead back to the root of the whole graph, of which an island has but its own part. */
function fitting(snapshot: Snapshot, island: Island, document: DocumentNode): Island {
  return validate(island.shown, document, [FieldsOnCorrectTypeRule]).length === 0 ? island : snapshot.whole;
}

/** Worked out once for each document that is kept. */
const groups = new WeakMap<Island, WeakMap<DocumentNode, boolean>>();

/** Whether the federated services have everything that the document asks for. */
export function isGroups(island: Island, document: DocumentNode): boolean {
  const { group, subgraphs } = island;
  if (!group || subgraphs.length === 0) return group !== undefined;
  const documents = groups.get(island) ?? new WeakMap<DocumentNode, boolean>();
  groups.set(island, documents);
  let is = documents.get(document);
  if (is === undefined) {
    is = validate(group.shown, document, [FieldsOnCorrectTypeRule, KnownTypeNamesRule]).length === 0;
    documents.set(document, is);
  }
  return is;
}
