/**
 * What is counted, in the text format that Prometheus reads. Knows counts; nothing of what they are of.
 */
import type { RoadCounts } from "../gateway/quick/quick-road.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels are of closed sets. */
export function metricsText({ compiled, interpreted, reference }: RoadCounts): string {
  const name = "bobbin_graphql_answers_total";
  const lines = [
    `# HELP ${name} Answers to plain POSTs of the graph, by the road they took; of the reference road, by why.`,
    `# TYPE ${name} counter`,
    `${name}{road="compiled",reason=""} ${compiled}`,
    `${name}{road="interpreted",reason=""} ${interpreted}`,
    ...[...reference].map(([reason, count]) => `${name}{road="reference",reason="${reason}"} ${count}`),
  ];
  return `${lines.join("\n")}\n`;
}
