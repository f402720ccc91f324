/**
 * This very program as another process: the binary, or Bun with the source. Knows how it was started; nothing of what
 * the other process is for.
 */

import { IS_COMPILED } from "../compiled.ts";

/** What starts bobbin with these arguments. */
export function ownCommand(...args: string[]): string[] {
  const source = new URL("../main.ts", import.meta.url).pathname;
  return [process.execPath, ...(IS_COMPILED ? [] : [source]), ...args];
}
