/**
 * Refuses a subscription over HTTP whose client takes no stream of events, before any service is asked for one: Yoga
 * would say so afterwards, and leave the service's subscription open. Knows HTTP's Accept; nothing of schemas.
 */
import type { Plugin } from "graphql-yoga";
import { BobbinError } from "../errors.ts";

export const streamedAnswers: Plugin<{ request?: Request }> = {
  onSubscribe: ({ args }) => {
    const accept = (args.contextValue as { request?: Request }).request?.headers.get("accept") ?? "*/*";
    if (takesStream(accept)) return;
    const message =
      "A subscription is answered with a stream: send accept: text/event-stream, or subscribe over the gateway's WebSocket (graphql-transport-ws).";
    throw new BobbinError("NOT_ACCEPTABLE", message);
  },
};

function takesStream(accept: string): boolean {
  return accept
    .toLowerCase()
    .split(",")
    .some((each) => /^\s*(\*|text)\/(\*|event-stream)\s*(;|$)/.test(each));
}
