/**
 * Services that give their objects by a key one by one: plans ask them for a list, as they ask all others, and of each
 * such list a request of as many fields is made. Knows plans' requests; nothing of planning or of what a key is.
 */
import type { ExecutionRequest, ExecutionResult, Executor } from "@graphql-tools/utils";
import {
  type FieldNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type TypeNode,
  type VariableDefinitionNode,
  visit,
} from "graphql";

type Variables = Readonly<Record<string, unknown>>;

/** The types of lists that a plan has for what its services take one by one. */
export class Lists {
  /** By identity: a client's variable may be of a type that looks the same. */
  readonly #items = new WeakMap<TypeNode, TypeNode>();

  listOf(item: TypeNode): TypeNode {
    const type = { kind: Kind.LIST_TYPE, type: item } as const;
    this.#items.set(type, item);
    return type;
  }

  itemOf(type: TypeNode): TypeNode | undefined {
    return this.#items.get(type);
  }
}

export function oneByOne(executor: Executor, lists: Lists): Executor {
  return (async (request: ExecutionRequest) => {
    const [operation] = request.document.definitions;
    const hasLists =
      operation?.kind === Kind.OPERATION_DEFINITION &&
      operation.variableDefinitions?.some(({ type }) => lists.itemOf(type));
    if (!hasLists) return executor(request);
    const expanded = new Expanded(operation, request.variables ?? {}, lists);
    if (expanded.operation.selectionSet.selections.length === 0) return expanded.collected({ data: {} });
    const document = { kind: Kind.DOCUMENT, definitions: [expanded.operation] } as const;
    const answer = await executor({ ...request, document, variables: expanded.variables });
    return expanded.collected(answer as ExecutionResult);
  }) as Executor;
}

/** A request with a field for each member of its lists. */
class Expanded {
  readonly operation: OperationDefinitionNode;
  readonly variables: Record<string, unknown> = {};
  /** Name in the answer → those of its members. */
  readonly #members = new Map<string, readonly string[]>();
  /** Name of a member → where it belongs. */
  readonly #places = new Map<string, readonly [key: string, index: number]>();

  constructor(operation: OperationDefinitionNode, variables: Variables, lists: Lists) {
    const definitions: VariableDefinitionNode[] = [];
    const items = new Map<string, TypeNode>();
    for (const definition of operation.variableDefinitions ?? []) {
      const { value: name } = definition.variable.name;
      const item = lists.itemOf(definition.type);
      if (item) items.set(name, item);
      else {
        definitions.push(definition);
        if (Object.hasOwn(variables, name)) this.variables[name] = variables[name];
      }
    }
    const selections = operation.selectionSet.selections.flatMap((node): readonly SelectionNode[] => {
      if (node.kind !== Kind.FIELD) return [node];
      const names = (node.arguments ?? []).flatMap(({ value }) =>
        value.kind === Kind.VARIABLE && items.has(value.name.value) ? [value.name.value] : [],
      );
      const [first] = names;
      if (first === undefined) return [node];
      const count = (variables[first] as readonly unknown[]).length;
      for (const name of names)
        for (let i = 0; i < count; i++) {
          const variable = { kind: Kind.VARIABLE, name: named(`${name}_${i}`) } as const;
          definitions.push({ kind: Kind.VARIABLE_DEFINITION, variable, type: items.get(name) as TypeNode });
          this.variables[`${name}_${i}`] = (variables[name] as readonly unknown[])[i];
        }
      return this.#membersOf(node, count, new Set(names));
    });
    const selectionSet = { kind: Kind.SELECTION_SET, selections } as const;
    // A list without members takes along what only its field used.
    const used = new Set<string>();
    visit(selectionSet, { Variable: ({ name }) => void used.add(name.value) });
    const variableDefinitions = definitions.filter(({ variable }) => used.has(variable.name.value));
    for (const name of Object.keys(this.variables)) if (!used.has(name)) delete this.variables[name];
    this.operation = { ...operation, variableDefinitions, selectionSet };
  }

  #membersOf(node: FieldNode, count: number, listed: ReadonlySet<string>): FieldNode[] {
    const { value: key } = node.alias ?? node.name;
    const keys = Array.from({ length: count }, (_, i) => `${key}_${i}`);
    this.#members.set(key, keys);
    return keys.map((alias, i) => {
      this.#places.set(alias, [key, i]);
      const args = node.arguments?.map((arg) =>
        arg.value.kind === Kind.VARIABLE && listed.has(arg.value.name.value)
          ? { ...arg, value: { ...arg.value, name: named(`${arg.value.name.value}_${i}`) } }
          : arg,
      );
      return { ...node, alias: named(alias), ...(args ? { arguments: args } : {}) };
    });
  }

  /** The answer to it as one to the request that has lists. */
  collected({ data, errors, ...rest }: ExecutionResult): ExecutionResult {
    const located = errors?.map((error) => {
      const [key, ...below] = error.path ?? [];
      const place = this.#places.get(String(key));
      if (!place) return error;
      const { message, extensions } = error;
      return new GraphQLError(message, { path: [...place, ...below], extensions });
    });
    const told = located ? { errors: located } : {};
    if (!data) return { ...rest, ...told, ...(data === null ? { data } : {}) };
    const all: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(data)) if (!this.#places.has(key)) all[key] = value;
    for (const [key, members] of this.#members) all[key] = members.map((member) => data[member] ?? null);
    return { ...rest, ...told, data: all };
  }
}

const named = (value: string) => ({ kind: Kind.NAME, value }) as const;
