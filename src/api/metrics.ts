/**
 * What is counted, and what the process holds, in the text format that Prometheus reads. Knows counts; nothing of what
 * they are of.
 */
import type { RoadCounts } from "../gateway/quick/quick-road.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels are of closed sets. */
export function metricsText({ compiled, interpreted, reference }: RoadCounts): string {
  const name = "bobbin_graphql_answers_total";
  const lines = [
    `# HELP ${name} Answers of the graph to plain POSTs, to WebSockets and to plugins, by the road they took; of the reference road, by why.`,
    `# TYPE ${name} counter`,
    `${name}{road="compiled",reason=""} ${compiled}`,
    `${name}{road="interpreted",reason=""} ${interpreted}`,
    ...[...reference].map(([reason, count]) => `${name}{road="reference",reason="${reason}"} ${count}`),
    ...processLines(),
  ];
  return `${lines.join("\n")}\n`;
}

/** Under the names that Prometheus' own clients use, where there is one. */
function processLines(): string[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    ...one(
      "process_resident_memory_bytes",
      "gauge",
      "Memory of the whole process, plugins in threads included.",
      rss,
    ),
    ...one("bobbin_heap_bytes", "gauge", "Objects of the thread that serves.", heapUsed),
    ...one("process_cpu_seconds_total", "counter", "Processor time, of all threads.", (user + system) / 1e6),
  ];
}

function one(name: string, type: "gauge" | "counter", help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}
