/**
 * Several processes under load: schemas change, and workers are killed. No question fails but those that were on a
 * connection of a killed process, and each of these is answered when it is asked again. 3 rounds; TEST_FULL: 12.
 * And one that hangs holds nothing up; TEST_FULL: it is replaced.
 */
import { expect, test } from "bun:test";
import { register, saying, serviceLine } from "../gateway/graph.ts";
import { startBinary } from "../support/app.ts";
import { until } from "../support/client.ts";
import { askEach, children, connectionTo } from "../support/processes.ts";
import { startService } from "../support/service.ts";

const ROUNDS = process.env.TEST_FULL ? 12 : 3;
const WORKERS = 3;
const DRIVERS = 6;

test(`${ROUNDS} kills and schema changes fail no question that is asked again`, async () => {
  await using bobbin = await startBinary({ args: ["--workers", String(WORKERS)] });
  const { gateway } = bobbin.urls;
  await using steady = await startService(saying("steady", "yes"));
  await using changing = await startService(saying("changing", "0"));
  await register(bobbin, "steady", steady);
  await register(bobbin, "changing", changing);
  for (const name of ["steady", "changing"]) {
    await until(
      () => serviceLine(bobbin, name),
      (line) => line?.composition === "COMPOSED",
    );
  }
  const ask = async () => {
    const response = await fetch(`${gateway}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"{ steady changing }"}',
    });
    return {
      worker: response.headers.get("x-bobbin-worker"),
      answer: (await response.json()) as { data?: unknown },
    };
  };
  let running = true;
  const seen = new Map<string | null, number>();
  const wrong: unknown[] = [];
  let cutOff = 0;
  const drive = async () => {
    while (running) {
      const { worker, answer } = await ask().catch(() => {
        cutOff += 1;
        // While the killed process ends, the kernel may still give it connections.
        return until(
          () => ask().catch(() => undefined),
          (again) => again !== undefined,
        ) as ReturnType<typeof ask>;
      });
      seen.set(worker, (seen.get(worker) ?? 0) + 1);
      if (JSON.stringify(answer) !== '{"data":{"steady":"yes","changing":"0"}}') wrong.push(answer);
    }
  };
  const drivers = Array.from({ length: DRIVERS }, drive);
  for (let round = 1; round <= ROUNDS; round++) {
    changing.change({
      typeDefs: `type Query { changing: String only${round}: Int }`,
      resolvers: { Query: { changing: () => "0" } },
    });
    await register(bobbin, "changing", changing);
    const before = await children(bobbin);
    const victim = before[round % before.length] as number;
    process.kill(victim, "SIGKILL");
    await until(
      () => children(bobbin),
      (now) => now.length === WORKERS - 1 && !now.includes(victim),
      60_000,
    );
  }
  running = false;
  await Promise.all(drivers);
  console.log(
    `${[...seen.values()].reduce((a, b) => a + b)} answers of ${seen.size} processes, ${cutOff} cut off`,
  );
  expect(wrong).toEqual([]);
  expect(cutOff).toBeLessThanOrEqual(ROUNDS * DRIVERS);
}, 1_200_000);

test("a worker that hangs is waited for once, and follows when it goes on", async () => {
  await using bobbin = await startBinary({ args: ["--workers", "2"] });
  const { gateway } = bobbin.urls;
  using writer = await connectionTo(1, gateway);
  const [worker] = (await children(bobbin)) as [number];
  process.kill(worker, "SIGSTOP");
  const names = ["one", "two", "three", "four", "five"];
  await using stack = new AsyncDisposableStack();
  const took: number[] = [];
  for (const name of names) {
    const service = stack.use(await startService(saying(name, "yes")));
    const startedAt = performance.now();
    await register(bobbin, name, service);
    await until(
      () => writer.ask(`{ ${name} }`),
      ({ answer }) => Bun.deepEquals(answer, { data: { [name]: "yes" } }),
    );
    took.push(performance.now() - startedAt);
  }
  const [first = 0, ...further] = took;
  expect(further.reduce((a, b) => a + b)).toBeLessThan((further.length * first) / 2);
  process.kill(worker, "SIGCONT");
  const all = { data: Object.fromEntries(names.map((name) => [name, "yes"])) };
  await until(
    () => askEach(2, gateway, `{ ${names.join(" ")} }`),
    (answers) => answers.every((answer) => Bun.deepEquals(answer, all)),
  );
}, 120_000);

test.skipIf(!process.env.TEST_FULL)(
  "a worker that hangs is replaced, though nothing changes",
  async () => {
    await using bobbin = await startBinary({ args: ["--workers", "2"] });
    const [worker] = (await children(bobbin)) as [number];
    process.kill(worker, "SIGSTOP");
    await until(
      () => bobbin.lines.find(({ msg }) => msg === "a gateway worker ended; it is started again"),
      (line) => line?.pid === worker,
      60_000,
    );
    await until(
      () => children(bobbin),
      (now) => now.length === 1 && !now.includes(worker),
    );
  },
  120_000,
);
