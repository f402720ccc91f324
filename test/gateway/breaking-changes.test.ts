/** Schemas that break the graph's clients: where that is told, and what COMPOSITION_POLICY=safe does about it. */
import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config.ts";
import { startApp, startBinary, type TestApp, tempFolder } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { writeFiles } from "../support/files.ts";
import { startService, type TestService } from "../support/service.ts";
import { openStream } from "../support/stream.ts";
import { SECRET, token } from "../support/tokens.ts";
import { answered, ask, becomes, inRegistry, register, serviceLine, unregister } from "./graph.ts";

/** A service with these fields, each of which says its own name. */
function fields(...names: string[]) {
  return {
    typeDefs: `type Query { ${names.map((name) => `${name}: String`).join(" ")} }`,
    resolvers: { Query: Object.fromEntries(names.map((name) => [name, () => name])) },
  };
}

const SAFE: Partial<Config> = { compositionPolicy: "safe" };
const WAITS = { composition: "PREVIOUS", status: "DEGRADED" };
const SERVES = { composition: "COMPOSED", status: "ACTIVE" };

const accept = (app: TestApp, name: string, query = "", headers: Record<string, string> = {}) =>
  fetch(`${app.urls.gateway}/gateway/services/${name}/accept${query}`, { method: "POST", headers }).then(
    async (response) => ({ status: response.status, body: await response.json() }),
  );

async function join(app: TestApp, name: string, service: TestService): Promise<void> {
  await register(app, name, service);
  await becomes(app, name, SERVES);
}

/** The service changes, and says so. */
async function change(app: TestApp, name: string, service: TestService, ...names: string[]): Promise<void> {
  service.change(fields(...names));
  await register(app, name, service);
}

const schemaOf = async (app: TestApp) => (await get(`${app.urls.gateway}/gateway/schema`)).body as string;

/** Waits until the graph has no such field; a query would not tell, because the service that has it no more answers it. */
const lost = (app: TestApp, field: string) =>
  until(
    () => schemaOf(app),
    (sdl) => !sdl.includes(`  ${field}: `),
  );

/** Tells whether a composition is about to come: where no plugins are watched, no other timer but a probe's is as short. */
class ComposersClock extends FakeClock {
  isComposing = false;

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs > 0 && delayMs <= 100) this.isComposing = true;
    return super.after(delayMs, action);
  }
}

/** Moves the clock until /gateway/services says so of the service. */
const moves = (clock: FakeClock, app: TestApp, name: string, { composition }: { composition: string }) =>
  until(
    async () => {
      await clock.advance(20);
      return serviceLine(app, name);
    },
    (line) => line?.composition === composition,
  );

