/**
 * Goes through a service's answer by the types of what was asked, and lets others put something else in its places.
 * Knows schemas, documents and answers; not what is looked for in them.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLLeafType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from "graphql";

export type Answer = Record<string, unknown>;
export type Path = readonly (string | number)[];

/** Each says what is to stand in the place of `value`. `path` goes on changing: it is to be copied. */
export interface Visitor {
  /** `exact` is the value at the same place of the other answer. */
  leaf(type: GraphQLLeafType, value: unknown, exact: unknown, path: Path): unknown;
  /** No list where a list belongs, no object where one belongs or one of another type, or null where that must not be. */
  misshapen(type: GraphQLOutputType, value: unknown, path: Path): unknown;
}

/** A field that is asked for: of one form under one name, as validation has seen to. */
interface AskedField {
  readonly key: string;
  readonly type: GraphQLOutputType;
  /** Whether its objects say which type they are of. */
  readonly isAbstract: boolean;
  /** What is asked below it; a field has its parts from several places where fragments overlap. */
  readonly below: Part[];
  /** Worked out where there is an answer for it. */
  fields: readonly AskedField[] | undefined;
}

interface Part {
  readonly parent: GraphQLNamedType;
  readonly set: SelectionSetNode;
}

export class AskedFields {
  readonly #schema: GraphQLSchema;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #root: readonly AskedField[];
  readonly #path: (string | number)[] = [];

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

  visit(data: Answer, exact: Answer, visitor: Visitor): void {
    this.#path.length = 0;
    this.#visitFields(this.#root, data, exact, visitor);
  }

  /** Loops over indexes and writes only what is different, because every answer is gone through. */
  #visitFields(fields: readonly AskedField[], data: Answer, exact: Answer, visitor: Visitor): void {
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as AskedField;
      const value = data[field.key];
      // A name may be one that every object inherits.
      if (value === undefined || !Object.hasOwn(data, field.key)) continue;
      this.#path.push(field.key);
      const kept = this.#visitValue(field, field.type, value, exact[field.key], visitor);
      if (kept !== value) data[field.key] = kept;
      this.#path.pop();
    }
  }

  #visitValue(
    field: AskedField,
    outer: GraphQLOutputType,
    value: unknown,
    exact: unknown,
    visitor: Visitor,
  ): unknown {
    const type = isNonNullType(outer) ? outer.ofType : outer;
    if (value === null) return type === outer ? null : visitor.misshapen(outer, value, this.#path);
    if (isListType(type)) {
      if (!Array.isArray(value)) return visitor.misshapen(outer, value, this.#path);
      if (!Array.isArray(exact)) return value;
      for (let i = 0; i < value.length; i++) {
        this.#path.push(i);
        const kept = this.#visitValue(field, type.ofType, value[i], exact[i], visitor);
        if (kept !== value[i]) value[i] = kept;
        this.#path.pop();
      }
      return value;
    }
    if (isLeafType(type)) return visitor.leaf(type, value, exact, this.#path);
    if (!isObject(value)) return visitor.misshapen(outer, value, this.#path);
    if (field.isAbstract && !this.#isOf(type, value.__typename))
      return visitor.misshapen(outer, value, this.#path);
    if (!isObject(exact)) return value;
    field.fields ??= this.#fieldsOf(field.below);
    this.#visitFields(field.fields, value, exact, visitor);
    return value;
  }

  /** What was not said counts as right; a federated service may have an interface as an object type. */
  #isOf(type: GraphQLNamedType, typename: unknown): boolean {
    if (typename === undefined || !isAbstractType(type)) return true;
    const named = typeof typename === "string" ? this.#schema.getType(typename) : undefined;
    return isObjectType(named) ? this.#schema.isSubType(type, named) : isInterfaceType(named);
  }

  #fieldsOf(parts: readonly Part[]): readonly AskedField[] {
    const fields = new Map<string, AskedField>();
    const spread = new Set<string>();
    const collect = ({ parent, set }: Part): void => {
      for (const node of set.selections) {
        if (node.kind === Kind.FIELD) {
          const { name, alias, selectionSet } = node;
          const type = typeOf(parent, name.value);
          if (!type) continue;
          const key = (alias ?? name).value;
          const isAbstract = isAbstractType(getNamedType(type));
          const field = fields.get(key) ?? { key, type, isAbstract, below: [], fields: undefined };
          if (selectionSet) field.below.push({ parent: getNamedType(type), set: selectionSet });
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
}

function typeOf(parent: GraphQLNamedType, field: string): GraphQLOutputType | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field]?.type : undefined;
}

export function isObject(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
