/**
 * Random services that answer over HTTP, right or wrong in ways that depend on the seed only, so that whoever asks
 * gets the same. All are paths of one server. Knows services and their data; nothing of who asks, or why.
 */
import {
  buildSchema,
  type DocumentNode,
  execute,
  type FieldNode,
  GraphQLError,
  type GraphQLFieldResolver,
  GraphQLScalarType,
  type GraphQLSchema,
  isEnumType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  parse,
  print,
  type TypeNode,
  validate,
  visit,
} from "graphql";
import { federated } from "../federated.ts";
import { byKeys, keyValue, objectOf, type RandomObject, randomValue, typed } from "./data.ts";
import { type Form, formed, ODD_FORMS, type Result, WRONG_FORMS } from "./forms.ts";
import { Random } from "./random.ts";
import type { RandomService } from "./schema.ts";

export interface Behaviour {
  readonly seed: string;
  /** Of entities, how many a service does not know. */
  readonly unknown: number;
  /** Of fields, how many throw. */
  readonly throwing: number;
  /** Of fields, how many have a value that their type forbids, or an error beside their value. */
  readonly wrong: number;
  /** How many services answer in another form than GraphQL servers do, and how many in none that is right. */
  readonly oddForms: number;
  readonly wrongForms: number;
}

export const WELL: Omit<Behaviour, "seed"> = {
  unknown: 0,
  throwing: 0,
  wrong: 0,
  oddForms: 0,
  wrongForms: 0,
};

/** One request that a service got. */
export interface Received {
  readonly service: string;
  readonly body: string;
  /** What the service's own schema has against it. */
  readonly problem: string | undefined;
}

