/** Something that is done again and again, at about its own pace, and counted where it fails. Knows not what it is. */
import type { Tally } from "./tally.ts";

export interface Activity {
  readonly name: string;
  readonly everyMs: number;
  /** Once; throws where it was not as it has to be. */
  readonly act: () => Promise<unknown>;
}

/** Goes on until `signal` aborts; resolves when what was under way has ended. */
export async function keepDoing(
  { name, everyMs, act }: Activity,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs * (0.5 + Math.random()), signal);
    if (signal.aborted) return;
    try {
      await act();
    } catch (error) {
      tally.failed(name, error);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
