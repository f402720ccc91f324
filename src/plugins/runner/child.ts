/**
 * A plugin's code in a process of its own: what that process does. It ends with the channel to its parent.
 */
import "./host-modules.ts";
import { runnerEnd } from "./runner-end.ts";

/** Ends the process where its parent is gone and its own thread may be in an endless loop. */
const WATCH = `
  const parent = process.ppid;
  postMessage("watching");
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 1_000);
`;

export async function runChild(): Promise<void> {
  const url = URL.createObjectURL(new Blob([WATCH], { type: "text/javascript" }));
  const watch = new Worker(url, { smol: true });
  const early: unknown[] = [];
  let receive = (data: unknown): void => void early.push(data);
  process.on("message", (data) => receive(data));
  // No code of the plugin runs before it is watched over.
  await new Promise((resolve) => {
    watch.onmessage = resolve;
  });
  const send = process.send?.bind(process);
  const end = runnerEnd((text) => void send?.(text), [process.stdout, process.stderr]);
  process.on("unhandledRejection", end.onUnhandledRejection);
  process.on("uncaughtException", (error) => end.onUncaughtException(error).finally(() => process.exit(1)));
  receive = end.receive;
  for (const data of early.splice(0)) receive(data);
  // What a terminal or a supervisor sends to the whole group is for the parent, which ends this process in order.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.exit(0));
}
