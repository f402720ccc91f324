/** Clients of a subscription, as programs use them: graphql-ws and graphql-sse. */

import { createClient as overSse } from "graphql-sse";
import { type Client, createClient as overWebSocket } from "graphql-ws";
import { until } from "./client.ts";

// biome-ignore lint/suspicious/noExplicitAny: the shape is the test's matter
type Result = any;

export interface Subscriber extends Disposable {
  readonly events: readonly Result[];
  /** What ended it: undefined while it goes on, "complete", or the error. */
  readonly end: unknown;
  leave(): void;
  /** Waits until there are as many events. */
  have(count: number): Promise<readonly Result[]>;
  ended(): Promise<unknown>;
}

export const wsUrl = (base: string): string => `${base.replace(/^http/, "ws")}/graphql`;

export function webSocketClient(base: string, headers?: Record<string, string>): Client {
  const Socket = class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, { headers: headers ?? {}, protocols: [protocol] } as never);
    }
  };
  return overWebSocket({ url: wsUrl(base), retryAttempts: 0, webSocketImpl: Socket });
}

type Payload = { query: string; variables?: Record<string, unknown> };
type Subscribe = (
  payload: Payload,
  sink: { next(value: Result): void; error(error: unknown): void; complete(): void },
) => () => void;

export function subscriber(
  subscribe: Subscribe,
  query: string,
  variables?: Record<string, unknown>,
): Subscriber {
  const events: Result[] = [];
  let end: unknown;
  const leave = subscribe(variables ? { query, variables } : { query }, {
    next: (event) => void events.push(event),
    error: (error) => {
      end = error;
    },
    complete: () => {
      end ??= "complete";
    },
  });
  return {
    events,
    get end() {
      return end;
    },
    leave,
    have: (count) =>
      until(
        () => events,
        ({ length }) => length >= count,
      ),
    ended: () =>
      until(
        () => end,
        (now) => now !== undefined,
      ),
    [Symbol.dispose]: leave,
  };
}

export const bySse = (base: string, query: string, headers: Record<string, string> = {}): Subscriber =>
  subscriber(overSse({ url: `${base}/graphql`, retryAttempts: 0, headers }).subscribe as Subscribe, query);

export const byWebSocket = (base: string, query: string, headers?: Record<string, string>): Subscriber =>
  subscriber(webSocketClient(base, headers).subscribe as Subscribe, query);
