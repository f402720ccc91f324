/**
 * `npm run soak -- --minutes 60`: the compiled binary under mixed, moderate load. Each minute a row says what was asked
 * and what the process holds. At the end it is judged: a failure that nothing explains, or memory, open files or
 * threads that grow, make it exit with 1.
 */
import { parseArgs } from "node:util";
import { keepDoing } from "./activity.ts";
import { badInput } from "./bad-input.ts";
import { changes } from "./changes.ts";
import { Client } from "./client.ts";
import { LEAST_MINUTES, type Minute, median, verdicts } from "./flatness.ts";
import { fillCaches, questions } from "./questions.ts";
import { Restarts } from "./restarts.ts";
import { type Stage, setStage } from "./stage.ts";
import { streams } from "./streams.ts";
import { Tally } from "./tally.ts";
import { type Vitals, vitalsOf } from "./vitals.ts";

const SAMPLES_A_MINUTE = 12;
const MINUTE_MS = 60_000;
const COLUMNS = [
  "minute",
  "requests",
  "failures",
  "p99 ms",
  "RSS MB",
  "heap MB",
  "files",
  "threads",
  "CPU %",
];

const cells = (values: readonly (string | number)[]) =>
  values.map((value) => String(value).padStart(9)).join("");

/** The middle of the minute's samples; of the heap the least, which is what a collection left. */
function minuteOf(samples: readonly Vitals[]): Minute {
  const middle = (what: "residentMb" | "files" | "threads") => median(samples.map((sample) => sample[what]));
  return {
    residentMb: middle("residentMb"),
    heapMb: Math.min(...samples.map(({ heapMb }) => heapMb)),
    files: middle("files"),
    threads: middle("threads"),
  };
}

/** What the services keep of requests is theirs, and would grow here. */
function forget({ services, tickers }: Stage): void {
  for (const { requests } of Object.values(services)) requests.length = 0;
  for (const { attempts } of Object.values(tickers)) attempts.length = 0;
}

async function watch(stage: Stage, tally: Tally, count: number): Promise<Minute[]> {
  const { pid } = stage.bobbin.process;
  const sample = () => vitalsOf(pid, `${stage.bobbin.urls.gateway}/metrics`);
  const minutes: Minute[] = [];
  let last = await sample();
  console.log(cells(COLUMNS));
  for (let number = 1; number <= count; number++) {
    const before = last;
    const samples: Vitals[] = [];
    for (let i = 0; i < SAMPLES_A_MINUTE; i++) {
      await Bun.sleep(MINUTE_MS / SAMPLES_A_MINUTE);
      last = await sample();
      samples.push(last);
    }
    const minute = minuteOf(samples);
    minutes.push(minute);
    forget(stage);
    const { requests, failures, p99Ms } = tally.take();
    const cpu = ((last.cpuMs - before.cpuMs) / MINUTE_MS) * 100;
    const { residentMb, heapMb, files, threads } = minute;
    const numbers = [p99Ms, residentMb, heapMb].map((value) => value.toFixed(1));
    console.log(cells([number, requests, failures, ...numbers, files, threads, cpu.toFixed(0)]));
  }
  return minutes;
}

function judge(minutes: readonly Minute[], tally: Tally): boolean {
  const { requests, failures } = tally.total;
  console.log(`\n${requests} requests, ${failures} failures`);
  for (const [message, times] of tally.messages) console.log(`${String(times).padStart(6)} × ${message}`);
  if (minutes.length < LEAST_MINUTES) console.log(`memory is judged from ${LEAST_MINUTES} minutes on`);
  const judged = verdicts(minutes);
  for (const { what, level, growth, bound, isFlat } of judged) {
    const [at, grew, most] = [level, growth, bound].map((value) => value.toFixed(1));
    console.log(
      `${isFlat ? "flat " : "GROWS"} ${what}: at ${at}, grew by ${grew} in the last two thirds (bound ${most})`,
    );
  }
  return failures === 0 && judged.every(({ isFlat }) => isFlat);
}

const { minutes: given } = parseArgs({ options: { minutes: { type: "string", default: "60" } } }).values;
const minutes = Number(given);
if (!(minutes >= 1)) throw new Error(`--minutes ${given}: a number from 1 on`);
const tally = new Tally();
const client = new Client(tally);
const over = new AbortController();
await using stage = await setStage();
await fillCaches(stage, client);
forget(stage);
tally.take();
const restarts = new Restarts(stage);
const activities = [
  ...questions(stage, client, restarts),
  ...changes(stage, client, restarts),
  ...streams(stage, tally),
  ...badInput(stage, client),
  restarts.activity,
].map((activity) => keepDoing(activity, tally, over.signal));
const watched = await watch(stage, tally, minutes);
over.abort();
await Promise.all(activities);
process.exitCode = judge(watched, tally) ? 0 : 1;
