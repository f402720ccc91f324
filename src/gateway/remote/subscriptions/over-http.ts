/**
 * A subscription as one POST whose answer goes on: opens it, and tells by the answer's type how its events are sent.
 * Knows HTTP; of the service it asks its name alone.
 * (node:http instead of fetch: Bun runs 256 fetches at a time for the whole process, and a subscription may stay open
 * for days. It reads no more of the answer than is taken.)
 */
import { type IncomingMessage, request as overPlain } from "node:http";
import { request as overTls } from "node:https";
import { BobbinError } from "../../../errors.ts";
import { connectionReason } from "../../../http.ts";
import { httpPlace } from "../../../unix-url.ts";
import { isGraphQLResult } from "../graphql-call.ts";
import { brokenOff, MAX_EVENT_LENGTH, notAnEvent } from "./bounds.ts";
import { eventOf, type ServiceEvent } from "./event.ts";
import { eventsOfMultipart } from "./multipart.ts";
import { Pulse } from "./pulse.ts";
import { eventsOfSse } from "./sse.ts";

export interface Subscribe {
  /** As it is told to clients. */
  readonly service: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: { readonly query: string; readonly variables?: Record<string, unknown> };
}

export type Events = AsyncIterator<ServiceEvent, void, undefined>;

export interface HttpAnswer {
  /** Absent where the service does not answer with a stream. */
  readonly events?: Events;
  /** What it answered instead: a GraphQL result, or what is wrong with it. */
  readonly instead?: ServiceEvent | BobbinError;
}

const SSE = "text/event-stream";
const MULTIPART = 'multipart/mixed;subscriptionSpec="1.0"';
const ACCEPT = {
  sse: SSE,
  multipart: `${MULTIPART}, application/json;q=0.9`,
  any: `${SSE}, ${MULTIPART}, application/graphql-response+json;q=0.9, application/json;q=0.8`,
};
const KEEP_ALIVE_MS = 30_000;

/** Throws SERVICE_UNAVAILABLE where the service cannot be reached or fails. `signal` ends what is open, too. */
export async function subscribeOverHttp(
  { service, url, headers, payload }: Subscribe,
  protocol: "sse" | "multipart" | "any",
  ending: AbortController,
): Promise<HttpAnswer> {
  const place = `${service}, ${pathOf(url)}`;
  const response = await post(
    place,
    url.replace(/^ws/i, "http"),
    { ...headers, accept: ACCEPT[protocol] },
    JSON.stringify(payload),
    ending.signal,
  );
  const { statusCode: status = 0, headers: answered } = response;
  const type = answered["content-type"]?.trim() ?? "";
  const isPacked = /gzip|br|deflate|zstd/i.test(answered["content-encoding"] ?? "");
  const isStream = status < 300 && /^(text\/event-stream|multipart\/mixed)\b/i.test(type);
  if (isStream && isPacked) throw notAnEvent();
  if (isStream) return { events: read(response, type, ending) };
  return { instead: await insteadOfEvents(place, response, status) };
}

/** Where at the service something is. Its origin is for the operator only. */
export function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? "/";
}

function post(
  place: string,
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = /^https:/i.test(url) ? overTls : overPlain;
  const { url: to, unix } = httpPlace(url);
  const outgoing = send(
    to,
    {
      ...(unix ? { socketPath: unix } : {}),
      method: "POST",
      agent: false,
      signal,
      headers: { ...headers, "content-type": "application/json", "accept-encoding": "identity" },
    },
    (response) => {
      // Whoever reads it hears of it too; without a listener it would end the process.
      response.on("error", () => {});
      resolve(response);
    },
  );
  // Of a machine that is gone the kernel hears no answer.
  outgoing.setSocketKeepAlive(true, KEEP_ALIVE_MS);
  outgoing.on("error", (cause) => {
    const message = `${place}: the service could not be reached: ${connectionReason(cause)}.`;
    reject(new BobbinError("SERVICE_UNAVAILABLE", message, { cause }));
  });
  outgoing.end(body);
  return promise;
}

async function* read(
  response: IncomingMessage,
  type: string,
  ending: AbortController,
): AsyncGenerator<ServiceEvent, void, undefined> {
  const pulse = new Pulse(() => ending.abort(brokenOff()));
  const onHeartbeat = () => pulse.expect();
  const text = textOf(response, () => pulse.beat());
  try {
    if (/^multipart/i.test(type)) yield* eventsOfMultipart(text, type, onHeartbeat);
    else yield* eventsOfSse(text, onHeartbeat);
  } finally {
    pulse.stop();
    response.destroy();
  }
}

async function* textOf(response: IncomingMessage, onChunk: () => void): AsyncGenerator<string> {
  response.setEncoding("utf8");
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  for (;;) {
    const { value, done } = await chunks.next().catch((cause) => {
      throw brokenOff(cause);
    });
    if (done) return;
    onChunk();
    yield value;
  }
}

async function insteadOfEvents(
  place: string,
  response: IncomingMessage,
  status: number,
): Promise<ServiceEvent | BobbinError> {
  let text = "";
  for await (const chunk of textOf(response, () => {})) {
    text += chunk;
    if (text.length > MAX_EVENT_LENGTH) break;
  }
  response.destroy();
  const event = jsonOf(text);
  if (isGraphQLResult(event?.result)) return event;
  const message = `${place}: the service answered ${status} instead of a stream of events.`;
  if (status >= 500 && status !== 501) throw new BobbinError("SERVICE_UNAVAILABLE", message);
  return new BobbinError("INVALID_SERVICE_RESPONSE", message);
}

function jsonOf(text: string): ServiceEvent | undefined {
  try {
    return eventOf(text);
  } catch {
    return undefined;
  }
}
