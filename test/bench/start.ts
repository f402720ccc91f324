/**
 * How long from starting the compiled binary until it says that it is ready, and what it keeps in memory when idle.
 */
import { startBinary } from "../support/app.ts";

const ROUNDS = 15;

export async function startAndMemory(): Promise<void> {
  const times: number[] = [];
  let residentKb = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await using bobbin = await startBinary();
    times.push(performance.now() - started);
    await Bun.sleep(500);
    const status = await Bun.file(`/proc/${bobbin.process.pid}/status`).text();
    residentKb = Math.max(residentKb, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }
  times.sort((a, b) => a - b);
  console.log("Start to ready (ms), and memory when idle (MB)");
  console.log("  median       max   memory");
  const [median = 0, max = 0] = [times[Math.floor(ROUNDS / 2)], times.at(-1)];
  console.log(
    `${median.toFixed(0).padStart(8)}  ${max.toFixed(0).padStart(8)}  ${(residentKb / 1024).toFixed(0).padStart(7)}`,
  );
}
