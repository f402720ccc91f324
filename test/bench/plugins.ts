/**
 * What plugins cost: how long from saving one until the gateway answers with what was saved, and what a call of a
 * resolver costs in a thread, in a process and without a hop. Against the compiled binary. Prints tables.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Isolation } from "../../src/plugins/define-plugin.ts";
import type { Generation } from "../../src/plugins/generation.ts";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";
import { startService } from "../support/service.ts";
import { startGeneration } from "./plugin-hop.ts";
import { type PluginText, pluginOf200Lines } from "./plugin-source.ts";

const SERVICES = 20;
const WARM_UP_SAVES = 10;
const SAVES = 60;
/** People save with seconds between. */
const PAUSE_MS = 500;
const WARM_UP_CALLS = 500;
const CALLS = 3_000;
const IN_FLIGHT = 50;
const CALLS_UNDER_LOAD = 10_000;
const ISOLATIONS: readonly Isolation[] = ["inline", "worker", "process"];

/** The times in ascending order, and what is read off them. */
function quantiles(times: readonly number[]): (q: number) => number {
  const sorted = [...times].sort((a, b) => a - b);
  return (q) => sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}

const cell = (value: number, digits = 1): string => value.toFixed(digits).padStart(9);

/** A graph of a number of remote services, and the plugins of the folder. */
async function withServices(folder: string): Promise<RunningBinary & { end(): Promise<void> }> {
  const stack = new AsyncDisposableStack();
  const bobbin = stack.use(await startBinary({ folder }));
  const { gateway, registry } = bobbin.urls;
  for (let i = 0; i < SERVICES; i += 1) {
    const name = `present${i}`;
    const service = await startService({
      typeDefs: `
        type Query { ${name}: ${name}_Item ${name}_list(first: Int): [${name}_Item!] }
        type ${name}_Item { id: ID! title: String price: Float tags: [String!] related: [${name}_Item!] }`,
      resolvers: { Query: { [name]: () => ({ id: "1", title: name }) } },
    });
    stack.use(service);
    const metadata = { endpoints: { graphql: "/graphql" } };
    await post(`${registry}/register`, { serviceName: name, url: service.url, metadata });
    await until(
      () => graphql(gateway, `{ ${name} { id } }`),
      ({ data }) => data?.[name]?.id === "1",
    );
  }
  return { ...bobbin, end: () => stack.disposeAsync() };
}

/** As editors save: the whole text beside the file, then in its place. */
async function save(folder: string, text: PluginText): Promise<void> {
  const beside = join(folder, `.${text.name}.ts.new`);
  await Bun.write(beside, pluginOf200Lines(text));
  await rename(beside, join(folder, `${text.name}.ts`));
}

/** Milliseconds from just before each save until the gateway answers with what was saved, one request at a time. */
async function timesToVisible(isolation: Isolation, changesSchema: boolean): Promise<number[]> {
  await using folder = await tempFolder();
  const plugins = join(folder.path, "plugins");
  const textOf = (round: number): PluginText => ({
    name: "saved",
    isolation,
    field: changesSchema ? `round${round}` : "saved",
    value: round,
  });
  await writeFiles(plugins, { "saved.ts": pluginOf200Lines(textOf(0)) });
  const bobbin = await withServices(folder.path);
  const times: number[] = [];
  try {
    for (let round = 1; round <= WARM_UP_SAVES + SAVES; round += 1) {
      await Bun.sleep(PAUSE_MS);
      const text = textOf(round);
      const { field } = text;
      const startedAt = performance.now();
      await save(plugins, text);
      for (;;) {
        const { data } = await graphql(bobbin.urls.gateway, `{ ${field} }`);
        if (data?.[field] === round) break;
      }
      times.push(performance.now() - startedAt);
    }
  } finally {
    await bobbin.end();
  }
  return times.slice(WARM_UP_SAVES);
}

async function saves(): Promise<void> {
  console.log(
    `From a save to its being visible in the graph, a plugin of 200 lines, ${SERVICES} services (ms)`,
  );
  console.log("                          median       p90       p99       max");
  for (const [isolation, changesSchema] of [
    ["worker", true],
    ["worker", false],
    ["inline", true],
    ["inline", false],
    ["process", true],
    ["process", false],
  ] as const) {
    const at = quantiles(await timesToVisible(isolation, changesSchema));
    const what = `${isolation}, ${changesSchema ? "schema" : "code only"}`.padEnd(22);
    console.log(`${what}${[0.5, 0.9, 0.99, 1].map((q) => cell(at(q))).join(" ")}`);
  }
}

