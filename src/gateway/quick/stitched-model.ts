/**
 * One service that is nobody's part, as a supergraph of itself alone: its operations are planned and carried out as
 * those of federated services are. Knows a service's schema; nothing of operations.
 */
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationTypeNode,
} from "graphql";
import type { FederationOptions } from "../federation/executor.ts";
import { Supergraph } from "../federation/supergraph.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";

const models = new WeakMap<Subgraph, FederationOptions>();
const GRAPH = "SERVICE";

/** Undefined for a service that the graph shows in another way than it is, or as a part of others' types. */
export function plainModel(subgraph: Subgraph): FederationOptions | undefined {
  const { config, source, mergeable, name, executor } = subgraph;
  const { hide = [], rename = {}, namespace } = source;
  const isShaped = hide.length > 0 || Object.keys(rename).length > 0 || namespace !== null;
  if (!config || isShaped || mergeable.size > 0) return undefined;
  const known = models.get(subgraph);
  if (known) return known;
  const schema = () => config.schema as GraphQLSchema;
  let supergraph: Supergraph | undefined;
  const model: FederationOptions = {
    supergraph: () => {
      supergraph ??= new Supergraph(documentOf(name, schema()));
      return supergraph;
    },
    schema,
    asked: schema,
    isOwnSchema: true,
    executor: () => executor,
  };
  models.set(subgraph, model);
  return model;
}

function documentOf(service: string, schema: GraphQLSchema): DocumentNode {
  const definitions: DefinitionNode[] = [graphEnum(service)];
  const operationTypes = ["query", "mutation", "subscription"].flatMap((operation) => {
    const type = schema.getRootType(operation as OperationTypeNode);
    if (!type) return [];
    return {
      kind: Kind.OPERATION_TYPE_DEFINITION,
      operation: operation as OperationTypeNode,
      type: named(type.name),
    } as const;
  });
  definitions.push({ kind: Kind.SCHEMA_DEFINITION, operationTypes });
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type)) continue;
    const name = { kind: Kind.NAME, value: type.name } as const;
    if (isUnionType(type)) {
      const members = type.getTypes().map((member) => join("unionMember", { member: member.name }));
      definitions.push({ kind: Kind.UNION_TYPE_DEFINITION, name, directives: [join("type"), ...members] });
    } else if (isObjectType(type) || isInterfaceType(type)) {
      const fields = Object.values(type.getFields()).flatMap(({ astNode }): FieldDefinitionNode[] =>
        astNode ? [{ ...astNode, directives: [] }] : [],
      );
      const interfaces = type.getInterfaces().map((each) => join("implements", { interface: each.name }));
      const kind = isObjectType(type) ? Kind.OBJECT_TYPE_DEFINITION : Kind.INTERFACE_TYPE_DEFINITION;
      definitions.push({ kind, name, fields, directives: [join("type"), ...interfaces] } as DefinitionNode);
    }
  }
  return { kind: Kind.DOCUMENT, definitions };
}

function graphEnum(service: string): DefinitionNode {
  const name = { kind: Kind.NAME, value: GRAPH } as const;
  const values = [
    { kind: Kind.ENUM_VALUE_DEFINITION, name, directives: [join("graph", { name: service })] } as const,
  ];
  return { kind: Kind.ENUM_TYPE_DEFINITION, name: { kind: Kind.NAME, value: "join__Graph" }, values };
}

function join(directive: string, texts: Readonly<Record<string, string>> = {}): ConstDirectiveNode {
  const graph = argument("graph", { kind: Kind.ENUM, value: GRAPH });
  const others = Object.entries(texts).map(([name, value]) => argument(name, { kind: Kind.STRING, value }));
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: `join__${directive}` },
    arguments: [graph, ...others],
  };
}

type Argument = NonNullable<ConstDirectiveNode["arguments"]>[number];

function argument(name: string, value: Argument["value"]): Argument {
  return { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: name }, value };
}

const named = (value: string) => ({ kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value } }) as const;
