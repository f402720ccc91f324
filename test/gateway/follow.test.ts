/** The gateway follows the registry by itself: what is registered, changed or removed is seen by the next requests. */
import { expect, test } from "bun:test";
import { startApp, startBinary } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";
import {
  answered,
  ask,
  becomes,
  gone,
  introspections,
  register,
  registerOverGraphQL,
  saying,
  serviceLine,
  unregister,
} from "./graph.ts";

test("a service registered over REST is in the graph, and gone when it is unregistered", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  await register(app, "greeter", service);
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
  await unregister(app, "greeter");
  await gone(app, "{ hello }");
  expect(await serviceLine(app, "greeter")).toBeUndefined();
});

test("a service registered over GraphQL is in the graph beside the core's queries", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  expect((await registerOverGraphQL(app, "greeter", service)).errors).toBeUndefined();
  expect(await answered(app, "{ hello getServices { name } }")).toEqual({
    hello: "world",
    getServices: [{ name: "core" }, { name: "greeter" }],
  });
});

test("a service that registers again with another schema is seen with it", async () => {
  await using app = await startApp();
  await using service = await startService(saying("before", "1"));
  await register(app, "changing", service);
  await answered(app, "{ before }");
  service.change(saying("after", "2"));
  await register(app, "changing", service);
  expect(await answered(app, "{ after }")).toEqual({ after: "2" });
  await gone(app, "{ before }");
});

test("a service that moves to another URL is followed there", async () => {
  await using app = await startApp();
  await using first = await startService(saying("hello", "here"));
  await using second = await startService(saying("hello", "there"));
  await registerOverGraphQL(app, "mover", first);
  await answered(app, "{ hello }");
  const update = `mutation { updateService(name: "mover", input: { url: "${second.graphqlUrl}" }) { url } }`;
  await post(`${app.urls.core}/graphql`, { query: update });
  await until(
    () => ask(app, "{ hello }"),
    ({ data }) => data?.hello === "there",
  );
});

test("a service registered before it listens joins the graph when it answers", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"), { listening: false });
  await register(app, "late", service);
  await becomes(app, "late", { composition: "PENDING", status: "INACTIVE" });
  service.start();
  expect(await answered(app, "{ hello }")).toEqual({ hello: "world" });
  await becomes(app, "late", { composition: "COMPOSED", status: "ACTIVE" });
});

test("types, arguments and mutations under a namespace reach the service under their own names", async () => {
  await using app = await startApp();
  await using service = await startService({
    typeDefs: `
      type Query { find(where: Where!): Node }
      type Mutation { add(name: String!): Item }
      interface Node { id: ID! }
      type Item implements Node { id: ID! name: String }
      input Where { id: ID! }`,
    resolvers: {
      Query: {
        find: (_: unknown, args: { where: { id: string } }) => ({ id: args.where.id, name: "found" }),
      },
      Mutation: { add: (_: unknown, { name }: { name: string }) => ({ id: "2", name }) },
      Node: { __resolveType: () => "Item" },
    },
  });
  const metadata = { endpoints: { graphql: "/graphql" }, gateway: { namespace: "Shop" } };
  await register(app, "shop", service, { metadata });
  const query = `{ Shop_find(where: { id: "1" }) { __typename id ... on Shop_Item { name } } }`;
  expect(await answered(app, query)).toEqual({
    Shop_find: { __typename: "Shop_Item", id: "1", name: "found" },
  });
  expect(await answered(app, `mutation { Shop_add(name: "x") { __typename name } }`)).toEqual({
    Shop_add: { __typename: "Shop_Item", name: "x" },
  });
});

test("a root type of another name is served as the graph's Query", async () => {
  await using app = await startApp();
  await using service = await startService({
    typeDefs: "schema { query: Root } type Root { me: Me } type Me { name: String root: Root }",
    resolvers: { Root: { me: () => ({ name: "I", root: {} }) } },
  });
  await register(app, "rooted", service);
  const query = "{ me { name root { __typename me { name } } } }";
  expect(await answered(app, query)).toEqual({
    me: { name: "I", root: { __typename: "Query", me: { name: "I" } } },
  });
});

test("a burst of registrations is composed a few times at most, and each schema is fetched once", async () => {
  await using app = await startBinary();
  const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
  await using stack = new AsyncDisposableStack();
  const services = await Promise.all(names.map((name) => startService(saying(name, name))));
  for (const service of services) stack.use(service);
  const compositions = () => app.lines.filter(({ msg }) => msg === "composed").length;
  await until(compositions, (count) => count > 0);
  const before = compositions();
  await Promise.all(services.map((service, i) => register(app, `s${i}`, service)));
  const all = `{ ${names.join(" ")} }`;
  expect(await answered(app, all)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  // One for each would be 40; how many moments of quiet there are between them is the machine's matter.
  expect(compositions() - before).toBeLessThan(names.length / 2);
  expect(services.map(introspections)).toEqual(names.map(() => 1));

  services[7]?.change(saying("seven", "7"));
  await register(app, "s7", services[7]!);
  await answered(app, "{ seven s8 }");
  expect(services.map(introspections)).toEqual(names.map((_, i) => (i === 7 ? 2 : 1)));
});

test("neither a registration that changes no schema nor a reload replaces the graph", async () => {
  await using app = await startApp();
  await using service = await startService(saying("hello", "world"));
  await register(app, "same", service);
  await answered(app, "{ hello }");
  const { body: before } = await get(`${app.urls.gateway}/gateway/services`);
  await register(app, "same", service);
  await until(
    () => introspections(service),
    (count) => count === 2,
  );
  const { body: after } = await post(`${app.urls.gateway}/gateway/reload`, "");
  expect(after.revision).toBe(before.revision);
});
