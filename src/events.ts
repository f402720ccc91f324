/**
 * One typed stream of "something changed". An event names the service, never its content: readers look at the
 * registry again. The one exception is what another schema changes for clients, because the schema before it is gone by
 * then. Knows nothing of who publishes or listens.
 */

/**
 * REGISTERED, UPDATED, REMOVED: a write through a door or by the plugin host. STATUS: the agreed status changed.
 * SCHEMA: its schema changed, or was refused.
 */
export type EventType = "REGISTERED" | "UPDATED" | "REMOVED" | "STATUS" | "SCHEMA";

/** One thing that is different in the graph: `path` is such as `Query.field`. */
export interface SchemaChange {
  readonly criticality: "BREAKING" | "DANGEROUS" | "NON_BREAKING";
  readonly path: string | null;
  readonly message: string;
}

/** What another schema of a service changes for the graph's clients. */
export interface SchemaChanges {
  readonly breaking: number;
  readonly dangerous: number;
  /** The worst first. */
  readonly list: readonly SchemaChange[];
  /** How many there are beyond the list. */
  readonly more: number;
}

export interface RegistryEvent {
  /** The registry's revision that this change made. */
  readonly index: number;
  readonly type: EventType;
  /** The service's name. */
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What brought it about, in words. */
  readonly cause: string;
  /** Of a SCHEMA that took the place of another one, or that waits to. */
  readonly changes?: SchemaChanges;
}

type Listener = (events: readonly RegistryEvent[]) => void;

/** How many events are kept to resume from, and how many a slow stream may lag behind. */
const KEPT = 4096;

export class EventLog {
  #events: RegistryEvent[] = [];
  /** Everything after this index is in `#events`. */
  #completeAfter: number;
  readonly #listeners = new Set<Listener>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(index: number, onListenerError: (error: unknown) => void) {
    this.#completeAfter = index;
    this.#onListenerError = onListenerError;
  }

  publish(events: readonly RegistryEvent[]): void {
    if (events.length === 0) return;
    this.#events.push(...events);
    if (this.#events.length > KEPT) {
      const dropped = this.#events.splice(0, this.#events.length - KEPT);
      this.#completeAfter = dropped.at(-1)?.index ?? this.#completeAfter;
    }
    for (const listener of this.#listeners) {
      try {
        listener(events);
      } catch (error) {
        // What happened has happened: neither the one who publishes nor the other listeners are to miss it.
        this.#onListenerError(error);
      }
    }
  }

  /** Forgets what was kept, because the revision took a leap (a registry that was read anew). */
  restart(index: number): void {
    this.#events = [];
    this.#completeAfter = index;
  }

  /** Calls `listener` with each later batch of events. Returns the way to stop. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What followed `index`, or undefined where that is no longer (or not yet) known. */
  since(index: number): readonly RegistryEvent[] | undefined {
    const last = this.#events.at(-1)?.index ?? this.#completeAfter;
    if (index < this.#completeAfter || index > last) return undefined;
    return this.#events.filter((event) => event.index > index);
  }

  /**
   * The events from now on, or from after the index `after`, until `signal` aborts. A reader that lags too far behind
   * (what it misses is no longer known) is ended; it comes back with the index it has.
   */
  async *follow(signal: AbortSignal, after?: number): AsyncGenerator<RegistryEvent, void, undefined> {
    const missed = after === undefined ? [] : this.since(after);
    if (!missed) return;
    const queue = [...missed];
    let wake = () => {};
    let lagging = false;
    const unsubscribe = this.subscribe((events) => {
      if (queue.length + events.length > KEPT) lagging = true;
      else queue.push(...events);
      wake();
    });
    const onAbort = () => wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted && !lagging) {
        const next = queue.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      unsubscribe();
    }
  }
}
