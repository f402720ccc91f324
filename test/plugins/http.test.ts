/** A plugin's own HTTP under /plugins/<name>/: what reaches its `fetch`, what comes back, and what is bobbin's own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createToken } from "../../src/api/tokens.ts";
import { get, until } from "../support/client.ts";
import { openStream } from "../support/stream.ts";
import { SECRET } from "../support/tokens.ts";
import { ISOLATIONS, type Stage, startStage } from "./stage.ts";

const SCHEMA = `typeDefs: "type Query { a: Int }"`;

/** Tells what it was asked for, and does what the path says. */
const SITE = `
  async fetch(request, context) {
    const { pathname, search } = new URL(request.url);
    const path = pathname.replace(/^\\/plugins\\/[^/]+/, "");
    if (path === "/bytes") return new Response(await request.arrayBuffer(), { headers: { "content-type": "image/x-test" } });
    if (path === "/large") {
      const inOnePiece = (controller) => { controller.enqueue(new Uint8Array(20 * 2 ** 20).fill(7)); controller.close(); };
      return new Response(new ReadableStream({ start: inOnePiece }));
    }
    if (path === "/length") return new Response("twelve bytes", { headers: { "content-length": "12" } });
    if (path.startsWith("/status/")) return new Response(null, { status: Number(path.slice(8)), headers: { "x-kept": "yes" } });
    if (path === "/cookies") {
      const headers = new Headers({ "x-one": "1" });
      headers.append("set-cookie", "a=1; Path=/");
      headers.append("set-cookie", "b=2, 3; HttpOnly");
      return new Response("", { headers });
    }
    if (path === "/away") return Response.redirect("https://example.com/else", 303);
    if (path === "/throws") throw new Error("password=hunter2");
    if (path === "/nothing") return undefined;
    if (path === "/breaks") {
      const pull = (controller) => controller.error(new Error("the source broke"));
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue("begun"), pull }));
    }
    if (path === "/stream" || path === "/events") {
      request.signal.addEventListener("abort", () => note(context.name + " aborted"));
      const body = new ReadableStream({
        async start(controller) {
          const send = (text) => controller.enqueue(new TextEncoder().encode(text));
          send("data: 1\\n\\n");
          await gate(context.name + path);
          send("data: 2\\n\\n");
          if (path === "/stream") controller.close();
        },
        cancel: () => note(context.name + " cancelled"),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }
    const { method, headers } = request;
    const body = await request.text();
    return Response.json({ method, path, search, body, name: context.name, seen: context.headers["x-tenant"],
      type: headers.get("content-type"), tenant: headers.get("x-tenant"), authorization: headers.get("authorization") });
  },`;

