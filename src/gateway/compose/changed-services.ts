/**
 * Whose schema it is that changes a graph for its clients. Pure: two graphs in, a list for each service out.
 * Knows who has what; neither what is done about it nor what is said of it.
 *
 * The composed graphs are compared, not each service's schemas: a field that moves from one service to another, or a
 * type that another service still has, is not lost to anybody. Of the graphs, only the islands that differ are looked
 * at, so that this costs what the change costs.
 */
import { type GraphQLSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from "graphql";
import type { SchemaChange } from "../../events.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import { GraphSchemas } from "./graph-schema.ts";
import type { Island } from "./island.ts";
import { schemaChanges } from "./schema-changes.ts";

export interface Graph {
  readonly islands: readonly Island[];
  readonly subgraphs: readonly Subgraph[];
}

/** A service that the earlier graph has with another schema than the later one, or that the later one has not. */
interface Changed {
  readonly before: Subgraph;
  readonly after: Subgraph | undefined;
}

/** Service → what its change changes in the graph; an empty list where nobody sees a difference. */
export function changedServices(before: Graph, after: Graph): Map<string, SchemaChange[]> {
  const later = new Map(after.subgraphs.map((subgraph) => [subgraph.name, subgraph]));
  const changed = before.subgraphs
    .map((subgraph) => ({ before: subgraph, after: later.get(subgraph.name) }))
    .filter((each) => each.before.hash !== each.after?.hash);
  const lists = new Map<string, SchemaChange[]>(changed.map((each) => [each.before.name, []]));
  if (changed.length === 0) return lists;
  const [differing, otherwise, rest] = compared(before.islands, after.islands);
  for (const change of schemaChanges(differing, otherwise)) {
    // What the rest of the graph has too is there as before.
    if (change.path && isInOne(rest, change.path)) continue;
    for (const { before } of causes(changed, change.path ?? "")) lists.get(before.name)?.push(change);
  }
  return lists;
}

/** The differing parts of both graphs as schemas, and the schemas of what both have. */
function compared(
  before: readonly Island[],
  after: readonly Island[],
): [before: GraphQLSchema, after: GraphQLSchema, rest: readonly GraphQLSchema[]] {
  const [earlier, later] = [new Set(before), new Set(after)];
  const both = before.filter((island) => later.has(island)).map(({ schema }) => schema);
  // One that both have is among them: it has the root types, which a graph that lost all its fields has not.
  const common = both.slice(0, 1);
  const same = sameDefinitions(before, after);
  const join = (islands: readonly Island[], others: ReadonlySet<Island>) =>
    new GraphSchemas()
      .join([...common, ...islands.filter((island) => !others.has(island)).map(({ schema }) => schema)])
      .without(same);
  return [join(before, later), join(after, earlier), both];
}

/**
 * The federated services' types that are made of the very same definitions in both graphs: however few of them change,
 * they are one island.
 */
function sameDefinitions(before: readonly Island[], after: readonly Island[]): ReadonlySet<string> {
  const [earlier, later] = [before.find(isFederatedAlone), after.find(isFederatedAlone)];
  if (!earlier || !later) return new Set();
  const types = Object.values(earlier.schema.getTypeMap());
  const same = types.filter(
    ({ name, astNode }) => astNode && later.schema.getType(name)?.astNode === astNode,
  );
  return new Set(same.map(({ name }) => name));
}

/** Whether its types are made of definitions alone: stitching alters types. */
function isFederatedAlone({ group, subgraphs }: Island): boolean {
  return group !== undefined && subgraphs.length === 0;
}

/** Whether one of the schemas has what a change's path names: a type, or what is below one. */
function isInOne(schemas: readonly GraphQLSchema[], path: string): boolean {
  const [name = "", member, argument] = path.split(".");
  return schemas.some((schema) => has(schema, name, member, argument));
}

function has(
  schema: GraphQLSchema,
  name: string,
  member: string | undefined,
  argument: string | undefined,
): boolean {
  const type = schema.getType(name);
  if (!type || member === undefined) return type !== undefined;
  if (isEnumType(type)) return type.getValue(member) !== undefined;
  if (isInputObjectType(type)) return type.getFields()[member] !== undefined;
  if (!isObjectType(type) && !isInterfaceType(type)) return false;
  const field = type.getFields()[member];
  if (!field || argument === undefined) return field !== undefined;
  return field.args.some((each) => each.name === argument);
}

/**
 * Who is to blame for a change at `path`: those that had what it names, rather than who has it now; of several those
 * whose own version of it changed. Services that change a shared type in step are to blame together.
 */
function causes(changed: readonly Changed[], path: string): readonly Changed[] {
  const had = changed.filter(({ before }) => part(before, path) !== undefined);
  const involved = had.length > 0 ? had : changed.filter(({ after }) => part(after, path) !== undefined);
  const differing = involved.filter(({ before, after }) => part(before, path) !== part(after, path));
  return differing.length > 0 ? differing : involved;
}

const ROOT_TYPES = new Set(["Query", "Mutation", "Subscription"]);

/** What a service has at `Type`, `Type.field` or below, as a text that is equal for what is the same. */
function part(subgraph: Subgraph | undefined, path: string): string | undefined {
  const [type = "", field] = path.split(".");
  if (ROOT_TYPES.has(type)) {
    const fields = subgraph?.rootFields.filter((name) => name.startsWith(`${type}.`)) ?? [];
    if (field !== undefined) return fields.find((name) => name === `${type}.${field}`);
    return fields.length > 0 ? fields.join(" ") : undefined;
  }
  const shape = subgraph?.types.get(type);
  if (!shape) return undefined;
  // A change of the type as a whole has no field; values, members and input fields are the whole type's.
  return field !== undefined && shape.fields ? shape.fields.get(field) : `${shape.kind} ${shape.text}`;
}
