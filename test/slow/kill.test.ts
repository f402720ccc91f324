/**
 * Registrations that were answered outlive `kill -9`: the binary is killed at random moments during a stream of
 * registrations over both doors, started again on the same folder, and asked for everything that it ever answered.
 * 5 kills, or 50 with TEST_FULL set; KILL_SEED repeats a run's moments.
 */
import { expect, test } from "bun:test";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";

const KILLS = process.env.TEST_FULL ? 50 : 5;
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 31);
const AT_ONCE = 16;
/** A kill comes within this time after the first registration is sent. */
const LONGEST_MS = 400;

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Registers one service after another until the process is gone; notes what was answered. */
async function registerUntilGone(
  { urls }: RunningBinary,
  nextName: () => string,
  answered: Map<string, string>,
): Promise<void> {
  for (;;) {
    const name = nextName();
    const url = `http://127.0.0.1:9/${name}`;
    try {
      if (name.startsWith("rest")) {
        const { status } = await post(`${urls.registry}/register`, { serviceName: name, url });
        if (status !== 201) throw new Error(`${name} was answered with ${status}`);
      } else {
        const { data, errors } = await graphql(
          urls.core,
          `mutation { registerService(input: { name: "${name}", url: "${url}" }) { name } }`,
        );
        if (data?.registerService?.name !== name) throw new Error(`${name}: ${JSON.stringify(errors)}`);
      }
    } catch (error) {
      // The connection broke: whether this one was written is nobody's promise.
      if (error instanceof Error && "code" in error) return;
      throw error;
    }
    answered.set(name, url);
  }
}

test(`${KILLS} kills at random moments lose no registration that was answered`, async () => {
  console.log(`KILL_SEED=${SEED}`);
  const random = randomFrom(SEED);
  await using folder = await tempFolder();
  const answered = new Map<string, string>();
  let count = 0;
  const nextName = () => `${count++ % 2 === 0 ? "rest" : "graph"}-${count}`;

  for (let kill = 1; kill <= KILLS; kill++) {
    await using bobbin = await startBinary({ folder: folder.path });
    const clients = Array.from({ length: AT_ONCE }, () => registerUntilGone(bobbin, nextName, answered));
    await Bun.sleep(random() * LONGEST_MS);
    bobbin.process.kill("SIGKILL");
    await Promise.all(clients);
    await bobbin.process.exited;

    await using again = await startBinary({ folder: folder.path });
    const { body } = await get(`${again.urls.registry}/services`);
    const found = new Map(
      body.services.map(({ serviceName, url }: Record<string, string>) => [serviceName, url]),
    );
    const lost = [...answered].filter(([name, url]) => found.get(name) !== url);
    expect({ kill, lost }).toEqual({ kill, lost: [] });
    expect((await get(`${again.urls.registry}/health`)).body.database).toBe("ok");
  }
  expect(answered.size).toBeGreaterThan(KILLS);
  console.log(`${answered.size} answered registrations survived ${KILLS} kills`);
});
