/**
 * The gateway side by side with what it is to be measured by: a naive gateway of the usual libraries, and code written
 * by hand for the very questions. All ask the same services, have processor 1 for themselves where there is `taskset`,
 * and take turns; the load and the services have processor 0. Every answer is compared with the right one before the
 * load. Prints tables and throws where an answer is wrong. `bun test/bench/gateway.ts` runs this alone, in a minute.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { execute, parse } from "graphql";
import { startBinary, tempFolder } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";
import type { Load, Outcome } from "./gateway/load.ts";
import {
  PLUGIN,
  PLUGIN_QUESTIONS,
  QUESTIONS,
  type Question,
  ROOT,
  type Urls,
  VARIANTS,
  WHOLE,
} from "./gateway/market.ts";

const ROUNDS = 3;
const ROUND_MS = 700;
const WARM_UP_MS = 700;
const CONNECTIONS = 50;

/** Both are needed to give the gateways a processor of their own. */
const PINS = Bun.which("taskset") !== null && availableParallelism() > 1;
/** Of the kernel's clock, in which it counts what processes take. */
const TICK_MICROS = 10_000;

interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

interface Figures {
  readonly perSecond: number;
  /** All threads of the gateway; NaN where the system does not say. */
  readonly cpuMicros: number;
}

type Row = Map<string, Figures>;

/** A process of this folder that says something first; `stack` ends it. */
async function start<T>(stack: AsyncDisposableStack, program: string, processor: number, ...args: string[]) {
  const { promise: said, resolve } = Promise.withResolvers<T>();
  const path = join(import.meta.dir, "gateway", program);
  const child = Bun.spawn([process.execPath, path, ...args], {
    env: { ...process.env, NODE_ENV: "production" },
    ipc: resolve,
  });
  stack.defer(() => child.kill());
  pin(child.pid, processor);
  return { child, said: await said };
}

function pin(pid: number, processor: number): void {
  if (PINS) Bun.spawnSync(["taskset", "-a", "-c", "-p", String(processor), String(pid)]);
}

async function startBobbin(stack: AsyncDisposableStack, urls: Urls): Promise<Gateway> {
  const folder = stack.use(await tempFolder());
  await writeFiles(folder.path, { "plugins/luck.ts": PLUGIN });
  const bobbin = stack.use(await startBinary({ folder: folder.path, env: { NODE_ENV: "production" } }));
  for (const [serviceName, url] of Object.entries(urls)) {
    const metadata = { endpoints: { graphql: "/graphql" }, healthCheck: { interval: 3600 } };
    await post(`${bobbin.urls.registry}/register`, { serviceName, url: new URL(url).origin, metadata });
  }
  for (const { query, variables } of [...Object.values(QUESTIONS), ...PLUGIN_QUESTIONS]) {
    await until(
      () => graphql(bobbin.urls.gateway, query, variables(0)),
      ({ errors }) => errors === undefined,
    );
  }
  pin(bobbin.process.pid, 1);
  return { name: "bobbin", port: Number(new URL(bobbin.urls.gateway).port), pid: bobbin.process.pid };
}

async function startRival(
  stack: AsyncDisposableStack,
  name: string,
  program: string,
  urls: Urls,
): Promise<Gateway> {
  const { child, said: port } = await start<number>(stack, program, 1, JSON.stringify(urls));
  return { name, port, pid: child.pid };
}

/** The requests of a question, each with the length of its answer. Throws where an answer is not the right one. */
async function checkedRequests({ name, port }: Gateway, question: Question): Promise<Load["requests"]> {
  const document = parse(question.query);
  const requests: { body: string; answerBytes: number }[] = [];
  for (let variant = 0; variant < VARIANTS; variant++) {
    const variableValues = question.variables(variant);
    const body = JSON.stringify({ query: question.query, variables: variableValues });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body,
    });
    const answer = await response.text();
    const expected = await execute({ schema: WHOLE, document, variableValues, rootValue: ROOT });
    if (!isDeepStrictEqual(JSON.parse(answer), JSON.parse(JSON.stringify(expected))))
      throw new Error(`${name} answers wrongly: ${question.shape}, ${body}: ${answer.slice(0, 500)}`);
    requests.push({ body, answerBytes: Buffer.byteLength(answer) });
  }
  return requests;
}