/** The service `shop` with `keep` and `old`, in the graph of an app with the safe policy; then it is without `old`. */
async function waitingShop(folder?: string, config: Partial<Config> = {}) {
  const stack = new AsyncDisposableStack();
  const shop = stack.use(await startService(fields("keep", "old")));
  const app = stack.use(await startApp({ config: { ...SAFE, ...config }, ...(folder ? { folder } : {}) }));
  await join(app, "shop", shop);
  await change(app, "shop", shop, "keep");
  await becomes(app, "shop", WAITS);
  return { app, shop, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const REMOVED = {
  criticality: "BREAKING",
  path: "Query.old",
  message: "Field 'old' was removed from object type 'Query'",
};

describe("by default a schema that breaks clients is composed, and it is told what it breaks", () => {
  test("in /gateway/services and in the events", async () => {
    await using shop = await startService(fields("keep", "old"));
    await using app = await startApp();
    await using events = await openStream(`${app.urls.registry}/events`);
    await join(app, "shop", shop);
    expect((await serviceLine(app, "shop")).changes).toBeNull();
    await change(app, "shop", shop, "keep", "new");
    await lost(app, "old");
    const { changes, composition, reason } = await serviceLine(app, "shop");
    expect({ composition, reason }).toEqual({ composition: "COMPOSED", reason: null });
    const added = {
      criticality: "NON_BREAKING",
      path: "Query.new",
      message: "Field 'new' was added to object type 'Query'",
    };
    const told = { breaking: 1, dangerous: 0, list: [REMOVED, added], more: 0 };
    expect(changes).toEqual({
      ...told,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      revision: expect.any(Number),
      hash: expect.any(String),
    });
    const { data } = await events.find(({ data }) => data.changes !== undefined);
    expect(data).toMatchObject({ type: "SCHEMA", service: "shop", cause: "schema changed, 1 breaking" });
    expect(data.changes).toEqual(told);
    // The first schema changed nothing, and neither did the core's.
    expect(events.messages.filter((message) => message.data.changes)).toHaveLength(1);
  });

  test("in the log, also where a service is gone", async () => {
    await using shop = await startService(fields("keep", "old"));
    await using app = await startBinary();
    await join(app, "shop", shop);
    await change(app, "shop", shop, "keep");
    await lost(app, "old");
    await change(app, "shop", shop, "keep", "new");
    await answered(app, "{ new }");
    await unregister(app, "shop");
    await lost(app, "keep");
    const lines = app.lines.filter(({ changes }) => changes);
    expect(lines.map(({ level, msg, changes }) => [level, msg, changes])).toEqual([
      ["warn", "schema changed", ["BREAKING: Field 'old' was removed from object type 'Query'"]],
      ["info", "schema changed", ["NON_BREAKING: Field 'new' was added to object type 'Query'"]],
      [
        "warn",
        "schema gone",
        [
          "BREAKING: Field 'keep' was removed from object type 'Query'",
          "BREAKING: Field 'new' was removed from object type 'Query'",
        ],
      ],
    ]);
  });

  test("nothing waits, so nothing can be accepted", async () => {
    await using shop = await startService(fields("keep"));
    await using app = await startApp();
    await join(app, "shop", shop);
    const { status, body } = await accept(app, "shop");
    expect([status, body.code]).toEqual([409, "CONFLICT"]);
  });
});

describe("with COMPOSITION_POLICY=safe", () => {
  test("a schema that breaks clients waits: the one before it serves, and it is said why and what to do", async () => {
    await using stage = await waitingShop();
    const { app } = stage;
    const { reason, changes } = await serviceLine(app, "shop");
    expect(reason.code).toBe("BREAKING_CHANGE");
    expect(reason.message).toContain("Field 'old' was removed from object type 'Query'");
    expect(reason.message).toContain("POST /gateway/services/shop/accept");
    expect(changes).toMatchObject({ breaking: 1, list: [REMOVED], more: 0 });
    expect((await inRegistry(app, "shop")).statusReason).toContain(reason.message);
    expect(await schemaOf(app)).toContain("old: String");
    expect((await ask(app, "{ keep }")).data).toEqual({ keep: "keep" });
    const reload = await post(`${app.urls.gateway}/gateway/reload`, {});
    expect(reload.body.rejected).toMatchObject([{ name: "shop", reason: { code: "BREAKING_CHANGE" } }]);
  });

  test("the event of a schema that waits has the list", async () => {
    await using shop = await startService(fields("keep", "old"));
    await using app = await startApp({ config: SAFE });
    await join(app, "shop", shop);
    await using events = await openStream(`${app.urls.registry}/events`);
    await change(app, "shop", shop, "keep");
    const { data } = await events.find(({ data }) => data.changes !== undefined);
    expect(data).toMatchObject({
      type: "SCHEMA",
      service: "shop",
      changes: { breaking: 1, list: [REMOVED] },
    });
  });

  test("accepted, it is composed, and the answer says so", async () => {
    await using stage = await waitingShop();
    const { app } = stage;
    const { status, body } = await accept(app, "shop");
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: "shop", ...SERVES, reason: null, changes: { breaking: 1 } });
    await lost(app, "old");
    expect((await accept(app, "shop")).status).toBe(409);
  });

  test("what breaks nobody is composed at once", async () => {
    await using shop = await startService(fields("keep"));
    await using app = await startApp({ config: SAFE });
    await join(app, "shop", shop);
    await change(app, "shop", shop, "keep", "new");
    expect(await answered(app, "{ new }")).toEqual({ new: "new" });
    await becomes(app, "shop", SERVES);
  });

  test("a schema that goes back needs nobody to accept it", async () => {
    await using stage = await waitingShop();
    const { app, shop } = stage;
    await change(app, "shop", shop, "keep", "old");
    const { reason, changes } = await becomes(app, "shop", SERVES);
    expect({ reason, changes }).toEqual({ reason: null, changes: null });
    expect((await accept(app, "shop")).status).toBe(409);
  });

  test("accepted is one schema: the next one that breaks clients waits again", async () => {
    await using shop = await startService(fields("a", "b", "c"));
    await using app = await startApp({ config: SAFE });
    await join(app, "shop", shop);
    await change(app, "shop", shop, "a", "b");
    await becomes(app, "shop", WAITS);
    expect((await accept(app, "shop")).status).toBe(200);
    await change(app, "shop", shop, "a");
    await becomes(app, "shop", WAITS);
    expect((await serviceLine(app, "shop")).changes.list).toMatchObject([{ path: "Query.b" }]);
  });

  test("who names a schema that does not wait any more accepts nothing", async () => {
    await using stage = await waitingShop();
    const { app, shop } = stage;
    const { hash } = (await serviceLine(app, "shop")).changes;
    await change(app, "shop", shop, "other");
    const { changes } = await until(
      () => serviceLine(app, "shop"),
      (line) => line.changes.breaking === 2,
    );
    const late = await accept(app, "shop", `?hash=${hash}`);
    expect([late.status, late.body.code]).toEqual([409, "CONFLICT"]);
    await becomes(app, "shop", WAITS);
    expect((await accept(app, "shop", `?hash=${changes.hash}`)).status).toBe(200);
    expect(await answered(app, "{ other }")).toEqual({ other: "other" });
  });

  test("accepting does not reach a schema that came meanwhile", async () => {
    const clock = new ComposersClock();
    await using shop = await startService(fields("a", "b"));
    await using app = await startApp({ config: { ...SAFE, pluginsWatch: "off" }, clock });
    await register(app, "shop", shop);
    await moves(clock, app, "shop", SERVES);
    await change(app, "shop", shop, "a");
    await moves(clock, app, "shop", WAITS);
    clock.isComposing = false;
    await change(app, "shop", shop, "other");
    await until(
      () => clock.isComposing,
      (isComposing) => isComposing,
    );
    const { status, body } = await accept(app, "shop");
    expect([status, body.code]).toEqual([409, "CONFLICT"]);
    expect((await serviceLine(app, "shop")).changes.breaking).toBe(2);
    expect((await accept(app, "shop")).status).toBe(200);
    expect(await schemaOf(app)).toContain("other: String");
  });

  test("a field that moves to another service breaks nobody, whoever comes first", async () => {
    await using stage = await waitingShop();
    await using other = await startService(fields("other", "old"));
    const { app } = stage;
    await register(app, "other", other);
    await becomes(app, "shop", SERVES);
    await becomes(app, "other", SERVES);
    expect(await answered(app, "{ keep old }")).toEqual({ keep: "keep", old: "old" });
  });

  test("a service may always be unregistered, and be registered anew with any schema", async () => {
    await using stage = await waitingShop();
    const { app, shop } = stage;
    await unregister(app, "shop");
    await register(app, "shop", shop);
    await lost(app, "old");
    await becomes(app, "shop", SERVES);
    expect(await answered(app, "{ keep }")).toEqual({ keep: "keep" });
  });

  test("also where it is registered anew before the graph is composed without it", async () => {
    const clock = new FakeClock();
    await using shop = await startService(fields("keep", "old"));
    await using app = await startApp({ config: SAFE, clock });
    await register(app, "shop", shop);
    await moves(clock, app, "shop", SERVES);
    shop.change(fields("keep"));
    await unregister(app, "shop");
    await register(app, "shop", shop);
    // Its schema is there with its first answer, and the clock stands still meanwhile.
    await until(
      () => inRegistry(app, "shop"),
      ({ status }) => status === "ACTIVE",
    );
    expect(await schemaOf(app)).toContain("old: String");
    await clock.advance(1_000);
    expect(await serviceLine(app, "shop")).toMatchObject({ composition: "COMPOSED", reason: null });
    expect(await schemaOf(app)).not.toContain("old: String");
  });

  test("what waited still waits after a restart, and can be accepted then", async () => {
    await using folder = await tempFolder();
    await using shop = await startService(fields("keep", "old"));
    {
      await using app = await startApp({ folder: folder.path, config: SAFE });
      await join(app, "shop", shop);
      await change(app, "shop", shop, "keep");
      await becomes(app, "shop", WAITS);
    }
    await using app = await startApp({ folder: folder.path, config: SAFE });
    await until(
      () => serviceLine(app, "shop"),
      ({ reason }) => reason?.code === "BREAKING_CHANGE",
    );
    await becomes(app, "shop", WAITS);
    expect(await schemaOf(app)).toContain("old: String");
    expect((await accept(app, "shop")).body).toMatchObject(SERVES);
    await lost(app, "old");
  });

  test("what was changed while bobbin was down waits too, and what was accepted does not", async () => {
    await using folder = await tempFolder();
    await using shop = await startService(fields("a", "b", "c"));
    const start = () => startApp({ folder: folder.path, config: SAFE });
    {
      await using app = await start();
      await join(app, "shop", shop);
    }
    shop.change(fields("a", "b"));
    {
      await using app = await start();
      await becomes(app, "shop", WAITS);
      expect((await accept(app, "shop")).status).toBe(200);
    }
    await using app = await start();
    await becomes(app, "shop", SERVES);
    expect(await schemaOf(app)).not.toContain("c: String");
  });

  test("accepting is a write, and is refused like one", async () => {
    await using stage = await waitingShop();
    const { app } = stage;
    const unknown = await accept(app, "nobody");
    expect([unknown.status, unknown.body.code]).toEqual([404, "SERVICE_NOT_FOUND"]);
    const foreign = await accept(app, "shop", "", { origin: "https://evil.example" });
    expect([foreign.status, foreign.body.code]).toEqual([403, "FORBIDDEN_ORIGIN"]);
    await using closed = await startApp({ config: { ...SAFE, jwtSecret: SECRET } });
    const bare = await accept(closed, "core");
    expect([bare.status, bare.body.code]).toEqual([401, "UNAUTHENTICATED"]);
    const tokenOf = async (service: string) => `Bearer ${await token({ claims: { service } })}`;
    const others = await accept(closed, "core", "", { authorization: await tokenOf("shop") });
    expect([others.status, others.body.code]).toEqual([403, "FORBIDDEN"]);
    const own = await accept(closed, "core", "", { authorization: await tokenOf("core") });
    expect([own.status, own.body.code]).toEqual([409, "CONFLICT"]);
  });

  test("a plugin's new version waits too: the one before it answers until the new one is accepted", async () => {
    await using folder = await tempFolder();
    const plugin = (...names: string[]) => ({
      "plugins/p.ts": `export default { name: "p", version: "1", isolation: "inline",
        typeDefs: "type Query { ${names.map((name) => `${name}: Int`).join(" ")} }",
        resolvers: { Query: { keep: () => ${names.length} } } };`,
    });
    await writeFiles(folder.path, plugin("keep", "old"));
    await using app = await startApp({ folder: folder.path, config: { ...SAFE, pluginsWatch: "off" } });
    expect(await answered(app, "{ keep }")).toEqual({ keep: 2 });
    await writeFiles(folder.path, plugin("keep"));
    const { status, body } = await post(`${app.urls.gateway}/plugins/p/reload`, {});
    expect([status, body.code]).toEqual([409, "BREAKING_CHANGE"]);
    expect(body.detail).toContain("plugins/p.ts: The new schema of p breaks clients: ");
    expect(await answered(app, "{ keep old }")).toEqual({ keep: 2, old: null });
    expect((await accept(app, "p")).body).toMatchObject({ name: "p", ...SERVES });
    expect(await answered(app, "{ keep }")).toEqual({ keep: 1 });
    await lost(app, "old");
  });
});
