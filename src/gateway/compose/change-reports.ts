/**
 * What the services' last changes of schema meant for clients, which of them wait to be accepted, and which were.
 * Knows what composing found; neither composes nor decides whether something has to wait.
 */
import { BobbinError } from "../../errors.ts";
import type { SchemaChange, SchemaChanges } from "../../events.ts";
import type { Log } from "../../log.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";
import type { SafeComposition } from "./compose-safely.ts";
import { summary } from "./schema-changes.ts";

export interface ChangeReport extends SchemaChanges {
  /** When it was composed, or began to wait: milliseconds since the epoch, and the registry's revision. */
  readonly at: number;
  readonly revision: number;
  /** Identifies the schema that brings the changes. */
  readonly hash: string;
}

/** How many changes are kept of a service; thousands of events are kept, so each has fewer, as has a log line. */
const LISTED = 100;
const TOLD = 20;

export class ChangeReports {
  readonly #log: Log;
  /** Service → its last schema change that is in the graph. */
  readonly #composed = new Map<string, ChangeReport>();
  #waiting: ReadonlyMap<string, ChangeReport> = new Map();
  /** Service → the schema that may break clients, by its hash; until it is in the graph or there is another one. */
  readonly #accepted = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** What waits to be accepted, else the last change that came into the graph. */
  of(name: string): ChangeReport | undefined {
    return this.#waiting.get(name) ?? this.#composed.get(name);
  }

  waiting(name: string): ChangeReport | undefined {
    return this.#waiting.get(name);
  }

  isAccepted({ name, hash }: Subgraph): boolean {
    return this.#accepted.get(name) === hash;
  }

  /** Accepts the schema that waits, and returns its hash; `hash`: only if it is that one. Throws CONFLICT. */
  accept(name: string, hash: string | undefined): string {
    const waiting = this.#waiting.get(name);
    if (!waiting) throw new BobbinError("CONFLICT", `No schema of ${name} waits to be accepted.`);
    if (hash !== undefined && hash !== waiting.hash) {
      throw new BobbinError("CONFLICT", `The schema of ${name} that waits is another one: ${waiting.hash}.`);
    }
    this.#accepted.set(name, waiting.hash);
    return waiting.hash;
  }

  /**
   * Takes what became the graph, and says in the log what that changed. Returns, for each service, what is to be told
   * of its schema.
   */
  take(
    { subgraphs, changes, waiting }: SafeComposition,
    latest: (name: string) => Subgraph | undefined,
    now: { at: number; revision: number },
  ): Map<string, SchemaChanges> {
    const news = new Map<string, SchemaChanges>();
    const hashes = new Map(subgraphs.map(({ name, hash }) => [name, hash]));
    for (const [name, list] of changes) {
      const hash = hashes.get(name);
      if (hash === undefined) this.#composed.delete(name);
      if (list.length === 0) continue;
      this.#tell(name, list, hash === undefined ? "schema gone" : "schema changed");
      if (hash === undefined) continue;
      this.#composed.set(name, { ...now, hash, ...summary(list, LISTED) });
      news.set(name, summary(list, TOLD));
    }
    const before = this.#waiting;
    this.#waiting = new Map(
      [...waiting].map(([name, { schema, changes: list }]) => {
        const known = before.get(name);
        const since = known?.hash === schema.hash ? { at: known.at, revision: known.revision } : now;
        if (since === now) news.set(name, summary(list, TOLD));
        return [name, { ...since, hash: schema.hash, ...summary(list, LISTED) }];
      }),
    );
    for (const [name, hash] of this.#accepted) {
      if (latest(name)?.hash !== hash || hashes.get(name) === hash) this.#accepted.delete(name);
    }
    return news;
  }

  #tell(service: string, changes: readonly SchemaChange[], what: string): void {
    const level = changes[0]?.criticality === "BREAKING" ? "warn" : "info";
    this.#log[level]({ service, ...logged(summary(changes, TOLD)) }, what);
  }
}

/** The changes as fields of a log line. */
export function logged({ breaking, dangerous, list, more }: SchemaChanges): object {
  const shown = list.slice(0, TOLD).map(({ criticality, message }) => `${criticality}: ${message}`);
  return { breaking, dangerous, changes: shown, more: more + list.length - shown.length };
}
