/**
 * What a client's answer has, position by position: names in their order, with their types.
 * Knows the operation and the schema that clients see; nothing of services.
 */
import { collectFields, collectSubFields } from "@graphql-tools/utils";
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  Kind,
  type OperationDefinitionNode,
} from "graphql";
import { Uncompilable } from "./uncompilable.ts";

export interface ShapeField {
  /** The name in the answer. */
  readonly key: string;
  readonly name: string;
  readonly type: GraphQLOutputType;
  readonly below: Shape | undefined;
}

export interface Shape {
  readonly type: GraphQLCompositeType;
  /** The fields of an object of this type, in the answer's order, `__typename` among them. */
  of(type: GraphQLObjectType): readonly ShapeField[];
}

type Variables = Readonly<Record<string, unknown>>;
type Collected = ReadonlyMap<string, readonly FieldNode[]>;

/** `included`: those that decide by @skip and @include. Throws Uncompilable. */
export function answerShape(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  included: Variables,
): Shape {
  const variables = { coerced: included, sources: {} };
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments[node.name.value] = node;
  const root = schema.getRootType(operation.operation);
  // Validation has no rule about this; who executes it says so.
  if (!root) throw new Uncompilable("document that is not valid");

  const shapeOf = (type: GraphQLCompositeType, collect: (of: GraphQLObjectType) => Collected): Shape => {
    const known = new Map<string, readonly ShapeField[]>();
    return {
      type,
      of(object) {
        const fields = known.get(object.name) ?? fieldsOf(object, collect(object));
        known.set(object.name, fields);
        return fields;
      },
    };
  };
  const fieldsOf = (object: GraphQLObjectType, collected: Collected): ShapeField[] =>
    [...collected].map(([key, nodes]) => {
      const name = (nodes[0] as FieldNode).name.value;
      const field = object.getFields()[name];
      // `__typename` is a field of every type and in the list of none.
      const type = field?.type ?? TYPENAME_TYPE(schema);
      const named = getNamedType(type);
      const below = isCompositeType(named)
        ? shapeOf(named, (of) => collectSubFields(schema, fragments, variables, of, [...nodes]).fields)
        : undefined;
      return { key, name, type, below };
    });

  return shapeOf(
    root,
    (of) => collectFields(schema, fragments, variables, of, operation.selectionSet).fields,
  );
}

const TYPENAME_TYPE = (schema: GraphQLSchema) => schema.getType("String") as GraphQLOutputType;
