/** What a client is answered through the gateway is, letter for letter, what the service answers it directly. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { startService, type TestService } from "../support/service.ts";
import { becomes, register } from "./graph.ts";

let app: TestApp;
let zoo: TestService;
let ship: TestService;

/** The service's own value of an enum, known by identity. */
const WILD = { level: 2 };

const ANIMALS = [
  { __typename: "Cat", id: "1", name: "Tom", lives: 9, mood: "SLEEPY", friends: ["2"] },
  { __typename: "Dog", id: "2", name: "Rex", tricks: ["sit", "roll"], mood: "WILD", friends: ["1", "2"] },
];
const byId = (id: string) => ANIMALS.find((animal) => animal.id === id);
const asText = (_: unknown, args: unknown) => JSON.stringify(args);

beforeAll(async () => {
  app = await startApp();
  zoo = await startService({
    typeDefs: `
      enum Mood { SLEEPY WILD }
      interface Animal { id: ID! name: String! mood: Mood friends: [Animal!]! }
      type Cat implements Animal { id: ID! name: String! mood: Mood friends: [Animal!]! lives: Int }
      type Dog implements Animal { id: ID! name: String! mood: Mood friends: [Animal!]! tricks(first: Int = 1): [String!] }
      union Found = Cat | Dog
      input Filter { mood: Mood = WILD  moods: [Mood!] = [SLEEPY, WILD]  not: Filter  limit: Int = 10  names: [[String]] }
      type Query {
        animals: [Animal!]!  animal(id: ID!): Animal  found: [Found]
        echo(filter: Filter, mood: Mood = SLEEPY, moods: [Mood] = [WILD], text: String = "a \\"b\\"", n: Float, flag: Boolean, list: [Int!]): String
        isWild(mood: Mood!): Boolean  boom(at: Int = 1): [[Int]]  sure: Int!
      }
      type Mutation { add(by: Int! = 2): Int  addAgain(by: Int! = 3): Int }
    `,
    resolvers: {
      // What the service itself works with has nothing to do with the names.
      Mood: { SLEEPY: 1, WILD },
      Query: {
        animals: () => ANIMALS.map(moody),
        animal: (_: unknown, { id }: { id: string }) => moody(byId(id)),
        found: () => [...ANIMALS.map(moody), null],
        echo: asText,
        isWild: (_: unknown, { mood }: { mood: unknown }) => typeof mood === "object",
        boom: (_: unknown, { at }: { at: number }) => [[1, 2], Object.assign([3], { [at]: "no number" })],
      },
      Mutation: {
        add: (_: unknown, { by }: { by: number }) => by,
        addAgain: (_: unknown, { by }: { by: number }) => by,
      },
      Animal: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
      Found: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
      Cat: { friends },
      Dog: {
        friends,
        tricks: ({ tricks }: { tricks: string[] }, { first }: { first: number }) => tricks.slice(0, first),
      },
    },
  });
  ship = await startService({
    typeDefs:
      'type Query { sail(to: String = "home", fast: Boolean): String  port(n: Int!): Port } type Port { n: Int  name(upper: Boolean = false): String }',
    resolvers: {
      Query: { sail: asText, port: (_: unknown, { n }: { n: number }) => ({ n }) },
      Port: {
        name: ({ n }: { n: number }, { upper }: { upper: boolean }) => (upper ? `PORT ${n}` : `port ${n}`),
      },
    },
  });
  for (const [name, service] of Object.entries({ zoo, ship })) {
    await register(app, name, service);
    await becomes(app, name, { composition: "COMPOSED" });
  }
});

function moody(animal: (typeof ANIMALS)[number] | undefined) {
  return animal && { ...animal, mood: animal.mood === "WILD" ? WILD : 1 };
}
function friends(animal: { friends: string[] }) {
  return animal.friends.map((id) => moody(byId(id)));
}

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await zoo[Symbol.asyncDispose]();
  await ship[Symbol.asyncDispose]();
});

interface Asked {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

async function textOf(url: string, asked: Asked): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  });
  return response.text();
}

/** The answer's text; of errors, without where in the document they are and who said them. */
async function answer(url: string, asked: Asked): Promise<string> {
  const { data, errors } = JSON.parse(await textOf(url, asked));
  const said = errors?.map(({ message, path }: { message: string; path: unknown }) => ({ message, path }));
  return JSON.stringify({ data, errors: said });
}

const VARIABLES =
  "query ($filter: Filter, $mood: Mood = WILD, $moods: [Mood], $text: String, $n: Float, $list: [Int!])";
const ECHO = "{ echo(filter: $filter, mood: $mood, moods: $moods, text: $text, n: $n, list: $list) }";

