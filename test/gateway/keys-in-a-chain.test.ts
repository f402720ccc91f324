/** Keys that are made of what was answered before: each object gets its own, however often it stands in a list. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { answered, register } from "./graph.ts";

const UPCS = ["1", "2", "1", "3", "2", "1", "4"];
const skuOf = (upc: string) => `s${Number(upc) % 2}${upc}`;

let app: TestApp;
let services: Record<"catalog" | "stock" | "depot" | "freight" | "staff", TestService>;

beforeAll(async () => {
  app = await startApp({ config: { compileAfter: 0 } });
  const catalog = await startService(
    federated({
      sdl: `${V2} type Query { items: [Item!]! } type Item @key(fields: "upc") { upc: ID! }`,
      resolvers: { Query: { items: () => UPCS.map((upc) => ({ upc })) } },
      entities: { Item: ({ upc }) => ({ upc }) },
    }),
  );
  // What it does not know of an item is null; of the fourth it knows nothing at all.
  const stock = await startService(
    federated({
      sdl: `${V2} type Item @key(fields: "upc") @key(fields: "sku") { upc: ID! sku: ID weight: Int @shareable }`,
      entities: {
        Item: ({ upc }) => (upc === "4" ? null : { upc, sku: skuOf(upc), weight: Number(upc) * 10 }),
      },
    }),
  );
  const depot = await startService(
    federated({
      sdl: `${V2} type Item @key(fields: "sku") @key(fields: "place") { sku: ID place: String }`,
      entities: { Item: ({ sku }) => ({ sku, place: `at ${sku}` }) },
    }),
  );
  const freight = await startService(
    federated({
      sdl: `${V2} type Item @key(fields: "upc") { upc: ID! weight: Int @external cost: Int @requires(fields: "weight") }`,
      entities: { Item: ({ upc, weight }) => ({ upc, cost: weight === null ? null : weight + 1 }) },
    }),
  );
  const staff = await startService(
    federated({
      sdl: `${V2} type Item @key(fields: "place") { place: String keeper: String }`,
      entities: { Item: ({ place }) => ({ place, keeper: `who is ${place}` }) },
    }),
  );
  services = { catalog, stock, depot, freight, staff };
  for (const [name, service] of Object.entries(services)) await register(app, name, service);
  await answered(app, "{ items { upc place cost keeper } }");
  // The first answer to an Accept header is not by code made for it.
  await ask("{ items { upc } }");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
});

async function ask(query: string) {
  for (const { requests } of Object.values(services)) requests.length = 0;
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query }),
  });
  return { road: response.headers.get("x-bobbin-road"), body: await response.json() };
}

/** The representations that a service was sent with its one request for entities. */
function sent(name: keyof typeof services): unknown[] {
  const requests = services[name].requests.filter(({ query }) => query.includes("_entities"));
  expect(requests).toHaveLength(1);
  return Object.values(requests[0]?.variables ?? {})[0] as unknown[];
}

const known = UPCS.filter((upc) => upc !== "4");

test("a key that another service gave is sent once for each object that has it", async () => {
  const { road, body } = await ask("{ items { upc place } }");
  const items = UPCS.map((upc) => ({ upc, place: upc === "4" ? null : `at ${skuOf(upc)}` }));
  expect(body).toEqual({ data: { items } });
  expect(road).toBe("compiled");
  expect(sent("depot")).toEqual(["1", "2", "3"].map((upc) => ({ __typename: "Item", sku: skuOf(upc) })));
});

test("an object that has no key for one service has none for those after it, and the others have theirs", async () => {
  const { road, body } = await ask("{ items { upc keeper } }");
  const items = UPCS.map((upc) => ({ upc, keeper: upc === "4" ? null : `who is at ${skuOf(upc)}` }));
  expect(body).toEqual({ data: { items } });
  expect(road).toBe("compiled");
  expect(sent("staff")).toHaveLength(3);
});

test("what @requires names goes along with the key of each object", async () => {
  const { body } = await ask("{ items { cost upc } }");
  const items = UPCS.map((upc) => ({ cost: upc === "4" ? null : Number(upc) * 10 + 1, upc }));
  expect(body).toEqual({ data: { items } });
});

test("the same by code that was made for it, where every object is known", async () => {
  const whole = services.catalog;
  whole.answerWith(async (request) => {
    // A look at its health is no question for items.
    const { query } = (await request.json()) as { query: string };
    if (!query.includes("items")) return Response.json({ data: { __typename: "Query" } });
    return Response.json({ data: { items: known.map((upc) => ({ upc })) } });
  });
  const { road, body } = await ask("{ items { upc place cost weight } }");
  whole.answerWith(undefined);
  const items = known.map((upc) => {
    const weight = Number(upc) * 10;
    return { upc, place: `at ${skuOf(upc)}`, cost: weight + 1, weight };
  });
  expect(body).toEqual({ data: { items } });
  expect(road).toBe("compiled");
  expect(sent("depot")).toHaveLength(3);
  expect(sent("freight")).toEqual(
    ["1", "2", "3"].map((upc) => ({ __typename: "Item", upc, weight: Number(upc) * 10 })),
  );
});
