/**
 * Random services that make up types in common as stitching directives say: each can be asked for its part of an object
 * by a key: a whole list at once, or one by one. Knows SDL; nothing of what the services answer.
 */
import type { Random } from "./random.ts";
import { args, COMMON, KEY_FIELDS, LEAVES, type RandomService, wrapped } from "./schema.ts";

const TYPES = ["MBook", "MAuthor", "MShop"];
const KEYS = ["id", "code", "num"] as const;
type Key = (typeof KEYS)[number];

/** What input objects may be made of. */
const GIVEN = ["Int", "String", "Boolean", "[Int]", "[String!]", "MColor", "MBlob", "Float"];

interface Part {
  readonly keys: Set<Key>;
  /** Field with its arguments → the rest of its declaration. */
  readonly fields: Map<string, string>;
}

export function mergedServices(random: Random): RandomService[] {
  const names = ["merge0", "merge1", "merge2"].slice(0, random.between(2, 3));
  const types = random.some(TYPES, random.between(1, 3)).map((name) => {
    const keys: readonly Key[] = random.some(KEYS, random.chance(0.3) ? 2 : 1);
    return { name, keys, servers: random.some(names, random.between(1, names.length)) };
  });
  const own = (type: string) => type.replace(/\b(Filter|Color|Blob)\b/g, "M$1");
  const services = names.map((name) => ({
    name,
    parts: new Map<string, Part>(),
    roots: new Map<string, string>(),
    mutations: new Map<string, string>(),
    inputs: [] as string[],
    union: "",
  }));
  const partOf = ({ parts }: (typeof services)[number], type: string): Part => {
    const known = parts.get(type) ?? { keys: new Set(), fields: new Map() };
    parts.set(type, known);
    return known;
  };
  const refer = (service: (typeof services)[number]): string => {
    const { name, keys } = random.pick(types);
    const part = partOf(service, name);
    // Services that serve it differ as they like, but the others have it alike.
    part.keys.add(keys[0] as Key);
    return name;
  };
  const simple = new Map<string, [field: string, service: string][]>();
  for (const { name, keys, servers } of types) {
    for (const service of services.filter((each) => servers.includes(each.name))) {
      const part = partOf(service, name);
      const served = service.name === servers[0] || random.chance(0.5) ? keys : [random.pick(keys)];
      for (const key of served) {
        part.keys.add(key);
        const type = KEY_FIELDS[key];
        if (random.chance(0.1))
          service.roots.set(
            `${service.name}${name}Of_${key}(${key}: ${type})`,
            `${name} @merge(keyField: "${key}")`,
          );
        else
          service.roots.set(
            `${service.name}${name}By_${key}(${key}s: [${type}]!)`,
            `[${name}]${random.chance(0.5) ? "!" : ""} @merge(keyField: "${key}")`,
          );
      }
      for (let f = random.between(1, 4); f > 0; f--) {
        const field = `m${service.name.at(-1)}${name[1]}${f}`.toLowerCase();
        const isLeaf = random.chance(0.65);
        const parameters = own(args(random, 0.2));
        const given = random.pick(GIVEN);
        if (isLeaf && parameters === "" && random.chance(0.5)) {
          part.fields.set(field, given);
          simple.set(name, [...(simple.get(name) ?? []), [`${field}: ${given}`, service.name]]);
        } else
          part.fields.set(
            field + parameters,
            wrapped(random, isLeaf ? own(random.pick(LEAVES)) : refer(service)),
          );
      }
    }
  }
  // What needs fields of other services is asked for by an object of them and the key.
  for (const { name, keys } of types) {
    for (const service of services) {
      const foreign = (simple.get(name) ?? []).filter(([, owner]) => owner !== service.name);
      const part = service.parts.get(name);
      const isServed = [...service.roots.keys()].some(
        (root) => root.includes(`${name}By_`) || root.includes(`${name}Of_`),
      );
      if (foreign.length === 0 || !part || isServed || !random.chance(0.6)) continue;
      const key = random.pick(keys);
      part.keys.add(key);
      const needed = random.some(foreign, random.between(1, 2)).map(([field]) => field);
      service.inputs.push(
        `input ${name}Key${service.name.at(-1)} { ${key}: ${KEY_FIELDS[key]} ${needed.join(" ")} }`,
      );
      service.roots.set(
        `${service.name}${name}By_keys(keys: [${name}Key${service.name.at(-1)}!]!)`,
        `[${name}] @merge(keyArg: "keys") @of(key: "${key}")`,
      );
      const selection = needed.map((field) => field.split(":")[0]).join(" ");
      part.fields.set(`comp${service.name.at(-1)}`, `String @computed(selectionSet: "{ ${selection} }")`);
    }
  }
  for (const service of services) {
    for (let f = random.between(1, 3); f > 0; f--)
      service.roots.set(
        `${service.name}Q${f}${own(args(random, 0.3))}`,
        wrapped(random, random.chance(0.85) ? refer(service) : own(random.pick(LEAVES))),
      );
    if (random.chance(0.4))
      service.mutations.set(`${service.name}M${own(args(random, 0.5))}`, wrapped(random, refer(service)));
    if (service.parts.size > 1 && random.chance(0.5)) {
      const union = `MAny${service.name.at(-1)}`;
      service.union = `union ${union} = ${random.some([...service.parts.keys()], 2).join(" | ")}`;
      service.roots.set(`${service.name}Any`, wrapped(random, union));
    }
  }
  return services.map(({ name, parts, roots, mutations, inputs, union }) => {
    const objects = [...parts].map(([type, { keys, fields }]) => {
      const byKeys = [...roots].find(([root]) => root.startsWith(`${name}${type}By_keys`));
      const key = byKeys && /@of\(key: "(\w+)"\)/.exec(byKeys[1])?.[1];
      const lines = [
        ...[...keys].map((each) => `  ${each}: ${KEY_FIELDS[each]}`),
        ...[...fields].map(([field, rest]) => `  ${field}: ${rest}`),
      ];
      return `type ${type}${key ? ` @key(selectionSet: "{ ${key} }")` : ""} {\n${lines.join("\n")}\n}`;
    });
    const fieldsOf = (fields: ReadonlyMap<string, string>) =>
      [...fields].map(([field, rest]) => `  ${field}: ${rest.replace(/ @of\(.*?\)/, "")}`).join("\n");
    const sdl = [
      own(COMMON),
      ...inputs,
      union,
      ...objects,
      `type Query {\n${fieldsOf(roots)}\n}`,
      mutations.size > 0 ? `type Mutation {\n${fieldsOf(mutations)}\n}` : "",
    ].join("\n");
    return { name, sdl, isFederated: false };
  });
}
