/** What makes a test's service a federated one: its SDL as it offers it, and its entities by their keys. */
import {
  type DocumentNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  visit,
} from "graphql";
import type { ServiceDefinition } from "./service.ts";

/** The directives of version 2, as an SDL begins. */
export const V2 = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3",
  import: ["@key", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@external", "@requires", "@provides"])`;

// biome-ignore lint/suspicious/noExplicitAny: representations and entities are the test's matter
type EntityOf = (representation: any) => unknown;

export interface FederatedDefinition {
  readonly sdl: string;
  // biome-ignore lint/suspicious/noExplicitAny: resolvers are the test's matter
  readonly resolvers?: any;
  /** Type → an entity by its representation; a service's own resolvers see to its fields. */
  readonly entities?: Readonly<Record<string, EntityOf>>;
  /** Whether `_service` offers the SDL; true unless said otherwise. */
  readonly offersSdl?: boolean;
}

/** A service as the federation's specification describes it. */
export function federated({
  sdl,
  resolvers = {},
  entities = {},
  offersSdl = true,
}: FederatedDefinition): ServiceDefinition {
  const document = parse(sdl);
  const names = entityNames(document);
  const parts = [print(executable(document))];
  if (offersSdl) parts.push("type _Service { sdl: String! } extend type Query { _service: _Service! }");
  if (names.length > 0)
    parts.push(`scalar _Any union _Entity = ${names.join(" | ")}
      extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`);
  const query = {
    ...(offersSdl ? { _service: () => ({ sdl }) } : {}),
    ...(names.length > 0
      ? {
          _entities: (_: unknown, { representations }: { representations: { __typename: string }[] }) =>
            representations.map(async ({ __typename, ...key }) => {
              const entity = await entities[__typename]?.(key);
              return entity && { __typename, ...entity };
            }),
        }
      : {}),
  };
  const typeDefs = parts.join("\n");
  return { typeDefs, resolvers: { ...resolvers, Query: { ...resolvers.Query, ...query } } };
}

function hasKey({ directives }: ObjectTypeDefinitionNode | ObjectTypeExtensionNode): boolean {
  return directives?.some(({ name }) => name.value === "key") ?? false;
}

function entityNames({ definitions }: DocumentNode): string[] {
  return definitions.flatMap((node) =>
    (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION) && hasKey(node)
      ? [node.name.value]
      : [],
  );
}

/** Without directives, and with what it extends as its own: a server executes nothing else. */
function executable(document: DocumentNode): DocumentNode {
  const own = new Set(
    document.definitions.flatMap((node) =>
      node.kind === Kind.OBJECT_TYPE_DEFINITION ? [node.name.value] : [],
    ),
  );
  const isQueryMissing = !own.has("Query");
  const plain = visit(document, {
    Directive: () => null,
    SchemaExtension: () => null,
    ObjectTypeExtension: (node) =>
      own.has(node.name.value) ? undefined : { ...node, kind: Kind.OBJECT_TYPE_DEFINITION },
  });
  const extendsQuery = plain.definitions.some(
    (node) => node.kind === Kind.OBJECT_TYPE_DEFINITION && node.name.value === "Query",
  );
  // A service of entities only has a Query all the same, for `_service` and `_entities`.
  if (!isQueryMissing || extendsQuery) return plain;
  return { ...plain, definitions: [...plain.definitions, ...parse("type Query { _: Boolean }").definitions] };
}
