/** What never comes back is given up: a resolver, a plugin's loading, a request in flight at the end. With TEST_FULL. */
import { expect, test } from "bun:test";
import { startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, until } from "../support/client.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { rawRequest } from "../support/wire.ts";

const slow = test.if(Boolean(process.env.TEST_FULL));

const HANGING = `
  import { definePlugin } from "bobbin";
  let asked = 0;
  export default definePlugin({
    name: "hanging", version: "1.0.0",
    typeDefs: "type Query { never: String asked: Int }",
    resolvers: { Query: { never: () => { asked++; return new Promise(() => {}); }, asked: () => asked } },
  });`;

slow(
  "a resolver that hangs is given up with SERVICE_TIMEOUT, and the rest of the answer is delivered",
  async () => {
    await using folder = await tempFolder();
    await writeFiles(`${folder.path}/plugins`, {
      "hanging.ts": HANGING,
      "good.ts": pluginSource("good", "good", "yes"),
    });
    await using bobbin = await startBinary({ folder: folder.path });
    const { data, errors } = await graphql(bobbin.urls.gateway, "{ good never }");
    expect(data).toEqual({ good: "yes", never: null });
    expect(errors).toMatchObject([{ path: ["never"], extensions: { code: "SERVICE_TIMEOUT" } }]);
  },
);

slow("a plugin that never finishes loading is given up, and the others serve", async () => {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "endless.ts": "await new Promise(() => {});\nexport default {};",
    "good.ts": pluginSource("good", "good", "yes"),
  });
  await using bobbin = await startBinary({ folder: folder.path });
  expect((await graphql(bobbin.urls.gateway, "{ good }")).data).toEqual({ good: "yes" });
  const { body } = await get(`${bobbin.urls.gateway}/gateway/services`);
  expect(body.services).toContainEqual(
    expect.objectContaining({
      name: "endless",
      composition: "REJECTED",
      reason: expect.objectContaining({ code: "PLUGIN_LOAD_FAILED", file: "plugins/endless.ts" }),
    }),
  );
});

slow("a request that is never answered holds up the end for a while, not for ever", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/hanging.ts": HANGING });
  await using bobbin = await startBinary({ folder: folder.path });
  const { gateway } = bobbin.urls;
  const cutOff = graphql(gateway, "{ never }").then(
    ({ errors }) => errors?.[0]?.extensions?.code,
    () => "cut off",
  );
  await until(
    () => graphql(gateway, "{ asked }"),
    ({ data }) => data?.asked > 0,
  );
  expect(await bobbin.stop("SIGTERM")).toBe(0);
  expect(["cut off", "SERVICE_TIMEOUT"]).toContain((await cutOff) as string);
});

slow("a client that says nothing for a minute is let go, one that waits for its answer is not", async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { "plugins/hanging.ts": HANGING });
  await using bobbin = await startBinary({ folder: folder.path, env: { PLUGIN_CALL_TIMEOUT: "80" } });
  const ask = (query: string) => {
    const body = JSON.stringify({ query });
    return `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const begun = performance.now();
  const secondsOpen = async (sent: string) => {
    await rawRequest(bobbin.urls.gateway, sent, () => false);
    return (performance.now() - begun) / 1_000;
  };
  const broken = rawRequest(bobbin.urls.gateway, "POST /graphql HTTP/1.1\r\nHost : localhost", () => false);
  const waiting = rawRequest(bobbin.urls.gateway, ask("{ never }"), (answer) => answer.endsWith("}"));
  const [silent = 0, half = 0, answered = 0, elsewhere = 0] = await Promise.all(
    [
      "",
      ask("{ asked }").slice(0, 50),
      ask("{ asked }"),
      "GET /gateway/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ].map(secondsOpen),
  );
  for (const seconds of [silent, answered, elsewhere]) {
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThan(78);
  }
  // Nobody needs so long for the rest of a question.
  expect(half).toBeLessThan(50);
  expect(await broken).toContain("400 Bad Request");
  expect(await waiting).toContain("SERVICE_TIMEOUT");
});
