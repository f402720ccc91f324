/** Federated services that come, change and go while clients ask, what plugins add to them, and numbers as written. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { folderWith, source } from "../plugins/folder-with.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, ask, becomes, gone, register, saying, serviceLine, unregister } from "./graph.ts";

const products = (more = "") =>
  federated({
    sdl: `${V2} type Query { products: [Product] } type Product @key(fields: "id") { id: ID! name: String ${more} }`,
    resolvers: {
      Query: { products: () => [{ id: "1", name: "one" }] },
      ...(more ? { Product: { more: () => "yes" } } : {}),
    },
    entities: { Product: ({ id }) => ({ id, name: "one" }) },
  });

const weights = federated({
  sdl: `type Query { w: Int } extend type Product @key(fields: "id") { id: ID! @external weight: Int }`,
  resolvers: { Product: { weight: () => 5 } },
  entities: { Product: (key) => key },
});

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Registers it, for as long as the test takes. */
async function registered(name: string, service: TestService, on = app) {
  await register(on, name, service);
  return { [Symbol.asyncDispose]: async () => void (await unregister(on, name)) };
}

/** The same, and waits until it is in the graph. */
async function join(name: string, service: TestService, on = app) {
  const member = await registered(name, service, on);
  await becomes(on, name, { composition: "COMPOSED", status: "ACTIVE" });
  return member;
}

/** Asks again and again until it is disposed of, and then fails where an answer was not `expected`. */
function asking(query: string, expected: object) {
  let isOver = false;
  const answers = new Set<string>();
  let count = 0;
  const loop = (async () => {
    while (!isOver) {
      const { data, errors } = await ask(app, query);
      answers.add(JSON.stringify({ data, errors }));
      count += 1;
    }
  })();
  return {
    get count() {
      return count;
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await loop;
      expect([...answers].map((answer) => JSON.parse(answer))).toEqual([{ data: expected }]);
    },
  };
}

test("federated services come, change and go without a failed query for the others", async () => {
  await using plain = await startService(saying("plain", "yes"));
  await using owner = await startService(products());
  await using extension = await startService(weights);
  await using _ = await join("plain", plain);
  await using __ = await join("owner", owner);
  const query = "{ plain products { id name } }";
  const expected = { plain: "yes", products: [{ id: "1", name: "one" }] };
  await using clients = asking(query, expected);
  await using ___ = await join("extension", extension);
  expect(await answered(app, "{ products { weight } }")).toEqual({ products: [{ weight: 5 }] });
  owner.change(products("more: String"));
  await register(app, "owner", owner);
  expect(await answered(app, "{ products { more weight } }")).toEqual({
    products: [{ more: "yes", weight: 5 }],
  });
  await unregister(app, "extension");
  await gone(app, "{ products { weight } }");
  expect(await answered(app, "{ products { more } }")).toEqual({ products: [{ more: "yes" }] });
  expect(clients.count).toBeGreaterThan(3);
});

test("an extension waits for its owner, and leaves the graph with it", async () => {
  await using owner = await startService(products());
  await using extension = await startService(weights);
  await using _waiting = await registered("extension", extension);
  const { reason } = await becomes(app, "extension", { composition: "REJECTED" });
  expect(reason).toEqual({
    code: "COMPOSITION_FAILED",
    message: expect.stringMatching(
      /^The federated services do not compose: \[extension\] Type "Product" is an extension/,
    ),
  });
  await using _ = await join("owner", owner);
  expect(await answered(app, "{ products { name weight } w }")).toEqual({
    products: [{ name: "one", weight: 5 }],
    w: null,
  });
  await unregister(app, "owner");
  await gone(app, "{ products { name } }");
  expect((await serviceLine(app, "extension")).reason.code).toBe("COMPOSITION_FAILED");
});

test("a new schema that does not compose leaves the service with the one before, which goes on answering", async () => {
  await using owner = await startService(products());
  await using extension = await startService(weights);
  await using _ = await join("owner", owner);
  await using __ = await join("extension", extension);
  extension.change(
    federated({
      sdl: `${V2} type Query { w: Int } type Product @key(fields: "id") { id: ID! name: String weight: Int }`,
      resolvers: { Product: { weight: () => 6 } },
      entities: { Product: (key) => key },
    }),
  );
  await register(app, "extension", extension);
  const { reason } = await becomes(app, "extension", { composition: "PREVIOUS" });
  expect(reason.message).toMatch(/"Product\.name".*"extension" and "owner".*@shareable/);
  expect(await answered(app, "{ products { weight } }")).toEqual({ products: [{ weight: 6 }] });
});

test("a plugin extends an entity of federated services, and asks for the rest of it", async () => {
  await using folder = await folderWith({
    "ratings.ts": source(
      "ratings",
      `typeDefs: \`
        type Query { rated(ids: [ID!]!): [Product]! @merge(keyField: "id") best: Product }
        type Product @key(selectionSet: "{ id }") { id: ID! stars: Int }\`,
       resolvers: { Query: {
         rated: (_, { ids }) => ids.map((id) => ({ id, stars: 10 + Number(id) })),
         best: () => ({ id: "1", stars: 9 }),
       } }`,
    ),
  });
  await using own = await startApp({ folder: folder.path });
  await using owner = await startService(products());
  await using extension = await startService(weights);
  await becomes(own, "ratings", { composition: "COMPOSED" });
  await join("owner", owner, own);
  await join("extension", extension, own);
  expect(await answered(own, "{ products { stars weight } best { stars name weight } }")).toEqual({
    products: [{ stars: 11, weight: 5 }],
    best: { stars: 9, name: "one", weight: 5 },
  });
});

for (const [what, directive] of [
  ["", ""],
  [", though clients never see the key", "@inaccessible"],
] as const) {
  test(`large numbers of a custom scalar stay as they are written, in keys too${what}`, async () => {
    const sdl = (fields: string) =>
      `${V2} scalar BigInt type Account @key(fields: "no") { no: BigInt! ${directive} ${fields} }`;
    await using accounts = await startService(
      federated({ sdl: `${sdl("balance: BigInt")} type Query { accounts: [Account] }` }),
    );
    await using limits = await startService(
      federated({ sdl: `${sdl("limit(of: BigInt): BigInt")} type Query { l: Int }` }),
    );
    await using _ = await join("accounts", accounts);
    await using __ = await join("limits", limits);
    const sent: string[] = [];
    accounts.answerWith(
      () =>
        new Response(
          '{"data":{"accounts":[{"no":12345678901234567890,"balance":1.10},{"no":12345678901234567891,"balance":2e3}]}}',
        ),
    );
    limits.answerWith(async (request) => {
      sent.push(await request.text());
      return new Response(
        '{"data":{"_e0":[{"limit":0.1000000000000000055511151231257827},{"limit":1e400}]}}',
      );
    });
    const response = await fetch(`${app.urls.gateway}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"query ($of: BigInt) { accounts { balance limit(of: $of) } }","variables":{"of":98765432109876543210}}',
    });
    expect(await response.text()).toBe(
      '{"data":{"accounts":[{"balance":1.10,"limit":0.1000000000000000055511151231257827},{"balance":2e3,"limit":1e400}]}}',
    );
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(
      '[{"__typename":"Account","no":12345678901234567890},{"__typename":"Account","no":12345678901234567891}]',
    );
    expect(sent[0]).toContain('"of":98765432109876543210');
  });
}
