/**
 * Tells the writer's scheduler which instances do not answer as they should, but not of every request that finds out.
 * Knows the channel; nothing of health.
 */
import type { Writer } from "./protocol.ts";

const PAUSE_MS = 100;

export function hints(writer: Writer): (service: string, origin: string) => void {
  const told = new Set<string>();
  return (service, origin) => {
    const key = `${service} ${origin}`;
    if (told.has(key)) return;
    told.add(key);
    setTimeout(() => told.delete(key), PAUSE_MS).unref();
    writer.call("hint", { service, origin }).catch(() => {});
  };
}
