/**
 * `npm run profile`: starts dist/bobbin and writes down which functions it uses until it is idle. A binary that is built
 * with that has their bytecode in one place, so that a start has fewer of its pages in memory. The profile is kept,
 * rather than made with each build, so that what is built depends on nothing but the sources; functions are in it by a
 * hash of their syntax, so that it stays good while the code changes.
 * Knows how the binary is started; not how it is built.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { START_PROFILE } from "./compile.ts";

const BINARY = resolve("dist/bobbin");
const DEADLINE_MS = 30_000;
/** From being ready until nothing is left to do: the first probes, and saving what was composed. */
const UNTIL_IDLE_MS = 1_000;
/** Without those of functions, which are the lines that matter, it is fifteen times as long. */
const OF_FUNCTIONS = /^(v\d|F )/;

const folder = await mkdtemp(join(tmpdir(), "bobbin-start-"));
try {
  const recorded = join(folder, "start.order");
  await start(recorded);
  const lines = (await Bun.file(recorded).text()).split("\n").filter((line) => OF_FUNCTIONS.test(line));
  await Bun.write(START_PROFILE, lines.map((line) => `${line}\n`).join(""));
  console.log(`${START_PROFILE}: ${lines.length - 1} functions`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** In an empty folder, until it is idle. The profile is written when it ends. Throws what it said where it does not start. */
async function start(profile: string): Promise<void> {
  const ports = ["--gateway-port", "0", "--core-port", "0", "--registry-port", "0"];
  const bobbin = Bun.spawn([BINARY, ...ports], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", LOG_FORMAT: "json", BUN_BYTECODE_ORDER_OUT: profile },
    stdout: "pipe",
    stderr: "inherit",
    timeout: DEADLINE_MS,
  });
  let said = "";
  let isReady = false;
  for await (const text of bobbin.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (isReady || !said.includes('"msg":"ready"')) continue;
    isReady = true;
    await Bun.sleep(UNTIL_IDLE_MS);
    bobbin.kill("SIGTERM");
  }
  if ((await bobbin.exited) !== 0) throw new Error(`${BINARY} does not start:\n${said}`);
}
