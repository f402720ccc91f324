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

/** A service that one of the two graphs has not, or has with another schema than the other. */
interface Changed {
  readonly name: string;
  readonly before: Subgraph | undefined;
  readonly after: Subgraph | undefined;
}

/**
 * Service → what its change changes in the graph; an empty list where nobody sees a difference. Of a service that is
 * new, only what may disturb clients: that it adds something is no news.
 */
export function changedServices(before: Graph, after: Graph): Map<string, SchemaChange[]> {
  const changed = changedOf(before.subgraphs, after.subgraphs);
  const lists = new Map<string, SchemaChange[]>(changed.map(({ name }) => [name, []]));
  const kept = new Set(after.islands);
  // New islands alone take nothing from anybody.
  if (before.islands.every((island) => kept.has(island))) return lists;
  const [differing, otherwise, rest] = compared(before.islands, after.islands);
  for (const change of schemaChanges(differing, otherwise)) {
    // What the rest of the graph has too is there as before.
    if (change.path && isInOne(rest, change.path)) continue;
    for (const { name, before } of causes(changed, change)) {
      if (before || change.criticality !== "NON_BREAKING") lists.get(name)?.push(change);
    }
  }
  return lists;
}

function changedOf(before: readonly Subgraph[], after: readonly Subgraph[]): Changed[] {
  const [earlier, later] = [before, after].map((all) => new Map(all.map((each) => [each.name, each])));
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names]
    .map((name) => ({ name, before: earlier?.get(name), after: later?.get(name) }))
    .filter((each) => each.before?.hash !== each.after?.hash);
}

/** The differing parts of both graphs as schemas, and the schemas of what both have. */
function compared(
  before: readonly Island[],
  after: readonly Island[],
): [before: GraphQLSchema, after: GraphQLSchema, rest: readonly GraphQLSchema[]] {
  const [earlier, later] = [new Set(before), new Set(after)];
  const both = before.filter((island) => later.has(island)).map(({ shown }) => shown);
  // One that both have is among them: it has the root types, which a graph that lost all its fields has not.
  const common = both.slice(0, 1);
  const same = sameDefinitions(before, after);
  const join = (islands: readonly Island[], others: ReadonlySet<Island>) =>
    new GraphSchemas()
      .join([...common, ...islands.filter((island) => !others.has(island)).map(({ shown }) => shown)])
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
  const types = Object.values(earlier.shown.getTypeMap());
  const same = types.filter(({ name, astNode }) => astNode && later.shown.getType(name)?.astNode === astNode);
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
 * Who is to blame for a change: those whose own version of what its path names changed, of these those that had it
 * rather than who has it now, which may be a service that is new. Services that change a shared type in step are to
 * blame together, and a break is never without a cause: what a federated service declares without showing it can take
 * it from clients too.
 */
function causes(changed: readonly Changed[], { path, criticality }: SchemaChange): readonly Changed[] {
  const at = path ?? "";
  const parts = changed.map((each) => ({ each, had: part(each.before, at), has: part(each.after, at) }));
  const involved = parts.filter(({ had, has }) => had !== undefined || has !== undefined);
  const differing = involved.filter(({ had, has }) => had !== has);
  const losing = differing.filter(({ had }) => had !== undefined);
  const found = [losing, differing, involved].find((some) => some.length > 0)?.map(({ each }) => each);
  if (found || criticality !== "BREAKING") return found ?? [];
  const declaring = changed.filter(({ after }) => after && declares(after, at));
  return declaring.length > 0 ? declaring : changed;
}

function declares({ document }: Subgraph, path: string): boolean {
  const [type] = path.split(".");
  return document?.definitions.some((node) => "name" in node && node.name?.value === type) ?? false;
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