/** What the process has taken so far; NaN where the system does not say. */
async function cpuMicros({ pid }: Gateway): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The program's name may hold anything, but what follows its bracket are numbers.
  const fields = text.replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

type PutLoad = (load: Load) => Promise<Outcome>;

async function startLoad(stack: AsyncDisposableStack): Promise<PutLoad> {
  let resolve: (outcome: Outcome) => void = () => {};
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "gateway/load.ts")], {
    ipc: (outcome: Outcome) => resolve(outcome),
  });
  stack.defer(() => child.kill());
  pin(child.pid, 0);
  return (load) =>
    new Promise((done) => {
      resolve = done;
      child.send(load);
    });
}

/** Every gateway's figures for a question, the gateways by turns. */
async function measure(gateways: readonly Gateway[], question: Question, put: PutLoad): Promise<Row> {
  const rounds = new Map(gateways.map((gateway) => [gateway, [] as Figures[]]));
  const requests = new Map<Gateway, Load["requests"]>();
  for (const gateway of gateways) requests.set(gateway, await checkedRequests(gateway, question));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const gateway of gateways) {
      const { port, name } = gateway;
      const ms = round === 0 ? WARM_UP_MS : ROUND_MS;
      const before = await cpuMicros(gateway);
      const outcome = await put({
        port,
        requests: requests.get(gateway) ?? [],
        connections: CONNECTIONS,
        ms,
      });
      const taken = (await cpuMicros(gateway)) - before;
      const { answers, wrong } = outcome;
      if (wrong > 0) throw new Error(`${name} answers wrongly under load: ${question.shape}, ${wrong} times`);
      if (round > 0)
        rounds.get(gateway)?.push({ perSecond: (answers * 1_000) / outcome.ms, cpuMicros: taken / answers });
    }
  }
  return new Map([...rounds].map(([{ name }, figures]) => [name, medians(figures)]));
}

function medians(rounds: readonly Figures[]): Figures {
  const median = (figure: keyof Figures) =>
    rounds.map((round) => round[figure]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] as number;
  return { perSecond: median("perSecond"), cpuMicros: median("cpuMicros") };
}

function print(rows: ReadonlyMap<string, Row>): void {
  const table = (title: string, cells: (row: Row) => (number | undefined)[], digits: number) => {
    console.log(`${title.padEnd(32)}   bobbin    naive    limit   to naive  to limit`);
    for (const [shape, row] of rows) {
      const [bobbin, naive, limit] = cells(row);
      const figures = [bobbin, naive, limit].map((n) => (n?.toFixed(digits) ?? "").padStart(8)).join(" ");
      const ratio = (to: number | undefined) => (bobbin && to ? (bobbin / to).toFixed(2) : "").padStart(9);
      console.log(`${shape.padEnd(32)} ${figures} ${ratio(naive)} ${ratio(limit)}`);
    }
  };
  const of = (figure: keyof Figures) => (row: Row) =>
    ["bobbin", "naive", "limit"].map((name) => row.get(name)?.[figure]);
  table("Requests a second", of("perSecond"), 0);
  table("CPU per request (µs)", of("cpuMicros"), 1);
}

export async function gateway(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { said: urls } = await start<Urls>(stack, "services.ts", 0);
  const bobbin = await startBobbin(stack, urls);
  const naive = await startRival(stack, "naive", "naive.ts", urls);
  const limit = await startRival(stack, "limit", "limit.ts", urls);
  const put = await startLoad(stack);
  const rows = new Map<string, Row>();
  for (const question of Object.values(QUESTIONS))
    rows.set(question.shape, await measure([bobbin, naive, limit], question, put));
  for (const question of PLUGIN_QUESTIONS) rows.set(question.shape, await measure([bobbin], question, put));
  console.log(`The gateway by ${CONNECTIONS} connections${PINS ? "" : ", not pinned to processors"}`);
  print(rows);
}

if (import.meta.main) await gateway();