/** Microseconds per query of one field through the gateway's door, the isolations by turns. */
async function calls(): Promise<void> {
  await using folder = await tempFolder();
  const files = ISOLATIONS.map((isolation) => [
    `plugins/${isolation}.ts`,
    pluginOf200Lines({ name: isolation, isolation, field: `${isolation}Field`, value: 1 }),
  ]);
  await writeFiles(folder.path, Object.fromEntries(files));
  const bobbin = await withServices(folder.path);
  const { gateway } = bobbin.urls;
  const ask = async (isolation: Isolation) => {
    const { data } = await graphql(gateway, `{ ${isolation}Field }`);
    if (data?.[`${isolation}Field`] !== 1) throw new Error(`${isolation} answered ${JSON.stringify(data)}`);
  };
  const perSecond = new Map<Isolation, number>();
  let times = new Map<Isolation, readonly number[]>();
  try {
    times = await byTurns(ask);
    for (const isolation of ISOLATIONS) perSecond.set(isolation, await underLoad(() => ask(isolation)));
  } finally {
    await bobbin.end();
  }
  console.log("A query of one plugin field through the gateway: one at a time (µs), and 50 in flight");
  printCalls(times, perSecond);
}

/** The same without the gateway and HTTP. */
async function hops(): Promise<void> {
  const generations = new Map<Isolation, Generation>();
  for (const isolation of ISOLATIONS) generations.set(isolation, await startGeneration(isolation));
  const times = await byTurns(async (isolation) => {
    const answer = await generations.get(isolation)?.execute({ query: "{ asked }", headers: {}, hops: 0 });
    if (answer?.data?.asked !== 1) throw new Error(`${isolation} answered ${JSON.stringify(answer)}`);
  });
  for (const generation of generations.values()) generation.end();
  console.log("The call alone, without the gateway, one at a time (µs)");
  printCalls(times);
  const bare = quantiles(await bareMessages());
  console.log(
    `bare      ${cell(bare(0.5), 0)} ${cell(bare(0.99), 0)}   a text to a thread and back: the limit`,
  );
}

/** Microseconds of a text to a thread that does nothing but send it back. */
async function bareMessages(): Promise<number[]> {
  const code = "self.onmessage = ({ data }) => postMessage(data);";
  const echo = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const times: number[] = [];
  for (let i = 0; i < WARM_UP_CALLS + CALLS; i += 1) {
    const startedAt = performance.now();
    await new Promise((resolve) => {
      echo.onmessage = resolve;
      echo.postMessage('{"kind":"call"}');
    });
    if (i >= WARM_UP_CALLS) times.push((performance.now() - startedAt) * 1000);
  }
  echo.terminate();
  return times;
}

/** Microseconds of each call, one after the other. */
async function byTurns(
  call: (isolation: Isolation) => Promise<void>,
): Promise<Map<Isolation, readonly number[]>> {
  const times = new Map(ISOLATIONS.map((isolation) => [isolation, [] as number[]]));
  for (let i = 0; i < WARM_UP_CALLS + CALLS; i += 1) {
    for (const [isolation, taken] of times) {
      const startedAt = performance.now();
      await call(isolation);
      if (i >= WARM_UP_CALLS) taken.push((performance.now() - startedAt) * 1000);
    }
  }
  return times;
}

function printCalls(
  times: ReadonlyMap<Isolation, readonly number[]>,
  perSecond?: ReadonlyMap<Isolation, number>,
): void {
  console.log(`             median       p99  over inline${perSecond ? "  requests/s" : ""}`);
  const inlineMedian = quantiles(times.get("inline") ?? [])(0.5);
  for (const [isolation, taken] of times) {
    const at = quantiles(taken);
    const rate = perSecond?.get(isolation)?.toFixed(0).padStart(12) ?? "";
    const over = cell(at(0.5) - inlineMedian, 0).padStart(13);
    console.log(`${isolation.padEnd(9)} ${cell(at(0.5), 0)} ${cell(at(0.99), 0)}${over}${rate}`);
  }
}

async function underLoad(ask: () => Promise<void>): Promise<number> {
  let left = CALLS_UNDER_LOAD;
  const startedAt = performance.now();
  const client = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  return (CALLS_UNDER_LOAD / (performance.now() - startedAt)) * 1000;
}

export async function plugins(): Promise<void> {
  await saves();
  console.log();
  await calls();
  console.log();
  await hops();
}

if (import.meta.main) await plugins();
