/** Subscriptions of plugins: through the graph and through their own door, over a change of the plugin, to their end. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../support/client.ts";
import { openStream } from "../support/stream.ts";
import { ISOLATIONS, type Stage, startStage } from "./stage.ts";

/** Counts to `to` in steps that the test lets through, and tells of its end. */
const counting = (name: string, text: string, more = "") => `
  name: "${name}",
  typeDefs: "type Query { ${name}Now: String ${more} } type Subscription { ${name}(to: Int! = 3): ${name}Event! ${name}Fails: Int } type ${name}Event { at: Int! text: String! header: String }",
  resolvers: {
    Query: { ${name}Now: () => "${text}" },
    Subscription: {
      ${name}: {
        subscribe: async function* (_, { to }, context) {
          await note("${text} begins");
          try {
            for (let at = 1; at <= to; at += 1) {
              yield { at, header: context.headers["x-tenant"] };
              await gate("${text} " + at);
            }
          } finally { await note("${text} ends"); }
        },
        resolve: (event) => ({ ...event, text: "${text}" }),
      },
      ${name}Fails: {
        subscribe: async function* () { yield { ${name}Fails: 1 }; throw new Error("password=hunter2"); },
      },
    },
  },`;

const asPost = (query: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", accept: "text/event-stream", "x-tenant": "blue" },
  body: JSON.stringify({ query }),
});
const ofEvent = (at: number) => (message: { data: { data?: Record<string, { at: number }> } | null }) =>
  Object.values(message.data?.data ?? {})[0]?.at === at;

