/** How the declarations of commands hand over what is to be done. Knows no command. */
import type { Outcome } from "./terminal/outcome.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Does it, prints what came of it, and ends the process. What a command needs is loaded inside. */
export type Run = (command: (terminal: Terminal) => Promise<Outcome>) => Promise<void>;
