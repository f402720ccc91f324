/**
 * Executes operations over federated subgraphs: plans them, carries the plans out, and makes the client's answer.
 * Knows plans and the schema that clients see; nothing of how subgraphs are reached.
 */
import {
  type ExecutionRequest,
  type ExecutionResult,
  type Executor,
  isAsyncIterable,
  mapAsyncIterator,
} from "@graphql-tools/utils";
import {
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  OperationTypeNode,
} from "graphql";
import type { ErrorCode } from "../../errors.ts";
import { type Gathered, isGathered, newGathered, TYPENAME } from "./gathered.ts";
import type { Call, Plan } from "./plan.ts";
import { Unplannable } from "./planner.ts";
import { Plans } from "./plans.ts";
import { type EntityArguments, run } from "./run.ts";
import { standInOf } from "./schemas.ts";
import type { Supergraph } from "./supergraph.ts";
import { suppliedEntities } from "./supplied.ts";
import type { EntityFieldOf } from "./wants.ts";

export interface FederationOptions {
  readonly supergraph: () => Supergraph;
  /** What is executed: what clients see, and whatever else is asked for within the gateway. */
  readonly schema: () => GraphQLSchema;
  /** What subgraphs are asked for. */
  readonly asked: (graph: string) => GraphQLSchema;
  /** Whether that is each subgraph's own. */
  readonly isOwnSchema?: boolean;
  /** By the subgraph's name in the supergraph's directives. */
  readonly executor: (graph: string) => Executor;
  /** Where subgraphs are asked for entities in another way than by `_entities`. */
  readonly entityField?: EntityFieldOf;
  /** The variables of a request by such a field. */
  readonly entityArguments?: EntityArguments;
  /** Answers what has no plan; without it, that is an error. */
  readonly otherwise?: Executor;
}

type Answer = ExecutionResult | AsyncIterable<ExecutionResult>;

export function federationExecutor(options: FederationOptions): Executor {
  const plans = new Plans();
  return (async (request: ExecutionRequest) => {
    const prepared = prepare(options, plans, request);
    if (!prepared) return options.otherwise?.(request);
    if ("errors" in prepared) return prepared;
    const { plan } = prepared;
    const [first] = plan.calls;
    if (first?.operation !== OperationTypeNode.SUBSCRIPTION) return interpret(options, request, prepared);
    const events = await ask(options, request.context, first, prepared.variables);
    if (!isAsyncIterable(events)) {
      const { errors, ...rest } = await interpret(options, request, { ...prepared, first: events });
      // Without events there is nothing that an answer's data could be of.
      return errors ? { errors } : rest;
    }
    return mapAsyncIterator(events[Symbol.asyncIterator](), (event) =>
      interpret(options, request, { ...prepared, first: event }),
    );
  }) as Executor;
}

type Prepared = Omit<Answering, "first">;

/** Undefined: there is no plan, and somebody else who answers. */
function prepare(
  { supergraph: supergraphOf, schema, entityField, otherwise }: FederationOptions,
  plans: Plans,
  { document, variables = {}, operationName }: ExecutionRequest,
): Prepared | { errors: readonly GraphQLError[] } | undefined {
  const operation = getOperationAST(document, operationName);
  if (!operation) return { errors: [new GraphQLError("The document has no such operation.")] };
  const { coerced, errors } = getVariableValues(schema(), operation.variableDefinitions ?? [], variables);
  if (errors) return { errors };
  const supergraph = supergraphOf();
  const rootType = supergraph.roots[operation.operation];
  const root = newGathered(rootType);
  const supplied = suppliedEntities(supergraph, operation, coerced, root);
  try {
    const plan = plans.planOf(supergraph, { document, operation, variables: coerced, supplied, entityField });
    return { plan, root, variables };
  } catch (error) {
    if (!(error instanceof Unplannable)) throw error;
    if (otherwise) return undefined;
    const extensions = { code: "FIELD_UNREACHABLE" satisfies ErrorCode };
    return { errors: [new GraphQLError(error.message, { extensions })] };
  }
}

async function ask(
  { asked, isOwnSchema = false, executor }: FederationOptions,
  context: ExecutionRequest["context"],
  { graph, document, operation }: Call,
  variables: Record<string, unknown>,
): Promise<Answer> {
  const request = {
    document,
    variables,
    operationType: operation,
    context,
    schema: asked(graph),
    isOwnSchema,
  };
  return executor(graph)(request as ExecutionRequest);
}

interface Answering {
  readonly plan: Plan;
  /** What there is before any subgraph is asked. */
  readonly root: Gathered;
  /** As the client gave them. */
  readonly variables: Record<string, unknown>;
  /** What the plan's first call answered, where that is known. */
  readonly first?: ExecutionResult;
}

/** Carries out a plan of the request's operation, and makes the client's answer of what it gathers. */
export async function interpret(
  options: FederationOptions,
  { document, operationName, context }: ExecutionRequest,
  { plan, variables, root: supplied, first }: Answering,
): Promise<ExecutionResult> {
  const supergraph = options.supergraph();
  const schema = options.schema();
  const root = newGathered(supplied[TYPENAME]);
  Object.assign(root, supplied);
  const errors = await run(
    {
      plan,
      variables,
      root,
      isOf: (typename, type) => supergraph.covers(type, typename),
      ask: async ({ call, variables: given }) =>
        (await ask(options, context, call, given)) as ExecutionResult,
      serviceOf: (graph) => supergraph.graphs.get(graph) ?? graph,
      entityArguments: options.entityArguments,
    },
    first,
  );
  const result = await execute({
    schema,
    document,
    variableValues: variables,
    operationName,
    rootValue: root,
    fieldResolver: (source: Gathered, _args, _context, { path }) => shown(source[path.key], supergraph),
    // Where the type makes no difference nobody asked for it, and any will do.
    typeResolver: (value: Gathered, _context, _info, { name }) =>
      value[TYPENAME] ?? standInOf(supergraph, name),
  });
  return errors.length > 0 ? { ...result, errors: [...(result.errors ?? []), ...errors] } : result;
}

/** An object of a type that clients never see is none to them. */
function shown(value: unknown, supergraph: Supergraph): unknown {
  if (Array.isArray(value)) return value.map((item) => shown(item, supergraph));
  const typename = isGathered(value) ? value[TYPENAME] : undefined;
  return typename !== undefined && supergraph.isInaccessible(typename) ? null : value;
}
