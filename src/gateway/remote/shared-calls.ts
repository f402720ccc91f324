/**
 * Identical calls in flight, made once: those that come while the first is on its way get the bytes of its answer.
 * Only for services that ask for it (`metadata.gateway.deduplicate`), whose answers are the same for equal calls.
 * Knows what makes calls equal; nothing of how they are made.
 */
import type { HttpAnswer } from "./http/http-answer.ts";
import { TRACE_HEADERS } from "./request-context.ts";

export class SharedCalls {
  readonly #inFlight = new Map<string, Promise<HttpAnswer>>();

  /** `headers` are all that go along, credentials among them: only what traces are made of may differ. */
  run(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    call: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    const counted = Object.entries(headers).filter(([name]) => !TRACE_HEADERS.has(name));
    const key = JSON.stringify([url, counted, body]);
    const known = this.#inFlight.get(key);
    if (known) return known;
    const answer = call().finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, answer);
    return answer;
  }
}
