/** A spinner for what takes a while, on a terminal only. Knows nothing of what is done. */
import type { Terminal } from "./terminal.ts";

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 80;
/** What is done sooner is not worth a flicker. */
const FIRST_MS = 200;
const ERASE_LINE = "\r\u001b[K";

/** Does `work`, and says meanwhile what it is. */
export async function withProgress<T>(what: string, terminal: Terminal, work: () => Promise<T>): Promise<T> {
  if (!terminal.showsProgress) return work();
  const startedAt = performance.now();
  let frame = 0;
  const timer = setInterval(() => {
    if (performance.now() - startedAt < FIRST_MS) return;
    void terminal.say(`${ERASE_LINE}${FRAMES[frame++ % FRAMES.length]} ${what} …`);
  }, FRAME_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (frame > 0) await terminal.say(ERASE_LINE);
  }
}