const ofZoo: [what: string, asked: Asked][] = [
  [
    "aliases and __typename",
    { query: "{ __typename a: animals { t: __typename id who: name } b: animals { name } }" },
  ],
  [
    "fragments on an interface",
    { query: "{ animals { name ...C ... on Dog { tricks } } } fragment C on Cat { lives mood }" },
  ],
  [
    "fragments on a union, and on its interface",
    {
      query:
        "{ found { __typename ... on Animal { name } ... on Dog { tricks(first: 2) } ...C } } fragment C on Cat { lives }",
    },
  ],
  [
    "fragments within fragments",
    {
      query:
        "{ animals { ...A } } fragment A on Animal { friends { ...B } ...B } fragment B on Animal { name friends { id } }",
    },
  ],
  [
    "one field from several places",
    { query: "{ animals { friends { id } } ... on Query { animals { friends { name } } } }" },
  ],
  ["defaults of arguments", { query: "{ echo a: echo(filter: {}) animals { ... on Dog { tricks } } }" }],
  ["defaults within inputs", { query: "{ echo(filter: { not: { mood: SLEEPY, not: {} } }) }" }],
  [
    "null in the place of a default",
    { query: "{ echo(filter: { mood: null, limit: null }, mood: null, moods: null, text: null) }" },
  ],
  [
    "a single value for a list",
    { query: '{ echo(filter: { moods: WILD, names: ["a"] }, moods: SLEEPY, list: 3) }' },
  ],
  [
    "enums in literals",
    {
      query:
        "{ echo(mood: WILD, moods: [SLEEPY, null, WILD], filter: { moods: [WILD] }) isWild(mood: WILD) calm: isWild(mood: SLEEPY) }",
    },
  ],
  ["no variables", { query: `${VARIABLES} ${ECHO}` }],
  [
    "variables",
    {
      query: `${VARIABLES} ${ECHO}`,
      variables: {
        filter: { not: { moods: ["WILD"] }, names: [["a", null], null] },
        mood: "SLEEPY",
        moods: ["WILD", null],
        text: 'é "\\ \n😀',
        n: 3,
        list: [1, 2],
      },
    },
  ],
  [
    "variables that are null",
    {
      query: `${VARIABLES} ${ECHO}`,
      variables: { filter: null, mood: null, moods: null, text: null, n: null, list: null },
    },
  ],
  [
    "a single variable for a list",
    { query: `${VARIABLES} ${ECHO}`, variables: { filter: { moods: "WILD" }, moods: "SLEEPY", list: 1 } },
  ],
  [
    "variables inside of literals",
    {
      query:
        "query ($m: Mood!, $l: Int = 4, $no: Int) { echo(filter: { mood: $m, limit: $l, not: { limit: $no } }, moods: [$m, SLEEPY]) }",
      variables: { m: "SLEEPY" },
    },
  ],
  [
    "a variable below fields",
    { query: "query ($first: Int = 2) { animals { ... on Dog { tricks(first: $first) } } }" },
  ],
  [
    "@skip and @include",
    {
      query:
        "query ($yes: Boolean!, $no: Boolean = false) { animals @include(if: $yes) { name @skip(if: $yes) id @include(if: $no) mood ...C @skip(if: $no) } echo @include(if: $no) ... @skip(if: $yes) { sure } } fragment C on Cat { lives }",
      variables: { yes: true },
    },
  ],
  ["everything skipped", { query: "query ($yes: Boolean = true) { animals @skip(if: $yes) { name } }" }],
  [
    "one operation of several",
    { query: 'query A { echo } query B($x: String = "b") { echo(text: $x) }', operationName: "B" },
  ],
  [
    "mutations in order",
    { query: "mutation ($n: Int!) { add b: add(by: $n) addAgain }", variables: { n: 7 } },
  ],
  ["an object that is not there", { query: '{ animal(id: "none") { name } found { ... on Cat { id } } }' }],
  ["errors in lists of lists, aliased, and two of one call", { query: "{ x: boom(at: 0) y: boom }" }],
  ["a null where none may be", { query: "{ sure animals { name } }" }],
];

for (const [what, asked] of ofZoo) {
  test(`the same answer from the gateway as from the service: ${what}`, async () => {
    const direct = await answer(zoo.graphqlUrl, asked);
    expect(await answer(`${app.urls.gateway}/graphql`, asked)).toBe(direct);
  });
}

const ofBoth: [what: string, asked: Asked, data: string][] = [
  [
    "an empty name for the operation",
    { query: "query A { port(n: 1) { n } isWild(mood: WILD) }", operationName: "" },
    '{"port":{"n":1},"isWild":true}',
  ],
  [
    "variables with defaults for both",
    {
      query:
        "query ($n: Int! = 4, $m: Mood! = WILD, $up: Boolean = true) { port(n: $n) { n name(upper: $up) } isWild(mood: $m) sail }",
    },
    '{"port":{"n":4,"name":"PORT 4"},"isWild":true,"sail":"{\\"to\\":\\"home\\"}"}',
  ],
  [
    "@skip and @include with one variable",
    {
      query:
        "query ($v: Boolean!) { isWild(mood: WILD) @skip(if: $v) sail @include(if: $v) port(n: 1) { name @include(if: $v) n @skip(if: $v) } animals { id @skip(if: $v) name } }",
      variables: { v: true },
    },
    '{"sail":"{\\"to\\":\\"home\\"}","port":{"name":"port 1"},"animals":[{"name":"Tom"},{"name":"Rex"}]}',
  ],
  [
    "a fragment on Query with fields of both, twice over",
    {
      query:
        '{ ...Q q: sail(to: "x") ...Q } fragment Q on Query { p: port(n: 7) { n } animals { ...N } echo(list: [1]) } fragment N on Animal { name }',
    },
    '{"p":{"n":7},"animals":[{"name":"Tom"},{"name":"Rex"}],"echo":"{\\"mood\\":1,\\"moods\\":[{\\"level\\":2}],\\"text\\":\\"a \\\\\\"b\\\\\\"\\",\\"list\\":[1]}","q":"{\\"to\\":\\"x\\"}"}',
  ],
];
for (const [what, asked, data] of ofBoth) {
  test(`a document for two services is answered as one service would: ${what}`, async () => {
    expect(await textOf(`${app.urls.gateway}/graphql`, asked)).toBe(`{"data":${data}}`);
  });
}
