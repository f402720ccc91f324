/**
 * The subscriptions of remote services that are open: finds out how a service serves them, bounds their number, and
 * ends each as soon as its client or its service does. Knows routes and results; nothing of composing.
 */
import type { ExecutionResult } from "graphql";
import { LRUCache } from "lru-cache";
import { BobbinError, toBobbinError } from "../../../errors.ts";
import { isGraphQLResult } from "../graphql-call.ts";
import type { SubscriptionRoute } from "../route.ts";
import { notAnEvent, OPENING_MS } from "./bounds.ts";
import { type Events, type HttpAnswer, type Subscribe, subscribeOverHttp } from "./over-http.ts";
import { subscribeOverWebSocket } from "./over-web-socket.ts";

export interface Subscription {
  readonly service: string;
  readonly route: SubscriptionRoute;
  readonly headers: Subscribe["headers"];
  readonly payload: Subscribe["payload"];
  /** Aborts when the client is gone. */
  readonly client: AbortSignal | undefined;
  /** An event of the service as it is to be delivered; `exact` reads it with its numbers as they are written. */
  readonly taken: (result: ExecutionResult, exact: () => unknown) => ExecutionResult;
  /** The event that says what went wrong. */
  readonly failed: (error: BobbinError) => ExecutionResult;
  /** Called when the service did not do as it should. */
  readonly onFailure: () => void;
}

const MOST_OF_A_SERVICE = 256;
const MOST = 2_048;
const URLS_REMEMBERED = 1_000;

export class Subscriptions {
  /** Service → how many of its are open. */
  readonly #open = new Map<string, number>();
  #total = 0;
  /** URLs that are known to serve them by WebSocket only. */
  readonly #overWebSocket = new LRUCache<string, true>({ max: URLS_REMEMBERED });

  /** Throws a BobbinError where the service does not let itself be subscribed to. */
  async open(subscription: Subscription): Promise<AsyncIterableIterator<ExecutionResult>> {
    const { service, client, onFailure, route, headers, payload } = subscription;
    const leave = this.#enter(service);
    const ending = new AbortController();
    const end = () => {
      client?.removeEventListener("abort", end);
      ending.abort();
      leave();
    };
    client?.addEventListener("abort", end);
    const late = setTimeout(() => ending.abort(tooLate()), OPENING_MS);
    try {
      const events = await this.#connect(route, { service, url: route.url, headers, payload }, ending);
      return resultsOf(events, subscription, ending, end);
    } catch (error) {
      const reason: unknown = ending.signal.reason;
      if (!client?.aborted) onFailure();
      end();
      throw reason instanceof BobbinError ? reason : error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Returns what is to be called once at the end; more calls do nothing. */
  #enter(service: string): () => void {
    const open = this.#open.get(service) ?? 0;
    if (open >= MOST_OF_A_SERVICE || this.#total >= MOST) {
      const problem = `${open} subscriptions of the service are open, and ${this.#total} of all services.`;
      throw new BobbinError("SERVICE_OVERLOADED", problem);
    }
    this.#open.set(service, open + 1);
    this.#total += 1;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#total -= 1;
      const left = (this.#open.get(service) ?? 1) - 1;
      if (left > 0) this.#open.set(service, left);
      else this.#open.delete(service);
    };
  }

  async #connect(
    { protocol, url }: SubscriptionRoute,
    subscribe: Subscribe,
    ending: AbortController,
  ): Promise<Events> {
    if (protocol === "graphql-ws") return subscribeOverWebSocket(subscribe, ending.signal);
    if (protocol) return orInstead(await subscribeOverHttp(subscribe, protocol, ending));
    if (this.#overWebSocket.has(url)) {
      try {
        return await subscribeOverWebSocket(subscribe, ending.signal);
      } catch {
        // It may be another program by now.
        this.#overWebSocket.delete(url);
      }
    }
    const answer = await subscribeOverHttp(subscribe, "any", ending);
    if (answer.events) return answer.events;
    try {
      const events = await subscribeOverWebSocket(subscribe, ending.signal);
      this.#overWebSocket.set(url, true);
      return events;
    } catch {
      return orInstead(answer);
    }
  }
}

function tooLate(): BobbinError {
  return new BobbinError("SERVICE_TIMEOUT", "The service did not answer the subscription in time.");
}

/** An answer that is a GraphQL result is the only event. */
function orInstead({ events, instead }: HttpAnswer): Events {
  if (events) return events;
  if (!instead || instead instanceof BobbinError) throw instead ?? notAnEvent();
  return (async function* () {
    yield instead;
  })();
}

const DONE = { done: true, value: undefined } as const;

/** Leaving it ends the subscription even while the next event is waited for. */
function resultsOf(
  events: Events,
  { taken, failed, onFailure }: Subscription,
  ending: AbortController,
  end: () => void,
): AsyncIterableIterator<ExecutionResult> {
  let isOver = false;
  const over = () => {
    isOver = true;
    end();
    return DONE;
  };
  ending.signal.addEventListener("abort", () => void events.return?.().catch(() => {}), { once: true });
  return {
    async next() {
      if (isOver) return DONE;
      try {
        const { done, value } = await events.next();
        if (isOver) return DONE;
        if (done) return over();
        const { result, exact } = value;
        if (!isGraphQLResult(result)) throw notAnEvent();
        return { value: taken(result, exact) };
      } catch (error) {
        const { aborted, reason } = ending.signal;
        const isLeft = isOver || (aborted && !(reason instanceof BobbinError));
        over();
        if (isLeft) return DONE;
        onFailure();
        return { value: failed(toBobbinError(reason instanceof BobbinError ? reason : error)) };
      }
    },
    return: async () => over(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
