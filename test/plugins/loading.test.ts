/** Plugins that load: where they are found, what they may import, how they stand beside remote services. */
import { expect, test } from "bun:test";
import { startApp, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";

test("files and folders with an index are plugins; notes, tests, hidden and underscored files are not", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "file.ts": pluginSource("file", "fromFile", "file"),
    "script.js": pluginSource("script", "fromScript", "script"),
    "folder/index.ts": pluginSource("folder", "fromFolder", "folder"),
    "old/index.js": pluginSource("old", "fromOld", "old"),
    "folder/other.ts": "throw new Error('not an entry')",
    "_shared.ts": "throw new Error('not an entry')",
    ".hidden.ts": "throw new Error('not an entry')",
    "file.test.ts": "throw new Error('not an entry')",
    "types.d.ts": "declare const x: number;",
    "README.md": "# notes",
    "node_modules/index.js": "throw new Error('not an entry')",
    "empty/notes.txt": "no index",
  });
  await using app = await startApp({ folder: folder.path });

  const { data } = await graphql(app.urls.gateway, "{ fromFile fromScript fromFolder fromOld }");
  expect(data).toEqual({ fromFile: "file", fromScript: "script", fromFolder: "folder", fromOld: "old" });

  const { body } = await get(`${app.urls.gateway}/gateway/services`);
  const plugins = body.services.filter((service: { source: string }) => service.source === "PLUGIN");
  expect(plugins.map(({ name }: { name: string }) => name).sort()).toEqual([
    "file",
    "folder",
    "old",
    "script",
  ]);
  for (const plugin of plugins) {
    expect(plugin).toMatchObject({
      status: "ACTIVE",
      composition: "COMPOSED",
      reason: null,
      version: "1.0.0",
    });
  }
});

test("a plugin may import files beside it, JSON, text, and packages of its own", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "shop/index.ts": `
      import { definePlugin } from "bobbin";
      import { GraphQLError } from "graphql";
      import { priceOf } from "./price.ts";
      import stock from "./stock.json";
      import notice from "./notice.txt" with { type: "text" };
      import shout from "shout";
      export default definePlugin({
        name: "shop", version: "2.1.0",
        typeDefs: "type Query { price(item: String!): Int stock: [String!] notice: String loud: String }",
        resolvers: {
          Query: {
            price: (_: unknown, { item }: { item: string }) => priceOf(item),
            stock: () => stock.items,
            notice: () => notice,
            loud: () => shout("hello"),
          },
        },
      });`,
    "shop/price.ts": `
      import { GraphQLError } from "graphql";
      export function priceOf(item: string): number {
        if (item !== "tea") throw new GraphQLError("no " + item, { extensions: { code: "SOLD_OUT" } });
        return 3;
      }`,
    "shop/stock.json": `{ "items": ["tea", "cups"] }`,
    "shop/notice.txt": "closed on Sundays",
    "shop/package.json": `{ "name": "shop", "dependencies": { "shout": "1.0.0" } }`,
    "shop/node_modules/shout/package.json": `{ "name": "shout", "version": "1.0.0", "main": "main.js" }`,
    "shop/node_modules/shout/main.js": "module.exports = (text) => text.toUpperCase() + '!';",
  });
  await using app = await startApp({ folder: folder.path });

  const { data } = await graphql(app.urls.gateway, `{ price(item: "tea") stock notice loud }`);
  expect(data).toEqual({ price: 3, stock: ["tea", "cups"], notice: "closed on Sundays", loud: "HELLO!" });

  const refused = await graphql(app.urls.gateway, `{ price(item: "coffee") }`);
  expect(refused.errors).toMatchObject([
    { message: "no coffee", path: ["price"], extensions: { code: "SOLD_OUT" } },
  ]);
});

test("plugins and remote services are stitched into one graph, and both are listed everywhere", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/local.ts": pluginSource("local", "near", "here") });
  await using remote = await startService({
    typeDefs: "type Query { far: String }",
    resolvers: { Query: { far: () => "there" } },
  });
  await using app = await startApp({ folder: folder.path });
  const { gateway, core, registry } = app.urls;
  await post(`${registry}/register`, {
    serviceName: "remote",
    url: remote.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });

  await until(
    () => graphql(gateway, "{ near far }"),
    ({ data }) => data?.near === "here" && data.far === "there",
  );

  const { body } = await get(`${registry}/services`);
  const sources = body.services.map(({ serviceName, source }: Record<string, string>) => [
    serviceName,
    source,
  ]);
  expect(sources.sort()).toEqual([
    ["core", "CORE"],
    ["local", "PLUGIN"],
    ["remote", "REMOTE"],
  ]);
  const { data } = await graphql(core, "{ getGatewaySubgraphs { name url } }");
  expect(data.getGatewaySubgraphs).toContainEqual({
    name: "local",
    url: `${gateway}/plugins/local/graphql`,
  });
});

test("a plugin's metadata counts: a namespace keeps it apart", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "apart.ts": `
      import { definePlugin } from "bobbin";
      export default definePlugin({
        name: "apart", version: "1.0.0", displayName: "Apart", description: "keeps to itself", tags: ["quiet"],
        metadata: { gateway: { namespace: "Apart" } },
        typeDefs: "type Query { near: Thing } type Thing { id: ID }",
        resolvers: { Query: { near: () => ({ id: "1" }) } },
      });`,
    "near.ts": pluginSource("near", "near", "here"),
  });
  await using app = await startApp({ folder: folder.path });

  const { data } = await graphql(app.urls.gateway, "{ near Apart_near { id __typename } }");
  expect(data).toEqual({ near: "here", Apart_near: { id: "1", __typename: "Apart_Thing" } });
  const { body } = await get(`${app.urls.registry}/services/apart`);
  expect(body).toMatchObject({ displayName: "Apart", description: "keeps to itself", tags: ["quiet"] });
});

test("a plugin that is gone at the next start is gone from the registry and the graph", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "stays.ts": pluginSource("stays", "stays", "yes"),
    "goes.ts": pluginSource("goes", "goes", "yes"),
  });
  {
    await using app = await startBinary({ folder: folder.path });
    const { data } = await graphql(app.urls.gateway, "{ stays goes }");
    expect(data).toEqual({ stays: "yes", goes: "yes" });
  }
  await Bun.file(`${folder.path}/plugins/goes.ts`).delete();

  await using app = await startBinary({ folder: folder.path });
  expect((await graphql(app.urls.gateway, "{ stays }")).data).toEqual({ stays: "yes" });
  expect((await graphql(app.urls.gateway, "{ goes }")).errors).toMatchObject([
    { extensions: { code: "GRAPHQL_VALIDATION_FAILED" } },
  ]);
  expect((await get(`${app.urls.registry}/services/goes`)).status).toBe(404);
});

test("a folder of plugins that does not exist is no fault", async () => {
  await using app = await startApp({ config: { plugins: "/nowhere/at/all" } });
  expect((await graphql(app.urls.gateway, "{ __typename }")).data).toEqual({ __typename: "Query" });
});
