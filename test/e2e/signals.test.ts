/** How the binary ends: streams at once, requests in flight finished, the database closed, status 0. */
import { expect, test } from "bun:test";
import { copyFile, readdir } from "node:fs/promises";
import { connect } from "node:net";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post, until } from "../support/client.ts";
import { startService } from "../support/service.ts";

/** A query that is in flight: its service answers when the test says so. */
async function startSlowQuery({ urls: { gateway, registry } }: RunningBinary) {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  const service = await startService({
    typeDefs: "type Query { slow: String }",
    resolvers: {
      Query: {
        slow: () => {
          asked.resolve();
          return answer.promise;
        },
      },
    },
  });
  await post(`${registry}/register`, {
    serviceName: "slow",
    url: service.url,
    metadata: { endpoints: { graphql: "/graphql" } },
  });
  await until(
    () => get(`${gateway}/gateway/schema`),
    ({ body }) => body.includes("slow: String"),
  );
  const answered = graphql(gateway, "{ slow }").then(
    ({ data }) => data?.slow as unknown,
    () => "cut off",
  );
  await asked.promise;
  return {
    answered,
    answer: answer.resolve,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** Opens a stream of events; `received` grows, `ended` resolves when the other side closes it. */
async function openStream(url: string, init: RequestInit = {}) {
  const response = await fetch(url, {
    ...init,
    headers: { accept: "text/event-stream", "content-type": "application/json" },
  });
  const received: string[] = [];
  const ended = (async () => {
    for await (const chunk of response.body ?? []) received.push(new TextDecoder().decode(chunk));
  })();
  return { status: response.status, received, ended };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends streams and idle connections at once, while a request in flight finishes`, async () => {
    await using bobbin = await startBinary();
    const { core, registry } = bobbin.urls;
    const events = await openStream(`${registry}/events`);
    const subscription = await openStream(`${core}/graphql`, {
      method: "POST",
      body: JSON.stringify({ query: "subscription { serviceEvents { type service } }" }),
    });
    expect([events.status, subscription.status]).toEqual([200, 200]);
    await using slow = await startSlowQuery(bobbin);
    await until(
      () => [events, subscription].map(({ received }) => received.join("")),
      (texts) => texts.every((text) => text.includes("REGISTERED")),
    );
    // A client that keeps its connection for later.
    const idle = connect(Number(new URL(registry).port), "127.0.0.1");
    idle.write("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await new Promise((resolve) => idle.once("data", resolve));
    const idleClosed = new Promise((resolve) => idle.once("close", resolve));

    bobbin.process.kill(signal);
    await Promise.all([events.ended, subscription.ended]);
    await until(
      () => bobbin.lines,
      (lines) => lines.some(({ msg }) => msg === "stopping"),
    );
    expect(bobbin.process.exitCode).toBeNull();

    slow.answer("at last");
    expect(await slow.answered).toBe("at last");
    await idleClosed;
    expect(await bobbin.process.exited).toBe(0);
    expect(bobbin.lines.at(-1)).toMatchObject({ msg: "stopped" });
  });
}

test("a process that ends is not ready, or takes no new connections any more", async () => {
  await using bobbin = await startBinary();
  const ready = () =>
    fetch(`${bobbin.urls.gateway}/gateway/ready`, { headers: { connection: "close" } }).then(
      ({ status }) => status,
      () => "refused",
    );
  await using slow = await startSlowQuery(bobbin);
  expect(await ready()).toBe(200);

  bobbin.process.kill("SIGTERM");
  await until(ready, (answer) => answer !== 200);
  slow.answer("done");
  expect(await slow.answered).toBe("done");
  expect(await bobbin.process.exited).toBe(0);
});

test("a second SIGINT ends it at once, whatever is in flight", async () => {
  await using bobbin = await startBinary();
  await using slow = await startSlowQuery(bobbin);

  bobbin.process.kill("SIGINT");
  await until(
    () => bobbin.lines,
    (lines) => lines.some(({ msg }) => msg === "stopping"),
  );
  bobbin.process.kill("SIGINT");
  expect(await bobbin.process.exited).toBe(130);
  expect(await slow.answered).toBe("cut off");
});

test("after an orderly end the database's file alone holds everything", async () => {
  await using folder = await tempFolder();
  {
    await using bobbin = await startBinary({ folder: folder.path });
    for (let i = 0; i < 20; i++)
      await post(`${bobbin.urls.registry}/register`, {
        serviceName: `s${i}`,
        url: `http://127.0.0.1:9/${i}`,
      });
    expect(await bobbin.stop("SIGTERM")).toBe(0);
  }
  expect((await readdir(`${folder.path}/data`)).sort()).toEqual(["bobbin.db", "last-composed.json"]);
  await using other = await tempFolder();
  await Bun.write(`${other.path}/data/.keep`, "");
  await copyFile(`${folder.path}/data/bobbin.db`, `${other.path}/data/bobbin.db`);

  await using bobbin = await startBinary({ folder: other.path });
  const { body } = await get(`${bobbin.urls.registry}/services`);
  const names = body.services.map(({ serviceName }: { serviceName: string }) => serviceName);
  expect(names).toEqual(expect.arrayContaining(Array.from({ length: 20 }, (_, i) => `s${i}`)));
});
