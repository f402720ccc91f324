/** Whether the doors' ports are free, and who has those that are not. Knows ports; nothing of what is served there. */
import { createServer } from "node:net";
import { DOOR_HEADER, type DoorName } from "../../../http.ts";
import { reachable } from "../../door-url.ts";
import type { Finding } from "./finding.ts";
import { holderOf } from "./port-holder.ts";

interface Ports {
  readonly host: string;
  readonly gatewayPort: number;
  readonly corePort: number;
  readonly registryPort: number;
}

const DEADLINE_MS = 2_000;
const FLAGS: Record<DoorName, string> = {
  gateway: "--gateway-port",
  core: "--core-port",
  registry: "--registry-port",
};

export async function checkPorts(settings: Ports): Promise<{ ports: Finding[]; isRunning: boolean }> {
  const { host } = settings;
  const doors = { gateway: settings.gatewayPort, core: settings.corePort, registry: settings.registryPort };
  const found = await Promise.all(
    (Object.entries(doors) as [DoorName, number][]).map(([door, port]) => checkPort(door, host, port)),
  );
  return { ports: found.map(({ finding }) => finding), isRunning: found.some(({ isOwn }) => isOwn) };
}

async function checkPort(
  door: DoorName,
  host: string,
  port: number,
): Promise<{ finding: Finding; isOwn: boolean }> {
  const check = `port ${port}`;
  if (port === 0)
    return { finding: { check, status: "ok", message: `${door}: any that is free` }, isOwn: false };
  const door_ = await doorAt(`http://${reachable(host)}:${port}`);
  if (door_ === door) {
    return { finding: { check, status: "ok", message: `${door}: a bobbin answers` }, isOwn: true };
  }
  const problem = await listenProblem(host, port);
  if (problem === undefined)
    return { finding: { check, status: "ok", message: `${door}: free` }, isOwn: false };
  const holder = door_ ? `the ${door_} of a bobbin` : ((await holderOf(port)) ?? "another program");
  const advice = `End it, or give the ${door} another port with ${FLAGS[door]}.`;
  const message =
    problem === "EADDRINUSE" ? `${door}: held by ${holder}` : `${door}: cannot be listened on (${problem})`;
  return { finding: { check, status: "fail", message, advice }, isOwn: false };
}

/** Which door of a bobbin answers there, if one does. */
async function doorAt(base: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${base}/`, {
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.body?.cancel();
    return response.headers.get(DOOR_HEADER)?.split("/")[1];
  } catch {
    // Whoever has it speaks something else, or nobody does.
    return undefined;
  }
}

/** The system's code of what stands in the way of listening there. */
function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "unknown"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
