/** A bobbin of several processes: which of them answers, and what the system knows of them. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import type { RunningBinary } from "./app.ts";
import { until } from "./client.ts";

/** The process that answered; the writer is 1. */
export const workerOf = ({ headers }: Response): number => Number(headers.get("x-bobbin-worker"));

/** Asks over new connections until each of `count` processes has answered, and returns the first answer of each. */
export async function ofEach(
  count: number,
  url: string,
  init: RequestInit = {},
): Promise<Map<number, { status: number; text: string; headers: Headers }>> {
  const answers = new Map<number, { status: number; text: string; headers: Headers }>();
  await until(
    async () => {
      const headers = { ...(init.headers as Record<string, string>), connection: "close" };
      const response = await fetch(url, { ...init, headers, keepalive: false });
      const { status } = response;
      const worker = workerOf(response);
      const text = await response.text();
      if (!answers.has(worker)) answers.set(worker, { status, text, headers: response.headers });
      return answers.size;
    },
    (size) => size === count,
  );
  return answers;
}

/** A question to the graph, answered by each process. */
export async function askEach(
  count: number,
  gateway: string,
  query: string,
  headers: Record<string, string> = {},
) {
  const answers = await ofEach(count, `${gateway}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return [...answers.values()].map(({ text }) => JSON.parse(text));
}

/** The ids of the processes that it started. */
export async function children({ process: { pid } }: Pick<RunningBinary, "process">): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/** Whether it runs: one that has ended is listed until its parent has taken note of that. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^ Z/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch {
    return false;
  }
}

/** A way to ask one process only: over a connection that it has taken, which is kept. */
export async function connectionTo(worker: number, gateway: string) {
  for (;;) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (query: string) => asked(agent, gateway, query);
    if ((await ask("{ __typename }")).worker === worker)
      return { ask, [Symbol.dispose]: () => agent.destroy() };
    agent.destroy();
  }
}

function asked(agent: Agent, gateway: string, query: string): Promise<{ worker: number; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request(`${gateway}/graphql`, { agent, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        resolve({ worker: Number(response.headers["x-bobbin-worker"]), answer: JSON.parse(text) });
      });
    });
    sent.on("error", reject).end(JSON.stringify({ query }));
  });
}
