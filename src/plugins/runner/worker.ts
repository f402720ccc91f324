/**
 * A plugin's code in a thread of its own: the thread's entry. Contains faults; it is no sandbox for hostile code.
 */
import "./host-modules.ts";
import { WARM_UP } from "./protocol.ts";
import { runnerEnd } from "./runner-end.ts";
import { warmUp } from "./warm-up.ts";

declare const self: Worker;

// What would end or change the whole process from within a thread is the author's mistake.
for (const name of ["abort", "chdir", "kill"] as const) {
  const refuse = () => {
    throw new Error(`process.${name} is not for a plugin that shares the process: see isolation: "process"`);
  };
  Object.defineProperty(process, name, { value: refuse });
}

// Before the plugin's code can put another one in its place.
const post = self.postMessage.bind(self);
const end = runnerEnd((text) => post(text), [process.stdout, process.stderr]);
process.on("unhandledRejection", end.onUnhandledRejection);
process.on("uncaughtException", (error) => end.onUncaughtException(error).finally(() => process.exit(1)));
let isSpare = true;
self.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (data === WARM_UP) void warmUp(() => isSpare);
  else {
    isSpare = false;
    end.receive(data);
  }
};