for (const isolation of ISOLATIONS) {
  describe(isolation, () => {
    let stage: Stage;
    let site: string;
    beforeAll(async () => {
      stage = await startStage({ binary: isolation !== "inline" });
      await stage.save("site.ts", `name: "site", ${SCHEMA}, ${SITE}`, isolation);
      await stage.untilAnswers("{ a }", { a: null });
      site = `${stage.urls.gateway}/plugins/site`;
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    test("method, path, query, headers and body reach it", async () => {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const init = { method, body: "text ✓", headers: { "content-type": "text/x", "X-Tenant": "blue" } };
        const answer = await fetch(`${site}/deep/path?q=1&q=%202`, init);
        expect(answer.status).toBe(200);
        expect(await answer.json()).toMatchObject({
          method,
          path: "/deep/path",
          search: "?q=1&q=%202",
          body: "text ✓",
          name: "site",
          type: "text/x",
          tenant: "blue",
          seen: "blue",
        });
      }
      expect((await get(site)).body).toMatchObject({ method: "GET", path: "", body: "" });
      expect((await get(`${site}/`)).body).toMatchObject({ method: "GET", path: "/" });
      expect((await fetch(`${site}/`, { method: "OPTIONS" })).status).toBe(200);
      const head = await fetch(`${site}/bytes`, { method: "HEAD" });
      expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
        200,
        "image/x-test",
        "",
      ]);
    });

    test("a body of any bytes goes in and out, however large the answer", async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const body = Buffer.concat(Array.from({ length: 16 }, () => bytes));
      const answer = await fetch(`${site}/bytes`, { method: "POST", body });
      expect(answer.headers.get("content-type")).toBe("image/x-test");
      expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
      const large = Buffer.from(await (await fetch(`${site}/large`)).arrayBuffer());
      expect(large.equals(Buffer.alloc(20 * 2 ** 20, 7))).toBe(true);
      expect(await (await fetch(`${site}/length`)).text()).toBe("twelve bytes");
    });

    test("its status and headers come as they are, cookies each by itself", async () => {
      for (const status of [201, 204, 304, 404, 418]) {
        const answer = await fetch(`${site}/status/${status}`);
        expect([answer.status, answer.headers.get("x-kept"), await answer.text()]).toEqual([
          status,
          "yes",
          "",
        ]);
      }
      const { headers } = await fetch(`${site}/cookies`);
      expect(headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2, 3; HttpOnly"]);
      expect(headers.get("x-one")).toBe("1");
      const away = await fetch(`${site}/away`, { redirect: "manual" });
      expect([away.status, away.headers.get("location")]).toEqual([303, "https://example.com/else"]);
    });

    test("an answer comes while the plugin still makes it", async () => {
      await using stream = await openStream(`${site}/stream`);
      expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
      await stream.find(({ data }) => data === 1);
      expect(stream.messages).toHaveLength(1);
      stage.open("site/stream");
      await stream.find(({ data }) => data === 2);
      await until(
        () => stream.hasEnded,
        (hasEnded) => hasEnded,
      );
    });

    test("a client that leaves ends the answer's source, though it waits for its next event", async () => {
      await stage.save("news.ts", `name: "news", typeDefs: "type Query { b: Int }", ${SITE}`, isolation);
      await stage.untilAnswers("{ b }", { b: null });
      {
        await using stream = await openStream(`${stage.urls.gateway}/plugins/news/events`);
        await stream.find(({ data }) => data === 1);
      }
      await stage.untilNoted("news cancelled");
    });

    test("an answer to HEAD, whose body nobody reads, ends its source", async () => {
      await stage.save("head.ts", `name: "head", typeDefs: "type Query { c: Int }", ${SITE}`, isolation);
      await stage.untilAnswers("{ c }", { c: null });
      const { status, headers } = await fetch(`${stage.urls.gateway}/plugins/head/events`, {
        method: "HEAD",
      });
      expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"]);
      await stage.untilNoted("head cancelled");
    });

    test("what it throws is a problem without its cause, and so is an answer that is none", async () => {
      for (const path of ["throws", "nothing"]) {
        const answer = await get(`${site}/${path}`);
        expect(answer).toMatchObject({ status: 500, body: { code: "INTERNAL" } });
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expect(JSON.stringify(answer.body)).not.toContain("hunter2");
      }
    });

    test("a body whose source breaks breaks off, and bobbin goes on", async () => {
      const read = async () => (await fetch(`${site}/breaks`)).text();
      await expect(read()).rejects.toThrow();
      expect((await get(site)).status).toBe(200);
    });

    test("while it is disabled it gets no requests", async () => {
      expect((await stage.action("site", "disable")).body).toMatchObject({
        name: "site",
        status: "MAINTENANCE",
      });
      expect(await get(site)).toMatchObject({ status: 503, body: { code: "SERVICE_UNAVAILABLE" } });
      expect((await stage.action("site", "enable")).status).toBe(200);
      await stage.untilView("site.ts", ({ status }) => status === "ACTIVE");
      expect((await get(site)).status).toBe(200);
    });
  });
}