export class RandomServer implements Disposable {
  readonly #server: ReturnType<typeof Bun.serve>;
  #services = new Map<string, Answering>();
  /** By the asker's `x-request-id`. */
  readonly received = new Map<string, Received[]>();

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const service = new URL(request.url).pathname.slice(1);
        const body = await request.text();
        const asker = request.headers.get("x-request-id") ?? "";
        const answering = this.#services.get(service);
        if (!answering) return new Response("gone", { status: 404 });
        const problem = answering.problem(body);
        this.received.set(asker, [...(this.received.get(asker) ?? []), { service, body, problem }]);
        return answering.answer(body);
      },
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** From now on it is these services. */
  serve(services: readonly RandomService[], behaviour: Behaviour): void {
    this.#services = new Map(services.map((service) => [service.name, new Answering(service, behaviour)]));
    this.received.clear();
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

class Answering {
  readonly #service: RandomService;
  readonly #behaviour: Behaviour;
  readonly #strict: GraphQLSchema;
  /** What is executed: `#strict`, unless values are to be wrong. */
  readonly #schema: GraphQLSchema;
  readonly #required: ReadonlyMap<string, readonly FieldNode[]>;
  readonly #form: Form | undefined;
  readonly #documents = new Map<string, { document: DocumentNode; problem: string | undefined }>();

  constructor(service: RandomService, behaviour: Behaviour) {
    this.#service = service;
    this.#behaviour = behaviour;
    const typeDefs = typeDefsOf(service);
    this.#strict = buildSchema(typeDefs);
    this.#schema = behaviour.wrong > 0 ? lenient(typeDefs) : this.#strict;
    for (const schema of new Set([this.#strict, this.#schema])) asWritten(schema);
    this.#required = requirements(service.sdl);
    const random = new Random(behaviour.seed, service.name, "form");
    if (random.chance(behaviour.wrongForms)) this.#form = random.pick(WRONG_FORMS);
    else if (random.chance(behaviour.oddForms)) this.#form = random.pick(ODD_FORMS);
  }

  /** What its own schema has against the request. */
  problem(body: string): string | undefined {
    return this.#read((JSON.parse(body) as { query: string }).query).problem;
  }

  async answer(body: string): Promise<Response> {
    const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
    const { document } = this.#read(query);
    const result = (await execute({
      schema: this.#schema,
      document,
      variableValues: variables ?? {},
      fieldResolver: this.#resolve,
    })) as Result;
    return formed(this.#form, JSON.parse(JSON.stringify(result)) as Result, document);
  }

  #read(query: string) {
    const known = this.#documents.get(query);
    if (known) return known;
    const document = parse(query, { noLocation: true });
    const read = { document, problem: validate(this.#strict, document)[0]?.message };
    this.#documents.set(query, read);
    return read;
  }

  readonly #resolve: GraphQLFieldResolver<RandomObject | undefined, unknown> = (
    source,
    args,
    _context,
    info,
  ) => {
    const { seed, unknown, throwing, wrong } = this.#behaviour;
    const { fieldName, parentType, returnType } = info;
    if (fieldName === "_entities") {
      const { representations } = args as { representations: Record<string, unknown>[] };
      return representations.map((representation) => {
        const meant = objectOf(representation);
        if (!meant) return null;
        const object = isObjectType(this.#strict.getType(meant.__typename)) ? meant : typed(meant);
        const isUnknown = new Random(seed, this.#service.name, object.__typename, object.n).chance(unknown);
        return isUnknown ? null : object;
      });
    }
    const asked = byKeys(fieldName, returnType, args as Record<string, unknown>);
    if (asked) {
      const known = (object: RandomObject | null) => {
        if (!object) return null;
        const random = new Random(seed, this.#service.name, object.__typename, object.n);
        return random.chance(unknown) ? null : object;
      };
      return Array.isArray(asked.found) ? asked.found.map(known) : known(asked.found);
    }
    const object = source ?? { __typename: parentType.name, n: 0 };
    const key = isKeyed(object) ? keyValue(object, fieldName) : undefined;
    const what = [seed, object.__typename, object.n, fieldName, JSON.stringify(args)];
    const fault = new Random(...what, "fault");
    if (key === undefined && fault.chance(throwing)) throw failure(object, fieldName, fault);
    const type = this.#strict.getType(parentType.name);
    const strictType = isObjectType(type) ? type.getFields()[fieldName]?.type : undefined;
    const required = this.#required.get(`${parentType.name}.${fieldName}`);
    const value =
      key !== undefined
        ? key
        : required
          ? fromGiven(object, required)
          : randomValue(this.#strict, strictType ?? returnType, new Random(...what));
    if (fault.chance(wrong)) return wronged(value, fault);
    return value;
  };
}

/** As its server has them. */
export function typeDefsOf({ sdl, isFederated }: RandomService): string {
  return isFederated ? federated({ sdl }).typeDefs : sdl.replace(/@(key|merge|computed)(\([^)]*\))?/g, "");
}

export function isKeyed({ __typename }: RandomObject): boolean {
  return !/^(Own_)?P\d|^(Query|Mutation|Size|Money|Spot)$/.test(__typename);
}

function failure({ __typename, n }: RandomObject, field: string, random: Random): GraphQLError {
  const extensions = random.chance(0.5) ? { code: "BROKEN", n } : {};
  return new GraphQLError(`no ${field} of ${__typename} ${n}`, { extensions });
}

/** A value that shows what the representation said. */
function fromGiven({ __typename, given }: RandomObject, required: readonly FieldNode[]): unknown {
  if (!given) throw new GraphQLError(`there is no representation of the ${__typename}`);
  return shownRequirements(given, required);
}

export function shownRequirements(
  given: Readonly<Record<string, unknown>>,
  required: readonly FieldNode[],
): string {
  return required.map(({ name: { value: name } }) => `${name}=${canonical(given[name])}`).join(";");
}

function canonical(value: unknown): string {
  return String(
    JSON.stringify(value, (_, part) => {
      if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
      const entries = Object.entries(part).filter(([name]) => name !== "__typename");
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
}

function wronged(value: unknown, random: Random): unknown {
  const others = [null, null, null, 12, "12", true, 1.5, 1e20, {}, [], "NO_SUCH_VALUE", { a: 1 }];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return null;
  if (Array.isArray(value)) return random.chance(0.5) ? null : value.map(() => null);
  return random.pick(others);
}

/** Its fields are all nullable, and their leaves may be anything. */
function lenient(typeDefs: string): GraphQLSchema {
  const strict = buildSchema(typeDefs);
  const isLeaf = (name: string) => {
    const type = strict.getType(name);
    return isEnumType(type) || isScalarType(type);
  };
  const loosen = (type: TypeNode): TypeNode => {
    if (type.kind === Kind.NON_NULL_TYPE) return loosen(type.type);
    if (type.kind === Kind.LIST_TYPE) return { ...type, type: loosen(type.type) };
    return isLeaf(type.name.value) ? { ...type, name: { kind: Kind.NAME, value: "Anything" } } : type;
  };
  const document = visit(parse(typeDefs), {
    FieldDefinition: (node) => ({ ...node, type: loosen(node.type) }),
  });
  return buildSchema(`${print(document)}\nscalar Anything`);
}

/** The schema's own scalars give what is there as it is. */
export function asWritten(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap()))
    if (type instanceof GraphQLScalarType && !isSpecifiedScalarType(type)) type.serialize = (value) => value;
}

/** `Type.field` → the fields that it needs of other services. */
export function requirements(sdl: string): ReadonlyMap<string, readonly FieldNode[]> {
  const required = new Map<string, readonly FieldNode[]>();
  for (const node of parse(sdl).definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const { name, directives = [] } of node.fields ?? []) {
      const requires = directives.find((directive) => /^(requires|computed)$/.test(directive.name.value));
      const [fields] = requires?.arguments ?? [];
      if (fields?.value.kind === Kind.STRING)
        required.set(`${node.name.value}.${name.value}`, fieldsOf(fields.value.value));
    }
  }
  return required;
}

function fieldsOf(text: string): readonly FieldNode[] {
  const [operation] = parse(text.startsWith("{") ? text : `{ ${text} }`).definitions;
  return operation?.kind === Kind.OPERATION_DEFINITION
    ? operation.selectionSet.selections.filter((node) => node.kind === Kind.FIELD)
    : [];
}
