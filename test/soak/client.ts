/** Requests of the load, each counted with its wait. An answer that is not as expected is thrown. Knows no activity. */
import type { GraphQLAnswer } from "../support/client.ts";
import type { Tally } from "./tally.ts";

const DEADLINE_MS = 20_000;

export class Client {
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** The answer's text; throws where its status is not one of those expected. */
  async text(url: string, expected: readonly number[], init: RequestInit = {}): Promise<string> {
    const startedAt = performance.now();
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
    const text = await response.text();
    this.#tally.answered(performance.now() - startedAt);
    if (expected.includes(response.status)) return text;
    throw new Error(
      `${init.method ?? "GET"} ${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`,
    );
  }

  post(url: string, body: unknown, expected: readonly number[] = [200]): Promise<string> {
    return this.text(url, expected, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  async ask(gateway: string, query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer> {
    const text = await this.post(`${gateway}/graphql`, { query, variables }, [200, 400]);
    return JSON.parse(text) as GraphQLAnswer;
  }
}
