/**
 * Random operations on a schema. Knows what GraphQL allows; nothing of who answers.
 */
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isUnionType,
  parse,
  validate,
} from "graphql";
import { Random } from "./random.ts";

export interface RandomOperation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly operationName?: string;
}

const MOST_ATTEMPTS = 12;

/** Valid on the schema. */
export function randomOperation(schema: GraphQLSchema, seed: string): RandomOperation {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const operation = new Writing(schema, new Random(seed, "operation", attempt)).operation();
    if (validate(schema, parse(operation.query)).length === 0) return operation;
  }
  return { query: "{ __typename }", variables: {} };
}

const STRINGS = ["", "plain", "é😀", 'q"uo\\te', "line\nbreak"];
const ALIASES = [
  "a",
  "b",
  "id",
  "code",
  "num",
  "org",
  "label",
  "x",
  "toJSON",
  "_entities",
  "e0",
  "data",
  "constructor",
  "then",
];

class Writing {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly #variables: Record<string, unknown> = {};
  readonly #definitions: string[] = [];
  readonly #fragments: { name: string; type: GraphQLCompositeType; text: string; isDone: boolean }[] = [];
  #names = 0;
  /** How many more selections there may be. */
  #budget: number;

  constructor(schema: GraphQLSchema, random: Random) {
    this.#schema = schema;
    this.#random = random;
    this.#budget = random.between(6, 40);
  }

  operation(): RandomOperation {
    const random = this.#random;
    const mutation = this.#schema.getMutationType();
    const isMutation = mutation && random.chance(0.12);
    const root = isMutation ? mutation : this.#schema.getQueryType();
    if (!root) throw new Error("the schema has no root");
    const set = this.#set(root, random.between(2, 5), random.between(1, 4));
    const name = random.chance(0.5) ? "Asked" : "";
    const parameters = this.#definitions.length > 0 ? `(${this.#definitions.join(", ")})` : "";
    const head = `${isMutation ? "mutation" : "query"} ${name}${parameters} `;
    const fragments = this.#fragments.map((each) => `\nfragment ${each.name} on ${each.type} ${each.text}`);
    const other = name && random.chance(0.1) ? "\nquery Other { __typename }" : "";
    return {
      query: `${head}${set}${fragments.join("")}${other}`,
      variables: this.#variables,
      ...(name && (other || random.chance(0.5)) ? { operationName: name } : {}),
    };
  }

  #set(type: GraphQLCompositeType, depth: number, count = this.#random.between(1, 4)): string {
    const parts: string[] = [];
    for (let i = 0; i < count || parts.length === 0; i++) {
      const part = this.#selection(type, depth);
      if (part !== undefined) parts.push(part);
      else if (parts.length === 0) parts.push("__typename");
      if (this.#budget < 0) break;
    }
    return `{ ${parts.join(" ")} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string | undefined {
    const random = this.#random;
    this.#budget -= 1;
    const kind = random.next();
    if (kind < 0.06 && !this.#isRoot(type)) return `${random.chance(0.3) ? "t: " : ""}__typename`;
    if (kind < (isAbstractType(type) ? 0.5 : 0.14)) {
      const condition = random.pick(this.#conditions(type));
      const on = condition === type && random.chance(0.3) ? "" : ` on ${condition}`;
      const set = this.#set(condition, depth);
      return `...${on}${this.#directive()} ${set}`;
    }
    if (kind < (isAbstractType(type) ? 0.6 : 0.22)) {
      const name = this.#fragment(type, depth);
      return name === undefined ? "__typename" : `...${name}${this.#directive()}`;
    }
    if (isUnionType(type)) return "__typename";
    const all = Object.values(type.getFields());
    const fields = depth > 0 ? all : all.filter((field) => !isCompositeType(getNamedType(field.type)));
    if (fields.length === 0) return undefined;
    const composite = fields.filter((field) => isCompositeType(getNamedType(field.type)));
    return this.#field(random.pick(composite.length > 0 && random.chance(0.35) ? composite : fields), depth);
  }