describe("what is not the plugin's", () => {
  test("a plugin without fetch, one that never ran, and one that is not there", async () => {
    await using stage = await startStage({
      files: ({ prelude }) => ({
        "mute.ts": `${prelude} export default definePlugin({ name: "mute", version: "1", ${SCHEMA} });`,
        "broken.ts": "export default ];",
      }),
    });
    const of = (path: string) => get(`${stage.urls.gateway}/plugins/${path}`);
    expect(await of("mute/")).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    expect(await of("broken/")).toMatchObject({ status: 503, body: { code: "SERVICE_UNAVAILABLE" } });
    for (const path of ["nobody", "nobody/", "nobody/deep", "No%20body/"])
      expect(await of(path)).toMatchObject({ status: 404, body: { code: "PLUGIN_NOT_FOUND" } });
  });

  test("a plugin whose code has crashed for good gets no requests", async () => {
    await using stage = await startStage();
    await stage.save("frail.ts", `name: "frail", ${SCHEMA}, fetch: () => process.exit(1),`, "worker");
    await stage.untilAnswers("{ a }", { a: null });
    const { gateway } = stage.urls;
    await until(
      () => get(`${gateway}/plugins/frail/`).then(() => stage.view("frail.ts")),
      (view) => view?.status === "ERROR" && view.crashes === 3,
    );
    expect(await get(`${gateway}/plugins/frail/`)).toMatchObject({
      status: 503,
      body: { code: "SERVICE_UNAVAILABLE" },
    });
  });

  test("a body over the limit is refused before it", async () => {
    await using stage = await startStage({ config: { bodyLimitBytes: 10_000 } });
    await stage.save("site.ts", `name: "site", ${SCHEMA}, ${SITE}`);
    await stage.untilAnswers("{ a }", { a: null });
    const send = (body: string | ReadableStream) =>
      fetch(`${stage.urls.gateway}/plugins/site/bytes`, { method: "POST", body });
    expect((await send("x".repeat(10_000))).status).toBe(200);
    const streamed = new Blob(["x".repeat(10_001)]).stream();
    for (const body of ["x".repeat(10_001), streamed]) {
      const answer = await send(body);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        413,
        "BODY_TOO_LARGE",
      ]);
    }
  });

  test("a write token never reaches it, and a user's own does; its actions need one for it", async () => {
    await using stage = await startStage({ config: { jwtSecret: SECRET } });
    await stage.save("site.ts", `name: "site", ${SCHEMA}, ${SITE}`);
    await stage.untilAnswers("{ a }", { a: null });
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const writer = bearer(await createToken(SECRET, 60));
    const site = `${stage.urls.gateway}/plugins/site`;
    expect((await get(`${site}/`, writer)).body.authorization).toBeNull();
    expect((await get(`${site}/`, bearer("a-user's"))).body.authorization).toBe("Bearer a-user's");

    for (const what of ["reload", "disable", "enable"]) {
      expect(await stage.action("site", what)).toMatchObject({
        status: 401,
        body: { code: "UNAUTHENTICATED" },
      });
      const foreign = bearer(await createToken(SECRET, 60, "other"));
      expect(await stage.action("site", what, foreign)).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN" },
      });
      const page = { ...writer, origin: "https://elsewhere.example" };
      expect(await stage.action("site", what, page)).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN_ORIGIN" },
      });
      const own = bearer(await createToken(SECRET, 60, "site"));
      expect(await stage.action("site", what, own)).toMatchObject({ status: 200, body: { name: "site" } });
      // What is no POST is the plugin's.
      if (what !== "disable")
        expect((await get(`${site}/${what}`)).body).toMatchObject({ method: "GET", path: `/${what}` });
    }
    for (const what of ["reload", "disable", "enable"])
      expect(await stage.action("nobody", what, writer)).toMatchObject({
        status: 404,
        body: { code: "PLUGIN_NOT_FOUND" },
      });
  });
});