for (const isolation of ISOLATIONS) {
  describe(isolation, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await startStage({ binary: isolation !== "inline" });
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    const begin = async (name: string, text: string) => {
      await stage.save(`${name}.ts`, counting(name, text), isolation);
      await stage.untilAnswers(`{ ${name}Now }`, { [`${name}Now`]: text });
    };
    const subscribe = (name: string) =>
      openStream(`${stage.urls.gateway}/graphql`, asPost(`subscription { ${name} { at text header } }`));
    const untilEnded = (stream: { readonly hasEnded: boolean }) =>
      until(
        () => stream.hasEnded,
        (hasEnded) => hasEnded,
      );

    test("events come one by one to the end, through either door, by GET and by POST", async () => {
      await begin("count", "c");
      const query = "subscription { count(to: 2) { at text header } }";
      for (const door of ["/graphql", "/plugins/count/graphql"]) {
        const url = `${stage.urls.gateway}${door}`;
        const asGet = { headers: { accept: "text/event-stream", "x-tenant": "blue" } };
        for (const init of [asPost(query), asGet]) {
          await using stream = await openStream(
            init === asGet ? `${url}?query=${encodeURIComponent(query)}` : url,
            init,
          );
          expect(stream.response.headers.get("content-type")).toStartWith("text/event-stream");
          await stream.find(ofEvent(1));
          stage.open("c 1");
          stage.open("c 2");
          await untilEnded(stream);
          const event = (at: number) => ({ data: { count: { at, text: "c", header: "blue" } } });
          const events = stream.messages.flatMap(({ event: type, data }) => (type === "next" ? [data] : []));
          expect(events).toEqual([event(1), event(2)]);
        }
      }
      expect(stage.notes.filter((each) => each === "c ends")).toHaveLength(4);
    });

    for (const [what, more] of Object.entries({ "the same": "", another: "more: Int" })) {
      test(`a stream goes on with the new version (${what} schema)`, async () => {
        const name = more ? "moved" : "kept";
        await begin(name, `${name}A`);
        await using stream = await subscribe(name);
        await using own = await openStream(
          `${stage.urls.gateway}/plugins/${name}/graphql`,
          asPost(`subscription { ${name} { at text header } }`),
        );
        for (const each of [stream, own]) await each.find(ofEvent(1));
        await stage.save(`${name}.ts`, counting(name, `${name}B`, more), isolation);
        await until(
          () => stage.notes.filter((each) => each === `${name}B begins`).length,
          (times) => times === 2,
        );
        for (const at of [1, 2, 3]) stage.open(`${name}B ${at}`);
        for (const each of [stream, own]) {
          await untilEnded(each);
          const events = each.messages.flatMap(({ data }) => (data?.data ? [data.data[name]] : []));
          expect(events.map(({ text, at }) => `${text} ${at}`)).toEqual([
            `${name}A 1`,
            `${name}B 1`,
            `${name}B 2`,
            `${name}B 3`,
          ]);
          expect(events.every(({ header }) => header === "blue")).toBe(true);
        }
      });
    }

    test("a removed plugin's streams are complete", async () => {
      await begin("gone", "g");
      await using stream = await subscribe("gone");
      await stream.find(ofEvent(1));
      await stage.remove("gone.ts");
      await untilEnded(stream);
      expect(stream.messages.at(-1)).toMatchObject({ data: { data: { gone: { at: 1 } } } });
    });

    test("a client that leaves ends a source at once that waits for an event which never comes", async () => {
      await stage.save(
        "waiting.ts",
        `name: "waiting", typeDefs: "type Query { waitingNow: Int } type Subscription { waiting: Int }",
        resolvers: { Subscription: { waiting: { subscribe: () => source() } } },`,
        isolation,
        `function source() {
          let at = 0;
          return {
            [Symbol.asyncIterator]() { return this; },
            next: async () => (at += 1) === 1 ? { value: { waiting: 1 }, done: false } : new Promise(() => {}),
            return: async () => { await note("waiting ends"); return { value: undefined, done: true }; },
          };
        }`,
      );
      await stage.untilAnswers("{ waitingNow }", { waitingNow: null });
      for (const [i, door] of ["/graphql", "/plugins/waiting/graphql"].entries()) {
        {
          const query = asPost("subscription { waiting }");
          await using stream = await openStream(`${stage.urls.gateway}${door}`, query);
          await stream.find(({ data }) => data?.data?.waiting === 1);
        }
        await until(
          () => stage.notes.filter((each) => each === "waiting ends").length,
          (times) => times === i + 1,
        );
      }
    });

    test("a client that leaves ends a generator with its next event", async () => {
      await stage.save(
        "left.ts",
        `name: "left", typeDefs: "type Query { leftNow: Int } type Subscription { left: Int }",
        resolvers: { Subscription: { left: { subscribe: async function* () {
          try { for (let left = 1; ; left += 1) { yield { left }; await Bun.sleep(5); } }
          finally { await note("left ends"); }
        } } } },`,
        isolation,
      );
      await stage.untilAnswers("{ leftNow }", { leftNow: null });
      {
        await using stream = await openStream(
          `${stage.urls.gateway}/graphql`,
          asPost("subscription { left }"),
        );
        await stream.find(({ data }) => data?.data?.left === 3);
        expect(stage.notes).not.toContain("left ends");
      }
      await stage.untilNoted("left ends");
    });

    test("an error of the source ends the stream, and its cause stays inside", async () => {
      await begin("bad", "b");
      for (const door of ["/graphql", "/plugins/bad/graphql"]) {
        await using stream = await openStream(
          `${stage.urls.gateway}${door}`,
          asPost("subscription { badFails }"),
        );
        await untilEnded(stream);
        const [first, second] = stream.messages.flatMap(({ data }) => (data ? [data] : []));
        expect(first).toEqual({ data: { badFails: 1 } });
        expect(second).toMatchObject({
          errors: [{ message: "Unexpected error.", extensions: { code: "INTERNAL" } }],
        });
        expect(JSON.stringify(stream.messages)).not.toContain("hunter2");
      }
      await stage.untilAnswers("{ badNow }", { badNow: "b" });
      if (isolation === "inline") return;
      // Of a binary the log can be read.
      const lines = stage.lines.filter(({ msg }) => String(msg).includes("hunter2"));
      expect(lines).toMatchObject([{ plugin: "bad" }, { plugin: "bad" }]);
    });

    test("bobbin's end ends every stream at once", async () => {
      await using other = await startStage({ binary: isolation !== "inline" });
      await other.save("open.ts", counting("open", "o"), isolation);
      await other.untilAnswers("{ openNow }", { openNow: "o" });
      const query = asPost("subscription { open { at text header } }");
      await using graph = await openStream(`${other.urls.gateway}/graphql`, query);
      await using own = await openStream(`${other.urls.gateway}/plugins/open/graphql`, query);
      for (const each of [graph, own]) await each.find(ofEvent(1));
      const startedAt = performance.now();
      await other.endApp();
      for (const each of [graph, own]) await untilEnded(each);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });
  });
}
