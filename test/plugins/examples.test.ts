/** The shipped examples, each by itself in the compiled binary's plugin folder, asked through the front door. */
import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";
import { openStream } from "../support/stream.ts";

const SHIPPED = resolve(import.meta.dir, "../../plugins");
const EXAMPLES = ["countdown", "shelf", "time"];

/** The binary in a folder of its own, with these examples in its plugin folder. */
async function withExamples(
  names: readonly string[],
  env: Record<string, string> = {},
): Promise<RunningBinary> {
  const folder = await tempFolder();
  for (const name of names) {
    await Bun.write(join(folder.path, `plugins/${name}.ts`), Bun.file(join(SHIPPED, `${name}.ts`)));
  }
  const bobbin = await startBinary({ folder: folder.path, env });
  return {
    ...bobbin,
    async [Symbol.asyncDispose]() {
      await bobbin[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("these are all the examples that are shipped, and all load without a word of complaint", async () => {
  const shipped = [...new Bun.Glob("*.ts").scanSync(SHIPPED)].map((file) => file.replace(".ts", ""));
  expect(shipped.sort()).toEqual(EXAMPLES);
  await using bobbin = await withExamples(EXAMPLES);
  const { body } = await get(`${bobbin.urls.gateway}/plugins`);
  expect(body.plugins).toMatchObject(
    EXAMPLES.map((name) => ({ name, status: "ACTIVE", composition: "COMPOSED", reason: null })),
  );
  expect(bobbin.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});

test("time tells the time in a zone, and the client which zone is none", async () => {
  await using bobbin = await withExamples(["time"]);
  const { gateway } = bobbin.urls;
  const { data, errors } = await graphql(
    gateway,
    `{ timeIn { zone instant clock } far: timeIn(zone: "Asia/Kolkata") { instant clock } nowhere: timeIn(zone: "Mars") { clock } }`,
  );
  expect(data.timeIn).toEqual({ zone: "UTC", instant: expect.any(String), clock: expect.any(String) });
  expect(data.timeIn.clock).toBe(data.timeIn.instant.slice(11, 19));
  const indian = new Date(Date.parse(data.far.instant) + 5.5 * 3_600_000);
  expect(data.far.clock).toBe(indian.toISOString().slice(11, 19));
  expect(data.nowhere).toBeNull();
  expect(errors).toMatchObject([
    { message: "Mars is not a time zone", path: ["nowhere"], extensions: { code: "BAD_USER_INPUT" } },
  ]);
});

const BOOKS = ["1", "2", "7"].map((id) => ({ id, title: `Book ${id}` }));
const CATALOG = {
  typeDefs: `
    type Query { books: [DemoBook!]! book(id: ID!): DemoBook }
    type DemoBook { id: ID! title: String! }`,
  resolvers: {
    Query: {
      books: () => BOOKS,
      book: (_: never, { id }: { id: string }) => BOOKS.find((book) => book.id === id),
    },
  },
};

test("shelf answers for itself while there is no catalog", async () => {
  await using bobbin = await withExamples(["shelf"]);
  const { data, errors } = await graphql(
    bobbin.urls.gateway,
    `{ booksOnShelf(ids: ["2", "7", "1"]) { id copies } }`,
  );
  expect(errors).toBeUndefined();
  expect(data.booksOnShelf).toEqual([{ id: "2", copies: 0 }, null, { id: "1", copies: 3 }]);
});

test("shelf adds a field to a real catalog's books: one call to each for a whole list, and none that nobody needs", async () => {
  await using bobbin = await withExamples(["shelf"], { LOG_LEVEL: "debug" });
  await using catalog = await startService(CATALOG);
  const { gateway, registry } = bobbin.urls;
  const endpoints = { graphql: "/graphql" };
  await post(`${registry}/register`, {
    serviceName: "catalog",
    url: catalog.url,
    metadata: { endpoints },
  });
  const whole = await until(
    () => graphql(gateway, `{ books { id title copies } book(id: "2") { copies } }`),
    ({ errors }) => !errors,
  );
  expect(whole.data).toEqual({
    books: [
      { id: "1", title: "Book 1", copies: 3 },
      { id: "2", title: "Book 2", copies: 0 },
      { id: "7", title: "Book 7", copies: null },
    ],
    book: { copies: 0 },
  });

  const askedShelf = () => bobbin.lines.filter(({ msg }) => msg === "books asked for").map(({ ids }) => ids);
  await until(askedShelf, ({ length }) => length > 0);
  const askedCatalog = () => catalog.requests.filter(({ query }) => query.includes("books"));
  const before = { catalog: askedCatalog().length, shelf: askedShelf().length };
  const list = await graphql(gateway, "{ books { title copies } }");
  expect(list.data.books).toHaveLength(3);
  await until(askedShelf, ({ length }) => length > before.shelf);
  const plain = await graphql(gateway, "{ books { title } }");
  expect(plain.errors).toBeUndefined();
  // Lines come in their order: with this one here, there would have been any that the query before it led to.
  await graphql(gateway, `{ booksOnShelf(ids: ["last"]) { id } }`);
  await until(askedShelf, (asked) => String(asked.at(-1)) === "last");
  expect(askedCatalog()).toHaveLength(before.catalog + 2);
  expect(askedShelf().slice(before.shelf)).toEqual([["1", "2", "7"], ["last"]]);

  // The catalog says of no field how its books are fetched: titles are only to be had where it gave the book.
  const { data, errors } = await graphql(gateway, `{ booksOnShelf(ids: ["1"]) { copies title } }`);
  expect(data).toEqual({ booksOnShelf: [null] });
  expect(errors).toMatchObject([{ extensions: { code: "FIELD_UNREACHABLE" } }]);
});

test("countdown is subscribed to over server-sent events, and goes on with the plugin's next version", async () => {
  await using bobbin = await withExamples(["countdown"]);
  const { gateway } = bobbin.urls;
  const subscribe = (to: string) =>
    openStream(`${gateway}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({
        query: "subscription ($to: String!) { countdown(to: $to) }",
        variables: { to },
      }),
    });
  await using short = await subscribe(new Date(Date.now() + 2_500).toISOString());
  await using long = await subscribe(new Date(Date.now() + 3_600_000).toISOString());
  await long.find(({ event }) => event === "next");

  const file = join(bobbin.folder, "plugins/countdown.ts");
  await Bun.write(file, (await Bun.file(file).text()).replace(`"1.0.0"`, `"1.0.1"`));
  await until(
    () => get(`${gateway}/plugins`),
    ({ body }) => body.plugins[0].version === "1.0.1",
  );
  const seen = long.messages.length;
  await until(
    () => long.messages.length,
    (length) => length >= seen + 3,
  );
  expect(long.hasEnded).toBe(false);
  const seconds = long.messages.map(({ data }) => data.data.countdown);
  expect(seconds).toEqual([...seconds].sort((a, b) => b - a));

  await until(
    () => short.hasEnded,
    (hasEnded) => hasEnded,
  );
  expect(short.messages.at(-1)?.data).toEqual({ data: { countdown: 0 } });

  await using wrong = await subscribe("soon");
  const { data } = await wrong.find(() => true);
  expect(data.errors).toMatchObject([
    { message: expect.stringContaining("soon is no point in time"), extensions: { code: "BAD_USER_INPUT" } },
  ]);
});

test("countdown has a page, which asks the plugin's own GraphQL", async () => {
  await using bobbin = await withExamples(["countdown"]);
  const page = await fetch(`${bobbin.urls.gateway}/plugins/countdown/`);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const html = await page.text();
  const [, query = "", path = ""] = /query = "([^"]+)".*EventSource\("([^"]+)"/s.exec(html) ?? [];
  const parameters = new URLSearchParams({ query, variables: `{ "to": "2000-01-01" }` });
  await using events = await openStream(`${bobbin.urls.gateway}${path}${parameters}`, {
    headers: { accept: "text/event-stream" },
  });
  expect((await events.find(() => true)).data).toEqual({ data: { countdown: 0 } });
});

test("no example is in the way of an own service with names that anybody might choose", async () => {
  await using bobbin = await withExamples(EXAMPLES);
  await using service = await startService({
    typeDefs: `
      type Query { time: Time now: Time products: [Product] product(id: Int): Product books: [Book] stock: Stock }
      type Subscription { tick: Int }
      type Product { id: Int name: String stock: Stock copies: String }
      type Book { isbn: String copies: [Int] }
      type Stock { inStock: Boolean }
      scalar Time`,
  });
  const { gateway, registry } = bobbin.urls;
  await post(`${registry}/register`, {
    serviceName: "shop",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });
  const { body } = await until(
    () => get(`${gateway}/gateway/services`),
    ({ body: { services } }) =>
      services.some(({ name, composition }: { name: string; composition: string }) => {
        return name === "shop" && composition !== "PENDING";
      }),
  );
  expect(body.services).toMatchObject(body.services.map(() => ({ composition: "COMPOSED", reason: null })));
});
