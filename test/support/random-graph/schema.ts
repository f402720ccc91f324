/**
 * Random services: federated ones that compose with each other, and some with types of their own.
 * Knows SDL; nothing of what the services answer.
 */
import { mergedServices } from "./merged.ts";
import { Random } from "./random.ts";

export interface RandomService {
  readonly name: string;
  readonly sdl: string;
  readonly isFederated: boolean;
  /** Under which the graph shows what it has. */
  readonly namespace?: string;
}

/** How the objects of an entity are told apart. The values of all fields named here are made from an object's number. */
export const KEY_FIELDS = {
  id: "ID!",
  code: "String!",
  num: "Int!",
  sku: "String!",
  region: "Int!",
  serial: "ID",
} as const;

/** The types of Media: of its objects, each in turn is of the next. */
export const MEDIA = ["Film", "Show"];

const KEYS = [
  "id",
  "code",
  "num",
  "sku region",
  "org { code num }",
  "serial",
  "org { code } region",
] as const;

export const LEAVES = ["Int", "Float", "String", "Boolean", "ID", "Color", "Blob", "String", "Int"];

export const COMMON = `
enum Color { RED GREEN BLUE_2 _odd }
scalar Blob
input Filter { text: String = "x", n: Int, tags: [String!], nested: Filter, mode: Color = RED, f: Float, ids: [ID] }`;

