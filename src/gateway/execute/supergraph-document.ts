/**
 * Writes down several services' schemas as one supergraph, with the join directives that say who has what. Knows
 * schemas and those directives; nothing of how services are asked.
 */
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isUnionType,
  Kind,
  OperationTypeNode,
  print,
} from "graphql";

export interface Member {
  /** The name that the service has in the directives. */
  readonly graph: string;
  readonly name: string;
  readonly schema: GraphQLSchema;
  /** Type → the keys by which the service can be asked for it. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** `Type.field` → what the field needs. */
  readonly requires: ReadonlyMap<string, string>;
}

const OPERATIONS = Object.values(OperationTypeNode);

/** Root types go by the names Query, Mutation and Subscription, whatever a service calls them. */
export function supergraphDocument(members: readonly Member[]): DocumentNode {
  const definitions: DefinitionNode[] = [graphs(members)];
  const operationTypes = OPERATIONS.filter((operation) =>
    members.some(({ schema }) => schema.getRootType(operation)),
  ).map((operation) => {
    const type = { kind: Kind.NAMED_TYPE, name: name(rootTypeName(operation)) } as const;
    return { kind: Kind.OPERATION_TYPE_DEFINITION, operation, type } as const;
  });
  definitions.push({ kind: Kind.SCHEMA_DEFINITION, operationTypes });
  const holders = new Map<string, TypePart[]>();
  for (const member of members) {
    const roots = new Map(
      OPERATIONS.map((each) => [member.schema.getRootType(each)?.name, rootTypeName(each)]),
    );
    for (const type of Object.values(member.schema.getTypeMap())) {
      if (isIntrospectionType(type)) continue;
      const shown = roots.get(type.name) ?? type.name;
      holders.set(shown, [...(holders.get(shown) ?? []), { member, type }]);
    }
  }
  for (const [shown, parts] of holders) definitions.push(...definitionOf(shown, parts));
  return { kind: Kind.DOCUMENT, definitions };
}

const rootTypeName = (operation: OperationTypeNode) => `${operation[0]?.toUpperCase()}${operation.slice(1)}`;

interface TypePart {
  readonly member: Member;
  readonly type: GraphQLNamedType;
}

/** Nothing for leaves and inputs, of which a plan needs to know nothing. */
function definitionOf(shown: string, parts: readonly TypePart[]): DefinitionNode[] {
  const directives = parts.flatMap(({ member, type }) => membership(member, type));
  const [first] = parts;
  if (isUnionType(first?.type)) return [{ kind: Kind.UNION_TYPE_DEFINITION, name: name(shown), directives }];
  if (!isObjectType(first?.type) && !isInterfaceType(first?.type)) return [];
  const fields = new Map<string, { node: FieldDefinitionNode; joins: ConstDirectiveNode[] }>();
  for (const { member, type } of parts) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { astNode } of Object.values(type.getFields())) {
      if (!astNode) continue;
      const field = fields.get(astNode.name.value) ?? { node: astNode, joins: [] };
      fields.set(astNode.name.value, field);
      const requires = member.requires.get(`${type.name}.${astNode.name.value}`);
      field.joins.push(
        join("field", member.graph, { type: print(astNode.type), ...(requires ? { requires } : {}) }),
      );
    }
  }
  const nodes = [...fields.values()].map(({ node, joins }) => ({ ...node, directives: joins }));
  const kind = isObjectType(first.type) ? Kind.OBJECT_TYPE_DEFINITION : Kind.INTERFACE_TYPE_DEFINITION;
  return [{ kind, name: name(shown), directives, fields: nodes }];
}

function membership({ graph, keys }: Member, type: GraphQLNamedType): ConstDirectiveNode[] {
  if (isUnionType(type)) {
    const members = type.getTypes().map((each) => join("unionMember", graph, { member: each.name }));
    return [join("type", graph), ...members];
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  const own = keys.get(type.name) ?? [];
  const interfaces = type.getInterfaces().map((each) => join("implements", graph, { interface: each.name }));
  const types = own.length > 0 ? own.map((key) => join("type", graph, { key })) : [join("type", graph)];
  return [...types, ...interfaces];
}

function graphs(members: readonly Member[]): DefinitionNode {
  const values = members.map(({ graph, name: service }) => {
    const directives = [directive("graph", { name: service })];
    return { kind: Kind.ENUM_VALUE_DEFINITION, name: name(graph), directives } as const;
  });
  return { kind: Kind.ENUM_TYPE_DEFINITION, name: name("join__Graph"), values };
}

type Texts = Readonly<Record<string, string>>;

function join(what: string, graph: string, texts: Texts = {}): ConstDirectiveNode {
  return directive(what, texts, [argument("graph", { kind: Kind.ENUM, value: graph })]);
}

function directive(what: string, texts: Texts, first: Argument[] = []): ConstDirectiveNode {
  const others = Object.entries(texts).map(([key, value]) => argument(key, { kind: Kind.STRING, value }));
  return { kind: Kind.DIRECTIVE, name: name(`join__${what}`), arguments: [...first, ...others] };
}

type Argument = NonNullable<ConstDirectiveNode["arguments"]>[number];

function argument(key: string, value: Argument["value"]): Argument {
  return { kind: Kind.ARGUMENT, name: name(key), value };
}

const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
