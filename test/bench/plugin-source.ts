/**
 * A plugin as an author would write one, of 200 lines: types, data, helpers and resolvers for five kinds of things, and
 * one field that the benchmarks ask for.
 */
import type { Isolation } from "../../src/plugins/define-plugin.ts";

export const LINES = 200;

export interface PluginText {
  /** Of the plugin; also begins the names of its types, and of all its root fields but one. */
  readonly name: string;
  readonly isolation: Isolation;
  /** The root field that is asked for, an Int. */
  readonly field: string;
  /** What it answers. */
  readonly value: number;
}

const KINDS = ["Book", "Author", "Shelf", "Reader", "Loan"];

export function pluginOf200Lines({ name, isolation, field, value }: PluginText): string {
  const types = KINDS.map((kind) => `${name}_${kind}`);
  const text = `/** The ${name} of a library: what is in it, and who has borrowed it. */
import { definePlugin, type PluginContext } from "bobbin";
import { GraphQLError } from "graphql";

const answer = ${value};
${types.map(code).join("")}
let openedAt = 0;

function secondsOpen(): number {
  return Math.round((Date.now() - openedAt) / 1000);
}

function assertOpen(): void {
  if (openedAt === 0) throw new Error("closed");
}

export default definePlugin({
  name: "${name}",
  version: "1.0.0",
  isolation: "${isolation}",
  typeDefs: \`
    type Query {
      ${field}: Int!
      ${name}_secondsOpen: Int!
${types.map((type) => `      ${type}_one(id: ID!): ${type}\n      ${type}_all(first: Int = 10): [${type}!]!`).join("\n")}
    }
${types.map(sdl).join("\n")}
  \`,
  resolvers: {
    Query: {
      ${field}: () => answer,
      ${name}_secondsOpen: secondsOpen,
${types.map((type) => `      ${type}_one: (_parent, { id }) => find${type}(id),\n      ${type}_all: (_parent, { first }) => [...all${type}.values()].slice(0, first),`).join("\n")}
    },
${types.map((type) => `    ${type}: {\n      related: ({ relatedIds }: ${type}) => relatedIds.map(find${type}),\n    },`).join("\n")}
  },
  setup(context: PluginContext) {
    openedAt = Date.now();
    context.log.debug("opened");
  },
  health() {
    assertOpen();
  },
});
`;
  const lines = text.split("\n").length - 1;
  if (lines !== LINES) throw new Error(`the plugin has ${lines} lines`);
  return text;
}

function code(type: string): string {
  return `
interface ${type} {
  id: string;
  title: string;
  price: number;
  relatedIds: string[];
}

const all${type} = new Map<string, ${type}>();
for (let i = 0; i < 20; i += 1) {
  const relatedIds = [String((i + 1) % 20), String((i + 7) % 20)];
  all${type}.set(String(i), { id: String(i), title: \`${type} \${i}\`, price: 5 + i / 10, relatedIds });
}

function find${type}(id: string): ${type} {
  const found = all${type}.get(id);
  if (!found) throw new GraphQLError(\`There is no ${type} \${id}.\`, { extensions: { code: "NOT_THERE" } });
  return found;
}
`;
}

function sdl(type: string): string {
  return `    type ${type} {
      id: ID!
      title: String!
      price: Float!
      related: [${type}!]!
    }`;
}
