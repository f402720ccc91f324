/** When a plugin that crashes is restarted, and when no more. Time is moved by hand. */
import { expect, test } from "bun:test";
import { Crashes } from "../../src/plugins/crashes.ts";
import { startApp, type TestApp, tempFolder } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { writeFiles } from "../support/files.ts";
import { BYSTANDER, faultySource } from "./broken-plugins.ts";

const NAME = "throw-later";
const MINUTE_MS = 60_000;

/** A plugin that crashes when it is asked to, and the clock that decides when it comes back. */
async function withCrashing(use: (crashing: Crashing) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await writeFiles(`${folder.path}/plugins`, {
    "bystander.ts": BYSTANDER,
    [`${NAME}.ts`]: await faultySource(NAME, "worker"),
  });
  const clock = new FakeClock();
  await using app = await startApp({ folder: folder.path, clock, config: { pluginsWatch: "off" } });
  await use(new Crashing(app, clock));
}

class Crashing {
  readonly #app: TestApp;
  readonly clock: FakeClock;

  constructor(app: TestApp, clock: FakeClock) {
    this.#app = app;
    this.clock = clock;
  }

  async service() {
    return (await get(`${this.#app.urls.registry}/services/${NAME}`)).body;
  }

  async isUp(): Promise<boolean> {
    const { data } = await graphql(this.#app.urls.gateway, "{ throwLaterIsUp }");
    return data?.throwLaterIsUp === true;
  }

  /** Waits for what real threads do while the clock stands still. */
  async until(isIt: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 20_000;
    while (!(await isIt())) {
      if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(await this.service())}`);
      await this.clock.advance(0);
    }
  }

  /** Gives a restart that has begun the time to come to its end: another plugin is loaded twice meanwhile. */
  async settle(): Promise<void> {
    for (let n = 0; n < 2; n += 1) {
      const { status } = await post(`${this.#app.urls.gateway}/plugins/bystander/reload`, {});
      expect(status).toBe(200);
    }
  }

  async crash(): Promise<void> {
    await this.until(() => this.isUp());
    expect((await graphql(this.#app.urls.gateway, "{ throwLater }")).errors).toMatchObject([
      { extensions: { code: "SERVICE_UNAVAILABLE" } },
    ]);
    await this.until(async () => (await this.service()).status === "ERROR");
  }
}

test("the first restart comes after 100 ms, the second after a second, and no third", async () => {
  await withCrashing(async (plugin) => {
    for (const pauseMs of [100, 1_000]) {
      await plugin.crash();
      await plugin.clock.advance(pauseMs - 1);
      await plugin.settle();
      expect(await plugin.service()).toMatchObject({ status: "ERROR" });
      await plugin.clock.advance(1);
      await plugin.until(async () => (await plugin.service()).status === "ACTIVE");
    }
    await plugin.crash();
    await plugin.until(async () => /stopped after 3 crashes/.test((await plugin.service()).statusReason));
    await plugin.clock.advance(20_000);
    await plugin.settle();
    expect(await plugin.service()).toMatchObject({ status: "ERROR" });
    expect(await plugin.isUp()).toBe(false);
  });
});

test("why it was stopped is said as long as it is", async () => {
  await withCrashing(async (plugin) => {
    for (const pauseMs of [100, 1_000, 0]) {
      await plugin.crash();
      await plugin.clock.advance(pauseMs);
    }
    await plugin.until(async () => /stopped after 3 crashes/.test((await plugin.service()).statusReason));
    await plugin.clock.advance(MINUTE_MS);
    expect((await plugin.service()).statusReason).toContain("stopped after 3 crashes");
  });
});

test("crashes that are more than five minutes ago do not count", async () => {
  const clock = new FakeClock();
  const crashes = new Crashes(clock);
  const pauses: (number | undefined)[] = [];
  for (const minutes of [0, 2, 4, 2.5, 0.1, 5.1]) {
    await clock.advance(minutes * MINUTE_MS);
    pauses.push(crashes.add());
  }
  expect(pauses).toEqual([100, 1_000, 1_000, 1_000, undefined, 100]);
});
