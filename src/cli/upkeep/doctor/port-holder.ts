/** Which process listens on a port, as far as Linux tells this user. Knows /proc; nothing of what listens. */
import { readdir, readFile, readlink } from "node:fs/promises";

const LISTENING = "0A";

/** Its name and id, or undefined where that cannot be told. */
export async function holderOf(port: number): Promise<string | undefined> {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => textOf(`/proc/net/${name}`)));
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = new Set<string>();
  for (const line of tables.join("\n").split("\n")) {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    if (state === LISTENING && local.endsWith(`:${hex}`)) inodes.add(`socket:[${inode}]`);
  }
  if (inodes.size === 0) return undefined;
  for (const pid of (await entries("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await entries(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (inodes.has(target)) return `${(await textOf(`/proc/${pid}/comm`)).trim()} (process ${pid})`;
    }
  }
  return undefined;
}

/** Of other users' processes nothing can be read. */
const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
