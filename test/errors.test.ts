/** The closed table of codes: every code is given by something, in the form that its door has for refusals. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ERROR_TABLE, type ErrorCode } from "../src/errors.ts";
import { errorCases, GRAPHQL } from "./error-cases.ts";
import { startApp, tempFolder } from "./support/app.ts";
import { graphql, post, until } from "./support/client.ts";
import { pluginSource, writeFiles } from "./support/files.ts";
import type { Seen } from "./support/refusal.ts";
import { startService } from "./support/service.ts";
import { SECRET } from "./support/tokens.ts";

const stack = new AsyncDisposableStack();
let cases: Record<ErrorCode, () => Promise<Seen>>;

beforeAll(async () => {
  const folder = stack.use(await tempFolder());
  await writeFiles(folder.path, {
    "plugins/good.ts": pluginSource("good", "good", "yes"),
    "plugins/broken.ts": "export default {",
    "plugins/wrong.ts": "export default 1",
    "plugins/throws.ts": pluginSource("throws", "throws", "").replace(
      '=> ""',
      '=> { throw new Error("the cause"); }',
    ),
    "plugins/exits.ts": pluginSource("exits", "exits", "")
      .replace('version: "1.0.0"', 'version: "1.0.0", isolation: "process"')
      .replace('=> ""', "=> process.exit(1)"),
    // The one can be asked for a box by its key, the other cannot.
    "plugins/boxes.ts": `export default { name: "boxes", version: "1",
      typeDefs: \`type Query { boxes(ids: [ID!]!): [Box]! @merge(keyField: "id") }
        type Box @key(selectionSet: "{ id }") { id: ID }\`,
      resolvers: { Query: { boxes: (_, { ids }) => ids.map((id) => ({ id })) } } };`,
    "plugins/lids.ts": `export default { name: "lids", version: "1",
      typeDefs: "type Query { lidded: Box } type Box { id: ID lid: String }" };`,
  });
  const service = stack.use(
    await startService({
      typeDefs: "type Query { fine: String } type Thing { a: String }",
      resolvers: { Query: { fine: () => "fine" } },
    }),
  );
  const app = stack.use(await startApp({ folder: folder.path }));
  const closed = stack.use(await startApp({ config: { jwtSecret: SECRET } }));
  await post(`${app.urls.registry}/register`, { serviceName: "fine", url: service.url, metadata: GRAPHQL });
  await until(
    () => graphql(app.urls.gateway, "{ fine }"),
    ({ data }) => data?.fine === "fine",
  );
  cases = errorCases({ app, closed, service });
});
afterAll(() => stack.disposeAsync());

test("there is a case for every code, and no other", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(ERROR_TABLE).sort());
});

describe("the code", () => {
  test.each(Object.keys(ERROR_TABLE) as ErrorCode[])("%s", async (code) => {
    const seen = await cases[code]();
    expect(seen.code).toBe(code);
    // A field's error leaves the whole answer's status alone.
    if (seen.status !== undefined && seen.status !== 200) expect(seen.status).toBe(ERROR_TABLE[code][0]);
  });
});
