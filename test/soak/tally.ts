/** What the load asked and how it went: counts, waits and failures, minute by minute. Knows nothing of what is asked. */

const SHOWN_FAILURES = 20;

export class Tally {
  #requests = 0;
  #failures = 0;
  #waits: number[] = [];
  /** Of the whole run. */
  total = { requests: 0, failures: 0 };
  /** What failed, with how often. */
  readonly messages = new Map<string, number>();

  answered(ms: number): void {
    this.#requests += 1;
    this.#waits.push(ms);
  }

  failed(activity: string, error: unknown): void {
    this.#failures += 1;
    const message = `${activity}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500);
    const times = this.messages.get(message) ?? 0;
    if (times === 0 && this.messages.size === SHOWN_FAILURES) return;
    // Told at once, for whoever looks at it while it runs.
    if (times === 0) console.log(`${new Date().toISOString()} ${message}`);
    this.messages.set(message, times + 1);
  }

  /** What happened since this was called last. */
  take(): { requests: number; failures: number; p99Ms: number } {
    const [requests, failures, waits] = [this.#requests, this.#failures, this.#waits.sort((a, b) => a - b)];
    this.total.requests += requests;
    this.total.failures += failures;
    this.#requests = 0;
    this.#failures = 0;
    this.#waits = [];
    return { requests, failures, p99Ms: waits[Math.floor(waits.length * 0.99)] ?? 0 };
  }
}
