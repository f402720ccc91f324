/** Federated services that break the graph's clients by joining it: who shares a type can make less of it. */
import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config.ts";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { federated, V2 } from "../support/federated.ts";
import { startService, type TestService } from "../support/service.ts";
import { openStream } from "../support/stream.ts";
import { answered, becomes, inRegistry, register, serviceLine } from "./graph.ts";

const SAFE: Partial<Config> = { compositionPolicy: "safe" };

const product = (fields: string) => `type Product @key(fields: "id") { id: ID! ${fields} }`;

/** The service that the clients know: a product has a name, always. */
const products = (more = "") =>
  federated({
    sdl: `${V2} type Query { product: Product state: State } enum State { OPEN } ${product(`name: String! @shareable ${more}`)}`,
    resolvers: { Query: { product: () => ({ id: "1", name: "one" }) } },
    entities: { Product: ({ id }) => ({ id, name: "one" }) },
  });

/** A service with this part of a product, and what else it declares. */
const part = (fields: string, more = "") =>
  federated({
    sdl: `${V2} ${product(fields)} ${more}`,
    entities: { Product: (key) => ({ ...key, stock: 5 }) },
  });

const NULLABLE = part("name: String @shareable stock: Int");

const BREAKS = {
  criticality: "BREAKING",
  path: "Product.name",
  message: "Field 'Product.name' changed type from 'String!' to 'String'",
};

const accept = (app: TestApp, name: string) =>
  post(`${app.urls.gateway}/gateway/services/${name}/accept`, {});

/** The type of a product's name in the graph. */
async function typeOfName(app: TestApp): Promise<string | undefined> {
  const { body } = await get(`${app.urls.gateway}/gateway/schema`);
  return /type Product \{[^}]* name: (\S+)/.exec(body)?.[1];
}

const waits = (app: TestApp, name: string) =>
  until(
    () => serviceLine(app, name),
    (line) => line?.reason?.code === "BREAKING_CHANGE",
  );