  /** The roots' names are seldom asked for, as they are the reference road's. */
  #isRoot(type: GraphQLCompositeType): boolean {
    const isRoot = type === this.#schema.getQueryType() || type === this.#schema.getMutationType();
    return isRoot && this.#random.chance(0.9);
  }

  /** The types that objects of the type may be asked as. */
  #conditions(type: GraphQLCompositeType): GraphQLCompositeType[] {
    const possible = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type];
    const interfaces = possible.flatMap((object) => object.getInterfaces());
    const all = Object.values(this.#schema.getTypeMap());
    const unions = all.filter(isUnionType).filter((union) => {
      return union.getTypes().some((member) => possible.includes(member));
    });
    return [...new Set([type, ...possible, ...possible, ...interfaces, ...unions])];
  }

  #fragment(type: GraphQLCompositeType, depth: number): string | undefined {
    const conditions = this.#conditions(type);
    const known = this.#fragments.filter((each) => each.isDone && conditions.includes(each.type));
    if (known.length > 0 && this.#random.chance(0.5)) return this.#random.pick(known).name;
    const condition = this.#random.pick(conditions);
    const fragment = { name: `F${this.#names++}`, type: condition, text: "", isDone: false };
    this.#fragments.push(fragment);
    fragment.text = this.#set(condition, depth);
    fragment.isDone = true;
    return fragment.name;
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const random = this.#random;
    const chosen = field.args.filter((arg) => isRequiredArgument(arg) || random.chance(0.6));
    const args = chosen.map((arg) => `${arg.name}: ${this.#argument(arg)}`);
    const alias = random.chance(0.22) ? `${random.pick(ALIASES)}: ` : "";
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.#set(named, depth - 1)}` : "";
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${this.#directive()}${below}`;
  }

  #directive(): string {
    const random = this.#random;
    if (!random.chance(0.1)) return "";
    const name = random.pick(["skip", "include"]);
    const value = random.chance(0.4)
      ? String(random.chance(0.5))
      : this.#variable("Boolean!", () => random.chance(0.5));
    return ` @${name}(if: ${value})`;
  }

  #variable(type: string, value: () => unknown, mayLack = false): string {
    const random = this.#random;
    const name = `v${this.#names++}`;
    const isNullable = !type.endsWith("!");
    const hasDefault = type === "Boolean!" && random.chance(0.2);
    this.#definitions.push(`$${name}: ${type}${hasDefault ? ` = ${random.chance(0.5)}` : ""}`);
    if ((hasDefault || (isNullable && mayLack)) && random.chance(0.3)) return `$${name}`;
    this.#variables[name] = isNullable && random.chance(0.15) ? null : value();
    return `$${name}`;
  }

  #argument({ type, defaultValue }: GraphQLArgument): string {
    if (this.#random.chance(0.5)) return this.#literal(type, 2);
    // A variable may have a default of its own, or stand for a non-null value where there is a default.
    const isDefaulted = defaultValue !== undefined && isNonNullType(type);
    return this.#variable(String(type), () => this.#value(type, 2), !isDefaulted);
  }

  #literal(type: GraphQLInputType, depth: number): string {
    const random = this.#random;
    if (isNonNullType(type)) return this.#presentLiteral(type.ofType, depth);
    if (random.chance(0.1)) return "null";
    if (random.chance(0.12) && depth < 2)
      return this.#variable(String(type), () => this.#value(type, depth), true);
    return this.#presentLiteral(type, depth);
  }

  #presentLiteral(type: GraphQLInputType, depth: number): string {
    const random = this.#random;
    if (isListType(type)) {
      if (random.chance(0.15)) return this.#literal(type.ofType, depth);
      return `[${Array.from({ length: random.int(3) }, () => this.#literal(type.ofType, depth - 1)).join(", ")}]`;
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => {
        return random.chance(0.4) && (depth > 0 || !isInputObjectType(getNamedType(field.type)));
      });
      return `{ ${fields.map((field) => `${field.name}: ${this.#literal(field.type, depth - 1)}`).join(", ")} }`;
    }
    const value = this.#value(type, depth);
    return isEnumType(type) ? String(value) : JSON.stringify(value);
  }

  #value(type: GraphQLInputType, depth: number): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#presentValue(type.ofType, depth);
    return random.chance(0.1) ? null : this.#presentValue(type, depth);
  }

  #presentValue(type: GraphQLInputType, depth: number): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#presentValue(type.ofType, depth);
    if (isListType(type)) {
      if (random.chance(0.15)) return this.#presentValue(type.ofType, depth);
      return Array.from({ length: random.int(3) }, () => this.#value(type.ofType, depth));
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => {
        return random.chance(0.4) && (depth > 0 || !isInputObjectType(getNamedType(field.type)));
      });
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, depth - 1)]));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    switch (type.name) {
      case "Int":
        return random.pick([0, -1, 42, 2147483647]);
      case "Float":
        return random.pick([0, 1.5, -2, 1e10]);
      case "Boolean":
        return random.chance(0.5);
      case "ID":
        return random.chance(0.3) ? random.int(100) : random.pick(STRINGS);
      default:
        return random.pick(STRINGS);
    }
  }
}
