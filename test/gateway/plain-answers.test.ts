/** What is asked of a service with types of its own is answered as that service would, whatever fragments it stands in. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GraphQLError } from "graphql";
import { startApp, type TestApp } from "../support/app.ts";
import { graphql } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

const fails = (message: string) => () => {
  throw new GraphQLError(message);
};

const typeDefs = `
  interface Animal { name: String friend: Animal }
  interface Pet { owner: String }
  type Cat implements Animal & Pet { name: String friend: Animal owner: String lives: Int color: Color }
  type Dog implements Animal & Pet { name: String friend: Animal owner: String tricks: [String!] }
  type Fish implements Animal { name: String friend: Animal }
  union Furry = Cat | Dog
  enum Color { RED BLACK }
  input Wish { color: Color! = RED }
  type Grid { cells: [[Cell]] strict: [[Cell!]!] }
  type Cell { value: Int! }
  type Pair { left: Int! right: Int! }
  type Query { animal: Animal pet: Furry byColor(wish: Wish): Cat grid: Grid pair: Pair root: Query }
  type Mutation { rename(name: String!): Cat }
  type Subscription { born: Animal }`;

const fish = { __typename: "Fish", name: "Wanda" };
const tom = { __typename: "Cat", name: "Tom", friend: fish, owner: "Ann", lives: 9, color: "RED" };
const cell = (value: number) => ({ value: value < 0 ? fails(`no cell ${value}`) : value });

const resolvers = {
  Query: {
    animal: () => tom,
    pet: () => ({ __typename: "Dog", name: "Rex", friend: tom, owner: "Bob", tricks: ["sit"] }),
    byColor: (_: unknown, { wish }: { wish?: { color: string } }) => ({ ...tom, color: wish?.color }),
    grid: () => ({
      cells: [[cell(1)], [cell(2), cell(-1)]],
      strict: [[cell(1)], [cell(2), cell(-2), cell(3)]],
    }),
    pair: () => ({ left: fails("no left"), right: fails("no right") }),
    root: () => ({}),
  },
  Mutation: { rename: (_: unknown, { name }: { name: string }) => ({ ...tom, name }) },
  Subscription: {
    born: {
      async *subscribe() {
        yield { born: fish };
      },
    },
  },
};

let service: TestService;
beforeAll(async () => {
  service = await startService({ typeDefs, resolvers });
});
afterAll(() => service[Symbol.asyncDispose]());

for (const [road, compileAfter] of [
  ["code made for the operation", 0],
  ["the reference road", Number.POSITIVE_INFINITY],
] as const) {
  for (const namespace of [null, "Zoo"]) {
    describe(`on ${road}, ${namespace ? "with a namespace" : "as it is"}`, () => {
      let app: TestApp;
      /** Types and root fields as the graph has them. */
      const T = (name: string) => (namespace ? `${namespace}_${name}` : name);

      beforeAll(async () => {
        app = await startApp({ config: { compileAfter } });
        const gateway = namespace ? { namespace } : {};
        const metadata = { endpoints: { graphql: "/graphql" }, gateway };
        await register(app, "zoo", service, { metadata });
        await answered(app, `{ ${T("pair")} { __typename } }`);
      });
      afterAll(() => app[Symbol.asyncDispose]());

      const ask = (query: string, variables?: Record<string, unknown>) =>
        graphql(app.urls.gateway, query, variables);
      const data = async (query: string, variables?: Record<string, unknown>) => {
        const answer = await ask(query, variables);
        expect(answer.errors).toBeUndefined();
        return answer.data;
      };

      test("a fragment on another abstract type may ask for nothing but the type's name", async () => {
        expect(await data(`{ x: ${T("animal")} { ... on ${T("Furry")} { __typename } } }`)).toEqual({
          x: { __typename: T("Cat") },
        });
        expect(await data(`{ x: ${T("pet")} { ... on ${T("Furry")} { __typename } } }`)).toEqual({
          x: { __typename: T("Dog") },
        });
        expect(await data(`{ x: ${T("pet")} { ...F } } fragment F on ${T("Pet")} { t: __typename }`)).toEqual(
          {
            x: { t: T("Dog") },
          },
        );
      });

      test("what is skipped takes nothing else with it", async () => {
        const on = (type: string, set: string) => `{ x: ${T("animal")} { ... on ${T(type)} { ${set} } } }`;
        for (const type of ["Animal", "Pet", "Cat", "Furry"]) {
          const inside =
            type === "Furry"
              ? `... on ${T("Cat")} { owner @skip(if: true) owner }`
              : "owner @skip(if: true) owner";
          const set = type === "Animal" ? "name @skip(if: true) name" : inside;
          expect(await data(on(type, set))).toEqual({
            x: type === "Animal" ? { name: "Tom" } : { owner: "Ann" },
          });
        }
        const query = `query ($no: Boolean!) { x: ${T("animal")} { ... on ${T("Pet")} { a: owner @include(if: $no) owner } name } }`;
        expect(await data(query, { no: false })).toEqual({ x: { owner: "Ann", name: "Tom" } });
        expect(await data(query, { no: true })).toEqual({ x: { a: "Ann", owner: "Ann", name: "Tom" } });
      });

      test("names stand in the order in which they are asked for, and what is skipped has no place in it", async () => {
        const query = `query ($no: Boolean!) { ...F @include(if: $no) __typename ...F }
          fragment F on Query { x: ${T("animal")} { name } }`;
        expect(Object.keys(await data(query, { no: false }))).toEqual(["__typename", "x"]);
        expect(Object.keys(await data(query, { no: true }))).toEqual(["x", "__typename"]);
      });

      test("where all is skipped, there is an empty object", async () => {
        expect(await data(`{ x: ${T("animal")} { name @skip(if: true) } }`)).toEqual({ x: {} });
      });

      test("fragments stand in fragments on other abstract types", async () => {
        const query = `{ x: ${T("animal")} { ... on ${T("Furry")} { ... on ${T("Pet")} { owner ... on ${T("Animal")} { name
          friend { ...Deep } } } } } }
          fragment Deep on ${T("Animal")} { __typename ... on ${T("Furry")} { ... on ${T("Cat")} { lives } } ...Fishy }
          fragment Fishy on ${T("Animal")} { ... on ${T("Fish")} { name } }`;
        expect(await data(query)).toEqual({
          x: { owner: "Ann", name: "Tom", friend: { __typename: T("Fish"), name: "Wanda" } },
        });
      });

      test("a field goes by any name", async () => {
        const names = ["then", "constructor", "toString", "toJSON", "valueOf", "hasOwnProperty", "prototype"];
        const set = names.map((name) => `${name}: name`).join(" ");
        const texts = names.map((name) => `"${name}":"Tom"`).join();
        // What a server of its own makes of such names is not the matter here.
        const json = (typename: (name: string) => string) =>
          `{"data":{"then":{${typename("Cat")}${texts},"friend":{${typename("Fish")}"then":"Wanda"}}}}`;
        service.answerWith(() => new Response(json((name) => `"__typename":"${name}",`)));
        const answer = await ask(`{ then: ${T("animal")} { ${set} friend { then: name } } }`);
        service.answerWith(undefined);
        expect(answer).toEqual({ status: 200, ...JSON.parse(json(() => "")) });
      });

      test("an error below lists of lists has its whole path", async () => {
        const grid = T("grid");
        const { data, errors } = await ask(`{ ${grid} { cells { value } strict { value } } }`);
        expect(data).toEqual({ [grid]: { cells: [[{ value: 1 }], [{ value: 2 }, null]], strict: null } });
        expect(errors?.map(({ message, path }) => [message, path])).toEqual([
          ["no cell -1", [grid, "cells", 1, 1, "value"]],
          ["no cell -2", [grid, "strict", 1, 1, "value"]],
        ]);
      });

      test("of what is null by several errors, each that its service told has its own path", async () => {
        const pair = T("pair");
        const { data, errors } = await ask(`{ ${pair} { left right } }`);
        expect(data).toEqual({ [pair]: null });
        const [{ message, path } = { message: "", path: [] }] = errors ?? [];
        expect([message, path]).toEqual(["no left", [pair, "left"]]);
      });

      test("inputs, mutations and what leads back to the root work as ever", async () => {
        const wish = `query ($wish: ${T("Wish")}) { x: ${T("byColor")}(wish: $wish) { color } y: ${T("byColor")}(wish: {}) { color } }`;
        expect(await data(wish, { wish: { color: "BLACK" } })).toEqual({
          x: { color: "BLACK" },
          y: { color: "RED" },
        });
        expect(await data(`mutation { x: ${T("rename")}(name: "Bo") { __typename name } }`)).toEqual({
          x: { __typename: T("Cat"), name: "Bo" },
        });
        expect(await data(`{ x: ${T("root")} { __typename y: ${T("pet")} { __typename } } }`)).toEqual({
          x: { __typename: "Query", y: { __typename: T("Dog") } },
        });
      });
    });
  }
}