/** The products in the graph, and the newcomer registered beside them. */
async function joining(newcomer: ReturnType<typeof part>, config: Partial<Config> = SAFE) {
  const stack = new AsyncDisposableStack();
  const first = stack.use(await startService(products()));
  const second = stack.use(await startService(newcomer));
  const app = stack.use(await startApp({ config }));
  await join(app, "products", first);
  const events = stack.use(await openStream(`${app.urls.registry}/events`));
  await register(app, "stock", second);
  return { app, products: first, stock: second, events, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function join(app: TestApp, name: string, service: TestService): Promise<void> {
  await register(app, name, service);
  await becomes(app, name, { composition: "COMPOSED", status: "ACTIVE" });
}

describe("with COMPOSITION_POLICY=safe", () => {
  test("a newcomer that breaks clients is left out, and it is said why and what to do", async () => {
    await using stage = await joining(NULLABLE);
    const { app, events } = stage;
    const { composition, reason, changes } = await waits(app, "stock");
    expect(composition).toBe("REJECTED");
    expect(reason.message).toContain(`The schema of stock breaks clients: ${BREAKS.message}.`);
    expect(reason.message).toContain("POST /gateway/services/stock/accept");
    expect(changes).toMatchObject({ breaking: 1, dangerous: 0, list: [BREAKS], more: 0 });
    const { data } = await events.find(({ data }) => data.changes !== undefined);
    expect(data).toMatchObject({ type: "SCHEMA", service: "stock", changes: { list: [BREAKS] } });
    expect((await inRegistry(app, "stock")).statusReason).toContain(BREAKS.message);
    expect(await typeOfName(app)).toBe("String!");
    expect(await answered(app, "{ product { name } }")).toEqual({ product: { name: "one" } });
    await becomes(app, "products", { composition: "COMPOSED", status: "ACTIVE" });
  });

  test("accepted, it is composed", async () => {
    await using stage = await joining(NULLABLE);
    const { app } = stage;
    await waits(app, "stock");
    const { status, body } = await accept(app, "stock");
    expect([status, body]).toMatchObject([200, { composition: "COMPOSED", reason: null }]);
    expect(await answered(app, "{ product { name stock } }")).toEqual({ product: { name: "one", stock: 5 } });
    expect(await typeOfName(app)).toBe("String");
    expect((await accept(app, "stock")).status).toBe(409);
  });

  test("one that takes it back joins without anybody's leave", async () => {
    await using stage = await joining(NULLABLE);
    const { app, stock } = stage;
    await waits(app, "stock");
    stock.change(part("name: String! @shareable stock: Int"));
    await register(app, "stock", stock);
    const { changes } = await becomes(app, "stock", { composition: "COMPOSED", status: "ACTIVE" });
    expect(changes).toBeNull();
  });

  test("it waits too where it hides what others show", async () => {
    await using stage = await joining(part("name: String! @shareable @inaccessible stock: Int"));
    const { app } = stage;
    const { changes } = await waits(app, "stock");
    expect(changes.list).toMatchObject([{ criticality: "BREAKING", path: "Product.name" }]);
    expect(await typeOfName(app)).toBe("String!");
  });

  test("who changes at the same time does not wait with it", async () => {
    await using stage = await joining(NULLABLE);
    const { app, products: first } = stage;
    await waits(app, "stock");
    first.change(products("weight: Int"));
    await register(app, "products", first);
    expect(await answered(app, "{ product { weight } }")).toEqual({ product: { weight: null } });
    await becomes(app, "products", { composition: "COMPOSED", status: "ACTIVE" });
    expect((await serviceLine(app, "stock")).reason.code).toBe("BREAKING_CHANGE");
  });

  test("what may only disturb clients does not wait, and is told", async () => {
    await using stage = await joining(
      part("stock: Int", "enum State { OPEN CLOSED } extend type Query { other: State }"),
    );
    const { app } = stage;
    const { reason, changes } = await becomes(app, "stock", { composition: "COMPOSED", status: "ACTIVE" });
    expect(reason).toBeNull();
    // The fields that it brings are not among them.
    expect(changes).toMatchObject({
      breaking: 0,
      dangerous: 1,
      list: [{ criticality: "DANGEROUS", path: "State.CLOSED" }],
      more: 0,
    });
  });

  test("what waited still waits after a restart, and what was accepted does not", async () => {
    await using folder = await tempFolder();
    await using first = await startService(products());
    await using second = await startService(NULLABLE);
    const start = () => startApp({ folder: folder.path, config: SAFE });
    {
      await using app = await start();
      await join(app, "products", first);
      await register(app, "stock", second);
      await waits(app, "stock");
    }
    {
      await using app = await start();
      await waits(app, "stock");
      expect(await typeOfName(app)).toBe("String!");
      expect((await accept(app, "stock")).status).toBe(200);
    }
    await using app = await start();
    await becomes(app, "stock", { composition: "COMPOSED", status: "ACTIVE" });
    expect(await typeOfName(app)).toBe("String");
  });
});

test("by default it joins, and what it breaks is told in /gateway/services, in the event and in the log", async () => {
  await using first = await startService(products());
  await using second = await startService(NULLABLE);
  await using app = await startBinary();
  await register(app, "products", first);
  await becomes(app, "products", { composition: "COMPOSED", status: "ACTIVE" });
  await using events = await openStream(`${app.urls.registry}/events`);
  await register(app, "stock", second);
  const { changes } = await becomes(app, "stock", { composition: "COMPOSED", status: "ACTIVE" });
  expect(changes).toMatchObject({ breaking: 1, dangerous: 0, list: [BREAKS], more: 0 });
  const { data } = await events.find(({ data }) => data.changes !== undefined);
  expect(data).toMatchObject({ service: "stock", cause: "schema changed, 1 breaking" });
  const told = app.lines.filter(({ changes }) => changes);
  expect(told.map(({ level, service, changes }) => [level, service, changes])).toEqual([
    ["warn", "stock", [`BREAKING: ${BREAKS.message}`]],
  ]);
});
