/** What a process holds: memory, open files, threads, and the processor time that it takes. Of Linux. */
import { readdir, readFile } from "node:fs/promises";

export interface Vitals {
  readonly residentMb: number;
  readonly heapMb: number;
  readonly files: number;
  readonly threads: number;
  /** Since its start. */
  readonly cpuMs: number;
}

const MS_PER_TICK = 10;

/** `metricsUrl`: where the process says how large its heap is. */
export async function vitalsOf(pid: number, metricsUrl: string): Promise<Vitals> {
  const [status, stat, files, metrics] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readFile(`/proc/${pid}/stat`, "utf8"),
    readdir(`/proc/${pid}/fd`),
    fetch(metricsUrl).then((response) => response.text()),
  ]);
  const number = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
  return {
    residentMb: number(/VmRSS:\s+(\d+)/, status) / 1024,
    heapMb: number(/^bobbin_heap_bytes (\S+)/m, metrics) / 1e6,
    files: files.length,
    threads: number(/Threads:\s+(\d+)/, status),
    cpuMs: (user + system) * MS_PER_TICK,
  };
}
