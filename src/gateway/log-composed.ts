/**
 * Tells the log what a composition changed, and who was left out of it. Knows snapshots; nothing of how they are made.
 */
import type { Log } from "../log.ts";
import { type ChangeReport, logged } from "./compose/change-reports.ts";
import type { Reason } from "./compose/compose.ts";
import type { Snapshot } from "./snapshot.ts";

export interface ComposedDetails {
  /** How long composing took. */
  readonly ms: number;
  /** The schema of a service that waits, since it would break clients. */
  readonly waiting: (name: string) => ChangeReport | undefined;
  readonly withFile: (name: string, reason: Reason) => Reason;
}

/** A reason is told once, until it is another. */
export function logComposed(
  log: Log,
  before: Snapshot | undefined,
  after: Snapshot,
  { ms, waiting: waitingOf, withFile }: ComposedDetails,
): void {
  const { revision, subgraphs } = after;
  const added = [...subgraphs.keys()].filter((name) => !before?.subgraphs.has(name));
  const removed = [...(before?.subgraphs.keys() ?? [])].filter((name) => !subgraphs.has(name));
  log.info({ revision, services: subgraphs.size, added, removed, ms: Math.round(ms) }, "composed");
  for (const [service, reason] of after.rejected) {
    if (before?.rejected.get(service)?.message === reason.message) continue;
    const waiting = waitingOf(service);
    const said = { ...withFile(service, reason), ...(waiting ? logged(waiting) : {}) };
    if (said.file !== undefined) log.error({ plugin: service, ...said }, "plugin refused");
    else log.warn({ service, ...said }, "schema left out");
  }
}
