/**
 * Keeps the numbers of a service's answer as they are written, where a custom scalar has them.
 * Knows schemas, documents and answers; nothing of how they travel.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { exactLeaf, isCustomScalar } from "./exact-inputs.ts";
import { parseExactly } from "./exact-numbers.ts";

type Answer = Record<string, unknown>;

/**
 * Puts the numbers of `text` into `data`, which was parsed from it. The text is looked at only where the answer has a
 * number at a place where it counts how it is written; an answer of another form than asked for stays as it is.
 * Throws a RangeError where a value is nested too deeply to be written again.
 */
export function keepNumbers(schema: GraphQLSchema, document: DocumentNode, data: Answer, text: string): void {
  const asked = new AskedLeaves(schema, document);
  let mayDiffer = false;
  asked.visit(data, data, (type, value) => {
    if (typeof value !== "string")
      mayDiffer = (isCustomScalar(type) ? holdsNumber(value) : isLargeId(value)) || mayDiffer;
    return value;
  });
  const exact = mayDiffer ? (parseExactly(text) as { data?: Answer } | undefined) : undefined;
  if (isObject(exact?.data)) asked.visit(data, exact.data, exactLeaf);
}

/** Deeper than any real value, and far less than what no JSON writer takes. */
const MOST_LEVELS = 500;

/** Throws a RangeError where the value is nested too deeply to be written again. */
function holdsNumber(value: unknown, level = 0): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "number";
  if (level === MOST_LEVELS) throw new RangeError(`nested more than ${MOST_LEVELS} levels deep`);
  let holds = false;
  for (const member of Object.values(value)) holds = holdsNumber(member, level + 1) || holds;
  return holds;
}

/** Ids that are numbers come as texts in the end, of however many digits. */
function isLargeId(value: unknown): boolean {
  return typeof value === "number" && !Number.isSafeInteger(value);
}

function isObject(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Visit = (type: GraphQLNamedType, value: unknown, exact: unknown) => unknown;

/** A field that is asked for: of one type under one name, as validation has seen to. */
interface AskedField {
  readonly key: string;
  readonly type: GraphQLNamedType;
  /** Of a custom scalar, whose value is one, whatever it looks like. */
  readonly isCustom: boolean;
  /** What is asked below it; a field has its parts from several places where fragments overlap. */
  readonly below: Part[];
  /** Worked out where there is an answer for it. */
  fields: readonly AskedField[] | undefined;
}

interface Part {
  readonly parent: GraphQLNamedType;
  readonly set: SelectionSetNode;
}

class AskedLeaves {
  readonly #schema: GraphQLSchema;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #root: readonly AskedField[];

  constructor(schema: GraphQLSchema, { definitions }: DocumentNode) {
    this.#schema = schema;
    for (const node of definitions)
      if (node.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(node.name.value, node);
    const parts = definitions.flatMap((node) => {
      const parent = node.kind === Kind.OPERATION_DEFINITION ? schema.getRootType(node.operation) : undefined;
      return parent && node.kind === Kind.OPERATION_DEFINITION ? [{ parent, set: node.selectionSet }] : [];
    });
    this.#root = this.#fieldsOf(parts);
  }

  /** Puts what `visit` says in the place of every leaf whose numbers count as written. */
  visit(data: Answer, exact: Answer, visit: Visit): void {
    this.#visitFields(this.#root, data, exact, visit);
  }

  /** Loops over indexes and writes only what is different, because every answer is gone through. */
  #visitFields(fields: readonly AskedField[], data: Answer, exact: Answer, visit: Visit): void {
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as AskedField;
      const value = data[field.key];
      if (value === null || value === undefined) continue;
      const kept = this.#visitValue(field, value, exact[field.key], visit);
      if (kept !== value) data[field.key] = kept;
    }
  }

  #visitValue(field: AskedField, value: unknown, exact: unknown, visit: Visit): unknown {
    if (field.isCustom) return visit(field.type, value, exact);
    if (Array.isArray(value)) {
      if (!Array.isArray(exact)) return value;
      for (let i = 0; i < value.length; i++) {
        const kept = this.#visitValue(field, value[i], exact[i], visit);
        if (kept !== value[i]) value[i] = kept;
      }
    } else if (field.below.length === 0) {
      return visit(field.type, value, exact);
    } else if (isObject(value) && isObject(exact)) {
      field.fields ??= this.#fieldsOf(field.below);
      this.#visitFields(field.fields, value, exact, visit);
    }
    return value;
  }

  #fieldsOf(parts: readonly Part[]): readonly AskedField[] {
    const fields = new Map<string, AskedField>();
    const spread = new Set<string>();
    const collect = ({ parent, set }: Part): void => {
      for (const node of set.selections) {
        if (node.kind === Kind.FIELD) {
          const { name, alias, selectionSet } = node;
          const type = this.#typeOf(parent, name.value);
          if (!type || (isLeafType(type) && !isCustomScalar(type) && type.name !== "ID")) continue;
          const key = (alias ?? name).value;
          const isCustom = isCustomScalar(type);
          const field: AskedField = fields.get(key) ?? { key, type, isCustom, below: [], fields: undefined };
          if (selectionSet) field.below.push({ parent: type, set: selectionSet });
          fields.set(key, field);
        } else if (node.kind === Kind.INLINE_FRAGMENT) {
          const named = node.typeCondition && this.#schema.getType(node.typeCondition.name.value);
          collect({ parent: named ?? parent, set: node.selectionSet });
        } else {
          const fragment = this.#fragments.get(node.name.value);
          const named = fragment && this.#schema.getType(fragment.typeCondition.name.value);
          if (!named || spread.has(node.name.value)) continue;
          spread.add(node.name.value);
          collect({ parent: named, set: fragment.selectionSet });
        }
      }
    };
    for (const part of parts) collect(part);
    return [...fields.values()];
  }

  #typeOf(parent: GraphQLNamedType, field: string): GraphQLNamedType | undefined {
    if (!isObjectType(parent) && !isInterfaceType(parent)) return undefined;
    const definition = parent.getFields()[field];
    return definition && getNamedType(definition.type);
  }
}