const V2 = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3",
  import: ["@key", "@shareable", "@override", "@inaccessible", "@external", "@requires", "@provides", "@interfaceObject"])`;

interface Entity {
  readonly name: string;
  readonly keys: readonly string[];
  /** Service → its keys; one without any only refers to the objects. */
  readonly members: Map<string, readonly string[]>;
  /** Field → who has it. */
  readonly owned: Map<string, { type: string; services: string[]; isSimple: boolean }>;
}

interface Fields {
  /** Field with its arguments → the rest of its declaration. */
  readonly fields: Map<string, string>;
  readonly directives: Set<string>;
  readonly interfaces: Set<string>;
}

export function randomServices(seed: string): RandomService[] {
  const random = new Random(seed, "services");
  const isFederated = random.chance(0.75);
  const services = isFederated ? federatedServices(random) : mergedServices(random);
  const plain = random.int(3);
  for (let i = 0; i < plain; i++) {
    const service = plainService(random, `plain${i}`, `P${i}`);
    services.push(random.chance(0.25) ? { ...service, namespace: "Own" } : service);
  }
  if (isFederated && random.chance(0.3)) services.push(...mergedServices(random));
  return services;
}

export function wrapped(random: Random, name: string, isList = random.chance(0.35)): string {
  if (!isList) return random.chance(0.4) ? `${name}!` : name;
  return random.pick([
    `[${name}]`,
    `[${name}!]`,
    `[${name}!]!`,
    `[${name}]!`,
    `[[${name}]]`,
    `[[${name}!]!]!`,
    `[[${name}]!]`,
  ]);
}

const ARGUMENTS = [
  "(n: Int = 3)",
  "(text: String)",
  '(text: String = "a\\"b", yes: Boolean! = true)',
  "(ids: [ID!]!)",
  "(filter: Filter)",
  "(filter: Filter = { n: 2, tags: [] }, colour: Color)",
  "(colour: Color! = GREEN)",
  "(f: Float, blob: Blob)",
  "(matrix: [[Int!]])",
  "(id: ID!)",
];

export function args(random: Random, probability = 0.25): string {
  return random.chance(probability) ? random.pick(ARGUMENTS) : "";
}

function federatedServices(random: Random): RandomService[] {
  const names = ["alpha", "beta", "gamma", "delta"].slice(0, random.between(2, 4));
  const parts = new Map(names.map((name) => [name, new Map<string, Fields>()]));
  const extra = new Map(names.map((name) => [name, new Map<string, string>()]));
  const typeIn = (service: string, type: string): Fields => {
    const types = parts.get(service) as Map<string, Fields>;
    const known = types.get(type) ?? { fields: new Map(), directives: new Set(), interfaces: new Set() };
    types.set(type, known);
    return known;
  };

  // Values: the same in every service that has them.
  const values = ["Size", "Money", "Spot"].slice(0, random.between(1, 3)).map((name, i, all) => {
    const fields = [`measure: Float`, `v${i}: ${wrapped(random, random.pick(LEAVES))}`];
    for (let f = random.int(3); f > 0; f--)
      fields.push(`w${f}${args(random, 0.15)}: ${wrapped(random, random.pick(LEAVES))}`);
    const next = i + 1 < all.length ? ["Size", "Money", "Spot"][i + 1] : undefined;
    if (next && random.chance(0.6)) fields.push(`deep: ${wrapped(random, next)}`);
    return { name, fields, next: fields.some((field) => field.startsWith("deep")) ? next : undefined };
  });
  const useValue = (service: string, name: string): void => {
    const value = values.find((each) => each.name === name);
    if (!value || extra.get(service)?.has(name)) return;
    extra
      .get(service)
      ?.set(name, `type ${name} implements Measured @shareable { ${value.fields.join(" ")} }`);
    extra.get(service)?.set("Measured", "interface Measured { measure: Float }");
    if (value.next) useValue(service, value.next);
  };
  const useOrg = (service: string, fields: string): void => {
    if (fields.includes("org"))
      extra.get(service)?.set("Org", "type Org @shareable { code: String! num: Int! title: String }");
  };

  // Entities, by whom they are known, and by which keys.
  const entities: Entity[] = ["User", "Item", "Order", "Review", "Place"]
    .slice(0, random.between(2, 5))
    .map((name) => {
      const keys: string[] = random.some(KEYS, random.chance(0.35) ? 2 : 1);
      const members = new Map<string, readonly string[]>();
      for (const [i, service] of random.some(names, random.between(1, names.length)).entries())
        members.set(service, i === 0 || random.chance(0.4) ? keys : [random.pick(keys)]);
      return { name, keys, members, owned: new Map() };
    });
  const declareKey = (service: string, { name }: Entity, key: string, isResolvable = true): void => {
    const type = typeIn(service, name);
    type.directives.add(`@key(fields: "${key}"${isResolvable ? "" : ", resolvable: false"})`);
    for (const field of key
      .replace(/\{.*?\}/g, "")
      .trim()
      .split(/\s+/))
      type.fields.set(field, field === "org" ? "Org!" : KEY_FIELDS[field as keyof typeof KEY_FIELDS]);
    useOrg(service, key);
  };
  for (const entity of entities)
    for (const [service, keys] of entity.members) for (const key of keys) declareKey(service, entity, key);
  const refer = (service: string, entity: Entity): void => {
    if (entity.members.has(service)) return;
    entity.members.set(service, []);
    declareKey(service, entity, random.pick(entity.keys), false);
  };
  const resolvers = (entity: Entity) =>
    [...entity.members].filter(([, keys]) => keys.length > 0).map(([service]) => service);

  // Interfaces and unions of entities.
  const abstracts: { name: string; service: string }[] = [];
  for (const name of ["Named", "Thing"].slice(0, random.int(3))) {
    const chosen = random.some(entities, random.between(1, 3));
    for (const service of names) {
      const here = chosen.filter((entity) => resolvers(entity).includes(service));
      if (here.length === 0) continue;
      const field = name === "Named" ? "label" : "tag";
      extra.get(service)?.set(name, `interface ${name} { ${field}: String }`);
      for (const entity of here) {
        const type = typeIn(service, entity.name);
        type.interfaces.add(name);
        type.fields.set(field, "String @shareable");
      }
      abstracts.push({ name, service });
    }
  }
  for (const name of ["Any1", "Any2"].slice(0, random.int(3))) {
    for (const service of random.some(names, random.between(1, 2))) {
      const members = random.some(
        [...entities.map((each) => each.name), ...values.map((each) => each.name)],
        3,
      );
      for (const member of members) {
        const entity = entities.find((each) => each.name === member);
        if (entity) refer(service, entity);
        else useValue(service, member);
      }
      extra.get(service)?.set(name, `union ${name} = ${members.join(" | ")}`);
      abstracts.push({ name, service });
    }
  }

  const anyType = (service: string): { name: string; isSimple: boolean } => {
    const kind = random.next();
    if (kind < 0.45) return { name: random.pick(LEAVES), isSimple: true };
    if (kind < 0.62) {
      const { name } = random.pick(values);
      useValue(service, name);
      return { name, isSimple: true };
    }
    const own = abstracts.filter((each) => each.service === service);
    if (kind < 0.75 && own.length > 0) return { name: random.pick(own).name, isSimple: false };
    if (kind < 0.8) {
      useValue(service, random.pick(values).name);
      return { name: "Measured", isSimple: false };
    }
    const entity = random.pick(entities);
    refer(service, entity);
    return { name: entity.name, isSimple: false };
  };

  // What each service has of the entities that it can be asked for.
  for (const entity of entities) {
    for (const service of resolvers(entity)) {
      for (let f = random.between(1, 4); f > 0; f--) {
        const { name, isSimple } = anyType(service);
        const field = `${service[0]}${entity.name[0]}${f}`.toLowerCase();
        const parameters = args(random, 0.2);
        const type = wrapped(random, name);
        const others = resolvers(entity).filter((other) => other !== service);
        const sharer = isSimple && others.length > 0 && random.chance(0.2) ? random.pick(others) : undefined;
        const taker =
          isSimple && !sharer && others.length > 0 && random.chance(0.1) ? random.pick(others) : undefined;
        const isHidden = !sharer && !taker && random.chance(0.06);
        const rest = sharer ? " @shareable" : isHidden ? " @inaccessible" : "";
        const both = sharer ?? taker;
        if (both) useValue(both, name);
        for (const each of sharer ? [service, sharer] : [service])
          typeIn(each, entity.name).fields.set(field + parameters, type + rest);
        if (taker)
          typeIn(taker, entity.name).fields.set(field + parameters, `${type} @override(from: "${service}")`);
        if (parameters === "")
          entity.owned.set(field, { type, services: both ? [service, both] : [service], isSimple });
      }
    }
  }

  // What needs, and what gives, fields of other services.
  const below = (type: string): string => {
    const value = values.find(({ name }) => type.includes(name));
    if (!value) return "";
    const own = random.some(["measure", value.fields[1]?.split(":")[0] ?? "measure"], random.between(1, 2));
    const deep = value.next && random.chance(0.6) ? ` deep${below(value.next)}` : "";
    return ` { ${own.join(" ")}${deep} }`;
  };
  for (const entity of entities) {
    for (const service of resolvers(entity)) {
      const foreign = [...entity.owned].filter(
        ([, { services, isSimple }]) => isSimple && !services.includes(service),
      );
      if (foreign.length === 0 || !random.chance(0.45)) continue;
      const needed = random.some(foreign, random.between(1, 2));
      for (const [field, { type }] of needed) {
        for (const value of values) if (type.includes(value.name)) useValue(service, value.name);
        typeIn(service, entity.name).fields.set(field, `${type} @external`);
      }
      const fields = needed.map(([field, { type }]) => field + below(type)).join(" ");
      typeIn(service, entity.name).fields.set(
        `req${service[0]?.toUpperCase()}${args(random, 0.15)}`,
        `String @requires(fields: "${fields}")`,
      );
    }
  }
  for (const service of names) {
    if (!random.chance(0.35)) continue;
    const entity = random.pick(entities);
    const foreign = [...entity.owned].filter(
      ([, { services, isSimple }]) => isSimple && !services.includes(service),
    );
    if (foreign.length === 0) continue;
    refer(service, entity);
    const [field, { type }] = random.pick(foreign);
    for (const value of values) if (type.includes(value.name)) useValue(service, value.name);
    const target = typeIn(service, entity.name);
    if (!target.fields.has(field)) target.fields.set(field, `${type} @external`);
    if (!target.fields.get(field)?.includes("@external")) continue;
    typeIn(service, "Query").fields.set(
      `${service}Giving`,
      `${wrapped(random, entity.name)} @provides(fields: "${field}${below(type)}")`,
    );
  }

  for (const [service, root] of mediaIn(random, names, typeIn, extra, (each) => anyType(each).name))
    typeIn(service, "Query").fields.set(...root);

  // Where everything begins.
  for (const service of names) {
    const query = typeIn(service, "Query");
    const own = entities.filter((entity) => entity.members.has(service));
    for (const entity of random.some(own, 2))
      query.fields.set(`${service}${entity.name}s${args(random, 0.4)}`, wrapped(random, entity.name, true));
    for (const entity of random.some(own, 1))
      query.fields.set(`${service}${entity.name}(id: ID!)`, entity.name);
    for (let f = random.between(1, 3); f > 0; f--)
      query.fields.set(`${service}Q${f}${args(random, 0.4)}`, wrapped(random, anyType(service).name));
    if (random.chance(0.3)) query.fields.set("sharedRoot", "String @shareable");
    for (let f = random.chance(0.6) ? random.between(1, 2) : 0; f > 0; f--)
      typeIn(service, "Mutation").fields.set(
        `${service}M${f}${args(random, 0.5)}`,
        wrapped(random, anyType(service).name),
      );
  }

  for (const { name, members } of entities) {
    if (members.size < 2 || !random.chance(0.3)) continue;
    const type = wrapped(random, name, true);
    for (const service of members.keys())
      typeIn(service, "Query").fields.set(`every${name}`, `${type} @shareable`);
  }

  return names.map((name) => {
    const types = [...(parts.get(name) ?? [])].map(([type, { fields, directives, interfaces }]) => {
      const implemented = interfaces.size > 0 ? ` implements ${[...interfaces].join(" & ")}` : "";
      const lines = [...fields].map(([field, rest]) => `  ${field}: ${rest}`);
      return `type ${type}${implemented} ${[...directives].join(" ")} {\n${lines.join("\n")}\n}`;
    });
    const others = [...(extra.get(name)?.values() ?? [])];
    return { name, isFederated: true, sdl: [V2, COMMON, ...others, ...types].join("\n") };
  });
}

/**
 * An interface whose objects one service has by their types, and another as objects of one type. Returns root fields
 * that lead to them.
 */
function mediaIn(
  random: Random,
  names: readonly string[],
  typeIn: (service: string, type: string) => Fields,
  extra: ReadonlyMap<string, Map<string, string>>,
  typeOf: (service: string) => string,
): [service: string, root: [field: string, type: string]][] {
  if (!random.chance(0.3)) return [];
  const [whole, part] = random.some(names, 2) as [string, string];
  const shared = `all: ${wrapped(random, random.pick(LEAVES))}`;
  extra.get(whole)?.set("Media", `interface Media @key(fields: "id") { id: ID! ${shared} }`);
  for (const name of MEDIA) {
    const type = typeIn(whole, name);
    type.interfaces.add("Media");
    type.directives.add('@key(fields: "id")');
    type.fields.set("id", "ID!");
    type.fields.set("all", shared.slice("all: ".length));
    type.fields.set(`own${name}${args(random)}`, wrapped(random, typeOf(whole)));
  }
  const media = typeIn(part, "Media");
  media.directives.add('@key(fields: "id") @interfaceObject');
  media.fields.set("id", "ID!");
  for (let f = random.between(1, 3); f > 0; f--)
    media.fields.set(`media${f}${args(random, 0.2)}`, wrapped(random, typeOf(part)));
  const led = random.pick(["Media", ...MEDIA]);
  return [
    [whole, [`${whole}Media${args(random)}`, wrapped(random, "Media")]],
    [whole, [`${whole}Led`, wrapped(random, led)]],
    [part, [`${part}Media${args(random)}`, wrapped(random, "Media")]],
  ];
}

/** `prefix`: of its types' names, which nobody else has. */
function plainService(random: Random, name: string, prefix: string): RandomService {
  const objects = ["A", "B", "C"].map((each) => prefix + each);
  const leaves = LEAVES.map((leaf) => (/Color|Blob/.test(leaf) ? prefix + leaf : leaf));
  const composites = [...objects, `${prefix}Face`, `${prefix}Union`];
  const field = (probability: number) =>
    wrapped(random, random.chance(probability) ? random.pick(leaves) : random.pick(composites));
  const ownArgs = (probability: number) =>
    args(random, probability).replace(/\b(Filter|Color|Blob)\b/g, `${prefix}$1`);
  const types = objects.map((type) => {
    const isFace = type !== `${prefix}C`;
    const fields = isFace ? ["  same: Int"] : [];
    for (let f = random.between(2, 5); f > 0; f--) {
      // Under one name, types may have fields of different types.
      const key = random.chance(0.3) ? `f${f}` : `f${type.at(-1)}${f}`;
      fields.push(`  ${key}${ownArgs(0.2)}: ${field(0.7)}`);
    }
    return `type ${type}${isFace ? ` implements ${prefix}Face` : ""} {\n${fields.join("\n")}\n}`;
  });
  const roots = Array.from({ length: random.between(2, 4) }, (_, i) => {
    return `  ${name}Q${i}${ownArgs(0.5)}: ${field(0.3)}`;
  });
  const mutations = random.chance(0.6) ? `type Mutation { ${name}M${ownArgs(0.5)}: ${field(0.3)} }` : "";
  const sdl = [
    COMMON.replace(/\b(Filter|Color|Blob)\b/g, `${prefix}$1`),
    `interface ${prefix}Face { same: Int }`,
    `union ${prefix}Union = ${random.some(objects, 2).join(" | ")}`,
    ...types,
    `type Query {\n${roots.join("\n")}\n}`,
    mutations,
  ].join("\n");
  return { name, sdl, isFederated: false };
}
