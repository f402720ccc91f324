/**
 * Calls those who have something to take back before the process ends: on SIGTERM and SIGINT, when nothing is left to
 * do, and at process.exit(). Leaves it to the program when and how it ends. Knows signals; nothing of what is taken
 * back.
 */
import { type HostProcess, host } from "./runtime.ts";

export interface Leaver {
  /** Bounded in time, and never throws. */
  leave(): Promise<unknown>;
  /** What can be done in this very moment. */
  leaveAtOnce(): void;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** One process has one end: its signals are listened to once, whoever leaves. */
const leavers = new Set<Leaver>();
let isListening = false;

/** From now on `leaver` is called when the process ends. Returns the way to take that back. */
export function onExit(leaver: Leaver): () => void {
  leavers.add(leaver);
  if (host && !isListening) listen(host);
  return () => leavers.delete(leaver);
}

function listen(machine: HostProcess): void {
  isListening = true;
  for (const signal of SIGNALS) {
    const onSignal = () => {
      // With this listener gone, the signal means to everybody else what it meant without it.
      machine.removeListener(signal, onSignal);
      const isHandled = machine.listenerCount(signal) > 0;
      const left = leaveAll();
      if (!isHandled) void left.then(() => machine.kill(machine.pid, signal));
    };
    // First in line: one that is called once is not counted any more after its turn.
    machine.prependListener(signal, onSignal);
  }
  machine.on("beforeExit", () => {
    // It comes again when this is done; by then there is nobody left.
    if (leavers.size > 0) void leaveAll();
  });
  machine.on("exit", () => {
    for (const leaver of leavers) leaver.leaveAtOnce();
  });
}

async function leaveAll(): Promise<void> {
  const leave = async (leaver: Leaver) => {
    await leaver.leave();
    leavers.delete(leaver);
  };
  await Promise.all([...leavers].map(leave));
}
