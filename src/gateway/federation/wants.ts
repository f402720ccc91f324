/**
 * What is wanted of an object, by its type: the fields of a client's selection, or of a key or a requirement.
 * Knows selections and which types a condition covers; nothing of where a field comes from.
 */
import {
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";
import type { EntityField } from "./plan.ts";
import type { Supergraph } from "./supergraph.ts";

export interface Want {
  /** The name that the answer has for it. */
  readonly key: string;
  readonly name: string;
  readonly args: readonly ArgumentNode[];
  /** What is wanted of the objects that it gives. */
  readonly below: Wants | undefined;
  /** Asked of an abstract type, so that every type below it is asked for the same. */
  readonly isOfAbstract: boolean;
  /** Of a key or a requirement: gathered under a name that is not the client's. */
  readonly isInternal: boolean;
}

export interface Wants {
  /** The fields wanted of an object of this type, in their order, `__typename` among them. */
  of(type: string): ReadonlyMap<string, Want>;
}

export const NOTHING: Wants = { of: () => new Map() };

/** Equal for wants that one answer serves. */
export function signature({ name, args }: Pick<Want, "name" | "args">): string {
  if (args.length === 0) return name;
  const texts = args.map((argument) => print(argument)).sort();
  return `${name}(${texts.join(", ")})`;
}

/** Whether @skip and @include let the selection through. */
export type IsIncluded = (node: SelectionNode) => boolean;

/** The root field by which a subgraph is asked for a type by a key; undefined: `_entities`. */
export type EntityFieldOf = (graph: string, typename: string, key: string) => EntityField | undefined;

export interface SelectionOptions {
  readonly supergraph: Supergraph;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly isIncluded: IsIncluded;
  /** Whether types that clients never see are asked too: for keys and requirements they are. */
  readonly isInternal: boolean;
  readonly entityField?: EntityFieldOf | undefined;
}

interface Part {
  /** The type that the selections are of. */
  readonly type: string;
  readonly set: SelectionSetNode;
}

interface Collected {
  readonly field: FieldNode;
  readonly parts: Part[];
  isOfAbstract: boolean;
}

/** The wants of selections that are made of the same object. */
export class SelectionWants implements Wants {
  readonly #parts: readonly Part[];
  readonly #options: SelectionOptions;
  readonly #byType = new Map<string, ReadonlyMap<string, Want>>();

  constructor(parts: readonly Part[], options: SelectionOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  of(type: string): ReadonlyMap<string, Want> {
    const known = this.#byType.get(type);
    if (known) return known;
    const collected = new Map<string, Collected>();
    const { supergraph, isInternal } = this.#options;
    if (isInternal || !supergraph.isInaccessible(type))
      for (const part of this.#parts) this.#collect(part, type, collected);
    const wants = new Map<string, Want>();
    for (const [key, { field, parts, isOfAbstract }] of collected) {
      wants.set(key, {
        key,
        name: field.name.value,
        args: field.arguments ?? [],
        below: parts.length > 0 ? new SelectionWants(parts, this.#options) : undefined,
        isOfAbstract,
        isInternal,
      });
    }
    this.#byType.set(type, wants);
    return wants;
  }

  #collect(part: Part, type: string, into: Map<string, Collected>): void {
    const { supergraph, fragments, isIncluded } = this.#options;
    for (const node of part.set.selections) {
      if (!isIncluded(node)) continue;
      if (node.kind === Kind.FIELD) {
        const key = (node.alias ?? node.name).value;
        const entry = into.get(key) ?? { field: node, parts: [], isOfAbstract: false };
        into.set(key, entry);
        entry.isOfAbstract ||= part.type !== type;
        const fieldType = supergraph.namedFieldType(part.type, node.name.value);
        if (node.selectionSet) entry.parts.push({ type: fieldType ?? "", set: node.selectionSet });
        continue;
      }
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      if (!fragment) continue;
      const condition = fragment.typeCondition?.name.value ?? part.type;
      if (supergraph.covers(condition, type))
        this.#collect({ type: condition, set: fragment.selectionSet }, type, into);
    }
  }
}

/** Some wants of each type, such as those that could not be met yet. */
export class SomeWants implements Wants {
  readonly #byType: ReadonlyMap<string, ReadonlyMap<string, Want>>;

  constructor(byType: ReadonlyMap<string, ReadonlyMap<string, Want>>) {
    this.#byType = byType;
  }

  of(type: string): ReadonlyMap<string, Want> {
    return this.#byType.get(type) ?? new Map();
  }
}
