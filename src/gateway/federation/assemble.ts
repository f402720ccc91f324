/**
 * Puts the planner's parts together into upstream requests: one for each subgraph and level.
 * Knows the parts and GraphQL documents; nothing of why a part is where it is.
 */
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  type NameNode,
  type OperationTypeNode,
  parseType,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
  visit,
} from "graphql";
import type { Call, EntityField, Fetch, Plan, Selection } from "./plan.ts";
import type { DraftFetch } from "./spot.ts";
import { joinedDrafts, sink } from "./thrift.ts";

interface Group {
  readonly graph: string;
  readonly operation: OperationTypeNode;
  readonly drafts: DraftFetch[];
}

/** `definitions` are the client's variables; `isThrifty`: for answers of which nothing fails. */
export function assemble(
  all: readonly DraftFetch[],
  operation: OperationTypeNode,
  definitions: readonly VariableDefinitionNode[],
  isThrifty = false,
): Plan {
  const drafts = isThrifty ? joinedDrafts(all) : all;
  const levels = new Map<DraftFetch, number>();
  const levelOf = (draft: DraftFetch): number => {
    const known = levels.get(draft);
    if (known !== undefined) return known;
    const level = Math.max(-1, ...[...draft.after].map(levelOf)) + 1;
    levels.set(draft, level);
    return level;
  };
  for (const draft of drafts) levelOf(draft);
  if (isThrifty) sink(drafts, levels);
  const groups = new Map<string, Group>();
  for (const draft of [...drafts].sort((a, b) => levelOf(a) - levelOf(b))) {
    const own = draft.entity ? ("query" as OperationTypeNode) : operation;
    const id = `${levelOf(draft)} ${draft.graph} ${own}`;
    const group = groups.get(id) ?? { graph: draft.graph, operation: own, drafts: [] };
    groups.set(id, group);
    group.drafts.push(draft);
  }
  const inOrder = [...groups.values()];
  const places = new Map(inOrder.flatMap((group, i) => group.drafts.map((draft) => [draft, i] as const)));
  return {
    calls: inOrder.map((group) => {
      const after = new Set(
        group.drafts.flatMap((draft) => [...draft.after].flatMap((each) => places.get(each) ?? [])),
      );
      return callOf(group, [...after], definitions, isThrifty);
    }),
  };
}

function callOf(
  { graph, operation, drafts }: Group,
  after: readonly number[],
  definitions: readonly VariableDefinitionNode[],
  isThrifty: boolean,
): Call {
  /** What is asked of entities → the name under which it is. */
  const aliases = new Map<string, string>();
  const entities: VariableDefinitionNode[] = [];
  const fetches: Fetch[] = [];
  const selections: SelectionNode[] = [];
  for (const [i, { selection, entity }] of drafts.entries()) {
    const set = selectionSet(selection, entity?.typename);
    if (!entity) {
      fetches.push({ graph, selection, entity });
      selections.push(...set.selections);
      continue;
    }
    const asked = isThrifty
      ? `${print(set)} ${entity.key} ${entity.fields.map(({ name }) => name).sort()}`
      : String(i);
    const known = aliases.get(asked);
    const alias = known ?? `_e${i}`;
    fetches.push({ graph, selection, entity: { ...entity, alias } });
    if (known !== undefined) continue;
    aliases.set(asked, alias);
    selections.push(entitiesField(alias, entity.field ?? ENTITIES, set));
    entities.push(...(entity.field ?? ENTITIES).args.map((arg) => variableOf(alias, arg)));
  }
  const set: SelectionSetNode = { kind: Kind.SELECTION_SET, selections };
  const used = new Set<string>();
  visit(set, { Variable: ({ name: { value } }) => void used.add(value) });
  const client = definitions.filter(({ variable }) => used.has(variable.name.value));
  const document: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      {
        kind: Kind.OPERATION_DEFINITION,
        operation,
        variableDefinitions: [...entities, ...client],
        selectionSet: set,
      },
    ],
  };
  return {
    graph,
    operation,
    document,
    fetches,
    variables: client.map(({ variable }) => variable.name.value),
    after,
  };
}

const name = (value: string): NameNode => ({ kind: Kind.NAME, value });

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: name("__typename") };

const ENTITIES: EntityField = {
  name: "_entities",
  args: [{ name: "representations", type: parseType("[_Any!]!", { noLocation: true }) }],
};

/** The variable of an argument; that of the representations has the alias's name alone. */
export function argumentVariable(alias: string, argument: string): string {
  return argument === "representations" ? alias : `${alias}_${argument}`;
}

function variableOf(
  alias: string,
  { name: argument, type }: EntityField["args"][number],
): VariableDefinitionNode {
  const variable = { kind: Kind.VARIABLE, name: name(argumentVariable(alias, argument)) } as const;
  return { kind: Kind.VARIABLE_DEFINITION, variable, type };
}

function entitiesField(alias: string, field: EntityField, set: SelectionSetNode): FieldNode {
  return {
    kind: Kind.FIELD,
    alias: name(alias),
    name: name(field.name),
    arguments: field.args.map(({ name: argument }) => ({
      kind: Kind.ARGUMENT,
      name: name(argument),
      value: { kind: Kind.VARIABLE, name: name(argumentVariable(alias, argument)) },
    })),
    selectionSet: set,
  };
}

/** `within`: the type of an entity, whose fields are always asked for under its condition. */
function selectionSet(selection: Selection, within: string | undefined): SelectionSetNode {
  const { type, isAbstract, branches } = selection;
  const selections: SelectionNode[] = isAbstract || branches.size === 0 ? [TYPENAME] : [];
  for (const [condition, fields] of branches) {
    const nodes = [...fields.values()].map((field): FieldNode => {
      const { alias, args } = field;
      return {
        kind: Kind.FIELD,
        ...(alias === field.name ? {} : { alias: name(alias) }),
        name: name(field.name),
        arguments: args,
        ...(field.selection ? { selectionSet: selectionSet(field.selection, undefined) } : {}),
      };
    });
    if (condition === type && within === undefined) selections.push(...nodes);
    else selections.push(onType(condition, nodes));
  }
  return { kind: Kind.SELECTION_SET, selections };
}

function onType(type: string, selections: readonly SelectionNode[]): SelectionNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: name(type) },
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  };
}
