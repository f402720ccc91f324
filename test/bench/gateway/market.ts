/**
 * What the gateway benchmark is about: a market of four services, what is in it, and what clients ask of it.
 * Knows no gateway and no network.
 */
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { buildSchema, type GraphQLSchema } from "graphql";

const PEOPLE = 800;
const GOODS = 400;
const TEAM = 10;
const OPINIONS_EACH = 2;

/** How many requests of one question differ from each other. */
export const VARIANTS = 200;

export const { stitchingDirectivesTypeDefs: DIRECTIVES } = stitchingDirectives();

export const SDLS = {
  people: `
    type Query {
      person(id: ID!): Person
      team(number: Int!): [Person!]!
      peopleByIds(ids: [ID!]!): [Person]! @merge(keyField: "id")
      _sdl: String!
    }
    type Person @key(selectionSet: "{ id }") { id: ID! name: String! town: String born: Int }`,
  goods: `
    type Query {
      shelf(number: Int!): [Good!]!
      offers(number: Int!): [Good!]!
      goodsByIds(ids: [ID!]!): [Good]! @merge(keyField: "id")
      _sdl: String!
    }
    type Good @key(selectionSet: "{ id }") { id: ID! title: String! maker: String price: Float weight: Int }`,
  opinions: `
    type Query {
      peopleWithOpinions(ids: [ID!]!): [Person]! @merge(keyField: "id")
      goodsWithOpinions(ids: [ID!]!): [Good]! @merge(keyField: "id")
      _sdl: String!
    }
    type Opinion { id: ID! text: String! stars: Int! author: Person! good: Good! }
    type Person @key(selectionSet: "{ id }") { id: ID! opinions: [Opinion!]! }
    type Good @key(selectionSet: "{ id }") { id: ID! opinions: [Opinion!]! }`,
  stock: `
    type Query {
      goodsInStock(ids: [ID!]!): [Good]! @merge(keyField: "id")
      _sdl: String!
    }
    type Good @key(selectionSet: "{ id }") { id: ID! left: Int! }`,
};

export type ServiceName = keyof typeof SDLS;
export type Urls = Readonly<Record<ServiceName, string>>;

/** A plugin with a field of its own, and one for a type of the services. */
export const PLUGIN = `import { definePlugin } from "bobbin";
export default definePlugin({
  name: "luck",
  version: "1.0.0",
  typeDefs: \`
    type Query { fortune(number: Int!): String! peopleWithLuck(ids: [ID!]!): [Person]! @merge(keyField: "id") }
    type Person @key(selectionSet: "{ id }") { id: ID! luck: Int }
  \`,
  resolvers: {
    Query: {
      fortune: (_parent, { number }) => "Fortune " + number,
      peopleWithLuck: (_parent, { ids }) => ids.map((id) => ({ id, luck: Number(id) % 7 })),
    },
  },
});
`;

/** All of it in one schema, which says what the right answer is. */
export const WHOLE: GraphQLSchema = buildSchema(`
  type Query {
    person(id: ID!): Person
    team(number: Int!): [Person!]!
    shelf(number: Int!): [Good!]!
    offers(number: Int!): [Good!]!
    fortune(number: Int!): String!
  }
  type Person { id: ID! name: String! town: String born: Int opinions: [Opinion!]! luck: Int }
  type Good { id: ID! title: String! maker: String price: Float weight: Int opinions: [Opinion!]! left: Int! }
  type Opinion { id: ID! text: String! stars: Int! author: Person! good: Good! }
`);

const person = (n: number) => ({
  id: String(n),
  name: `Person ${n}`,
  town: `Town ${n % 90}`,
  born: 1930 + (n % 80),
  luck: n % 7,
  opinions: () => Array.from({ length: OPINIONS_EACH }, (_, k) => opinion(n, k)),
});

/** Every person has an opinion on so many goods, and they come round evenly. */
const subjectOf = (author: number, k: number) => (author * OPINIONS_EACH + k) % GOODS;

const opinion = (author: number, k: number) => ({
  id: `${author}-${k}`,
  text: `What person ${author} thinks, part ${k}.`,
  stars: 1 + ((author + k) % 5),
  author: () => person(author),
  good: () => good(subjectOf(author, k)),
});

const good = (n: number) => ({
  id: String(n),
  title: `Good ${n}`,
  maker: `Maker ${n % 30}`,
  price: n + 0.5,
  weight: 100 + n,
  left: n % 12,
  opinions: () =>
    Array.from({ length: (PEOPLE * OPINIONS_EACH) / GOODS }, (_, round) => {
      const nth = n + round * GOODS;
      return opinion(Math.floor(nth / OPINIONS_EACH), nth % OPINIONS_EACH);
    }),
});

const peopleOf = ({ ids }: { ids: string[] }) => ids.map((id) => person(Number(id)));
const goodsOf = ({ ids }: { ids: string[] }) => ids.map((id) => good(Number(id)));
const goodsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => good((first + i) % GOODS));

/** The root fields of all of them: each schema shows what is its own. */
export const ROOT = {
  person: ({ id }: { id: string }) => person(Number(id)),
  team: ({ number }: { number: number }) =>
    Array.from({ length: TEAM }, (_, i) => person((number * 3 + i * 37) % PEOPLE)),
  shelf: ({ number }: { number: number }) => goodsFrom(number, 50),
  offers: ({ number }: { number: number }) => goodsFrom(number, 5),
  fortune: ({ number }: { number: number }) => `Fortune ${number}`,
  peopleByIds: peopleOf,
  peopleWithOpinions: peopleOf,
  goodsByIds: goodsOf,
  goodsWithOpinions: goodsOf,
  goodsInStock: goodsOf,
};

export interface Question {
  readonly shape: string;
  readonly query: string;
  readonly variables: (variant: number) => Record<string, unknown>;
}

const byNumber = (number: number) => ({ number });

/** In all gateways. */
export const QUESTIONS = {
  one: {
    shape: "one entity",
    query: "query($id: ID!) { person(id: $id) { id name town } }",
    variables: (variant) => ({ id: String(variant) }),
  },
  list: {
    shape: "list of 50 × 5 scalars",
    query: "query($number: Int!) { shelf(number: $number) { id title maker price weight } }",
    variables: byNumber,
  },
  two: {
    shape: "two root fields, two services",
    query:
      "query($id: ID!, $number: Int!) { person(id: $id) { name born } offers(number: $number) { title price } }",
    variables: (variant) => ({ id: String(variant), number: variant }),
  },
  join: {
    shape: "join over 4 requests",
    query:
      "query($number: Int!) { team(number: $number) { name opinions { stars good { title price left } } } }",
    variables: byNumber,
  },
  deep: {
    shape: "deep join over 6 requests",
    query:
      "query($number: Int!) { team(number: $number) { name opinions { stars good { title left opinions { text author { name town } } } } } }",
    variables: byNumber,
  },
} satisfies Record<string, Question>;

/** In bobbin alone. */
export const PLUGIN_QUESTIONS: readonly Question[] = [
  {
    shape: "plugin alone",
    query: "query($number: Int!) { fortune(number: $number) }",
    variables: byNumber,
  },
  {
    shape: "plugin joined to an entity",
    query: "query($id: ID!) { person(id: $id) { name luck } }",
    variables: (variant) => ({ id: String(variant) }),
  },
];
