/**
 * This very program as another process: the binary, or Bun with the source. Knows how it was started; nothing of what
 * the other process is for.
 */

/** In the binary all code is one file, and the other entries lie around it as their sources do around main.ts. */
export const IS_COMPILED = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN)/i.test(import.meta.path);

/** What starts bobbin with these arguments. */
export function ownCommand(...args: string[]): string[] {
  const source = new URL("../main.ts", import.meta.url).pathname;
  return [process.execPath, ...(IS_COMPILED ? [] : [source]), ...args];
}
