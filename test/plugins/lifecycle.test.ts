/** A version's life: what is in flight finishes on it, what it owned ends with it, and it is disposed of once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../support/client.ts";
import { ISOLATIONS, type Stage, startStage } from "./stage.ts";

/** A plugin that answers its version's text, and tells of its end. */
const telling = (name: string, text: string, more = "") => `
  name: "${name}", typeDefs: "type Query { ${name}: String ${name}Slow: String ${more} }",
  resolvers: { Query: {
    ${name}: () => "${text}",
    ${name}Slow: async () => { await note("${text} begins"); await gate("${text}"); return "${text}"; },
  } },
  dispose: () => note("${text} disposed"),`;

for (const isolation of ISOLATIONS) {
  describe(isolation, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await startStage({ binary: isolation !== "inline" });
    });
    afterAll(() => stage[Symbol.asyncDispose]());
    const count = (note: string) => stage.notes.filter((each) => each === note).length;

    for (const [what, more] of Object.entries({ "the same": "", another: "more: Int" })) {
      test(`what is in flight finishes on the old version, which then is disposed of once (${what} schema)`, async () => {
        const name = more ? "moved" : "kept";
        const [one, two] = [`${name} 1`, `${name} 2`];
        await stage.save(`${name}.ts`, telling(name, one), isolation);
        await stage.untilAnswers(`{ ${name} }`, { [name]: one });
        const slow = stage.ask(`{ ${name}Slow }`);
        await stage.untilNoted(`${one} begins`);

        await stage.save(`${name}.ts`, telling(name, two, more), isolation);
        await stage.untilAnswers(`{ ${name} }`, { [name]: two });
        expect(stage.notes).not.toContain(`${one} disposed`);
        stage.open(one);
        expect((await slow).data).toEqual({ [`${name}Slow`]: one });
        await stage.untilNoted(`${one} disposed`);
        await stage.untilAnswers(`{ ${name} }`, { [name]: two });
        expect(count(`${one} disposed`)).toBe(1);
        expect(stage.notes).not.toContain(`${two} disposed`);
      });
    }

    test("a removed file: what is in flight finishes, and the plugin leaves the graph and the registry", async () => {
      await stage.save("leaving.ts", telling("leaving", "leaving"), isolation);
      await stage.untilAnswers("{ leaving }", { leaving: "leaving" });
      const slow = stage.ask("{ leavingSlow }");
      await stage.untilNoted("leaving begins");

      await stage.remove("leaving.ts");
      await stage.untilUnknown("leaving");
      expect(stage.notes).not.toContain("leaving disposed");
      stage.open("leaving");
      expect((await slow).data).toEqual({ leavingSlow: "leaving" });
      await stage.untilNoted("leaving disposed");
      await until(
        () => stage.registered("leaving"),
        ({ status }) => status === 404,
      );
      expect(await stage.view("leaving.ts")).toBeUndefined();
      expect(count("leaving disposed")).toBe(1);
    });

    test("what its context owns ends with the version: the signal, timers, what was deferred, the latest first", async () => {
      const owning = (text: string) => `
        name: "owner", typeDefs: "type Query { owner: String }", resolvers: { Query: { owner: () => "${text}" } },
        setup(context) {
          let ticks = 0;
          context.every(5, () => { ticks += 1; if (ticks === 3) return note("${text} ticked"); });
          context.after(5, () => note("${text} once"));
          context.after(5, () => note("${text} cancelled"))();
          context.every(5, () => note("${text} cancelled"))();
          context.after(3_600_000, () => note("${text} much later"));
          context.signal.addEventListener("abort", () => { ticks = 0; });
          context.defer(() => note("${text} first " + context.signal.aborted));
          context.defer(async () => { await note("${text} second"); throw new Error("on purpose"); });
          context.defer(() => note("${text} third " + (ticks === 0)));
        },
        dispose: (context) => note("${text} disposed " + context.signal.aborted),`;
      await stage.save("owner.ts", owning("o1"), isolation);
      await stage.untilNoted("o1 ticked", "o1 once");
      await stage.save("owner.ts", owning("o2"), isolation);
      await stage.untilNoted("o1 first true", "o2 ticked");
      const ofFirst = stage.notes.filter((each) => each.startsWith("o1 "));
      expect(ofFirst.slice(-4)).toEqual(["o1 disposed false", "o1 third true", "o1 second", "o1 first true"]);
      expect(ofFirst.slice(0, -4).toSorted()).toEqual(["o1 once", "o1 ticked"]);
      const after = stage.notes.length;
      await stage.save("owner.ts", owning("o3"), isolation);
      await stage.untilNoted("o2 first true", "o3 ticked");
      expect(stage.notes.slice(after).filter((each) => each.startsWith("o1 "))).toEqual([]);
    });

    test("a version whose setup threw leaves nothing running", async () => {
      await stage.save(
        "stillborn.ts",
        `name: "stillborn", typeDefs: "type Query { stillborn: Int }",
        setup(context) {
          context.every(5, () => note("stillborn ticked"));
          context.defer(() => note("stillborn cleaned up"));
          throw new Error("no licence");
        },`,
        isolation,
      );
      const view = await stage.untilView("stillborn.ts", ({ reason }) => reason !== null);
      expect(view).toMatchObject({
        reason: { step: "setup", message: expect.stringContaining("no licence") },
      });
      await stage.untilNoted("stillborn cleaned up");
      const ticks = count("stillborn ticked");
      await stage.save(
        "mark.ts",
        `name: "mark", typeDefs: "type Query { mark: Int }",
        setup(context) { let n = 0; context.every(5, () => { n += 1; if (n === 5) return note("marked"); }); },`,
        isolation,
      );
      await stage.untilNoted("marked");
      expect(count("stillborn ticked")).toBe(ticks);
    });

    test("bobbin's end disposes of every plugin once", async () => {
      await using other = await startStage({ binary: isolation !== "inline" });
      await other.save("last.ts", telling("last", "last"), isolation);
      await other.untilAnswers("{ last }", { last: "last" });
      await other.endApp();
      expect(other.notes).toEqual(["last disposed"]);
    });
  });
}

test("a setup that hangs and is given up leaves nothing running, inline too", async () => {
  await using stage = await startStage();
  const hanging = `name: "hung", typeDefs: "type Query { hung: Int }",
    async setup(context) { context.every(5, () => note("ticks")); context.defer(() => note("cleaned up")); await gate("never"); },`;
  await stage.save("hung.ts", hanging, "inline");
  await stage.untilNoted("ticks");
  await stage.save("hung.ts", `name: "hung", typeDefs: "type Query { hung: Int }",`, "inline");
  await stage.untilNoted("cleaned up");
});

test("whoever is disabled has nothing running, though a newer version waits for its place in the graph", async () => {
  await using stage = await startStage();
  await stage.save("owner.ts", telling("owner", "owner"));
  await stage.save("late.ts", telling("late", "old"));
  await stage.untilAnswers("{ owner late }", { owner: "owner", late: "old" });
  await stage.save(
    "late.ts",
    `name: "late", typeDefs: "type Query { owner: Int }", dispose: () => note("new disposed"),`,
  );
  expect((await stage.action("late", "reload")).body).toMatchObject({ code: "ROOT_FIELD_TAKEN" });
  expect((await stage.action("late", "disable")).status).toBe(200);
  await stage.untilNoted("new disposed", "old disposed");
});
