/**
 * A subscription over a WebSocket of its own, by the protocol graphql-transport-ws: the headers of one client's request
 * are those of the connection. Knows the connection; of the service that it leads to its name alone.
 */
import { type Client, createClient } from "graphql-ws";
import { BobbinError } from "../../../errors.ts";
import { connectionReason } from "../../../http.ts";
import { httpPlace } from "../../../unix-url.ts";
import { brokenOff, MAX_EVENT_LENGTH, notAnEvent, tooLarge } from "./bounds.ts";
import { eventOf, payloadOf } from "./event.ts";
import { EventQueue } from "./event-queue.ts";
import { type Events, pathOf, type Subscribe } from "./over-http.ts";

/** The DOM's types hide that Bun's takes headers. */
const BunWebSocket = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => Bun.WebSocket;

const PING_MS = 15_000;
const PONG_MS = 10_000;
/** How long a connection has to close in good order. */
const CLOSING_MS = 2_000;

/** Throws SERVICE_UNAVAILABLE where no such connection comes about. `signal` ends what is open, too. */
export async function subscribeOverWebSocket(
  { service, url, headers, payload }: Subscribe,
  signal: AbortSignal,
): Promise<Events> {
  const events = new EventQueue();
  const { promise: opened, resolve: onOpened, reject: onFailed } = Promise.withResolvers<void>();
  let socket: Bun.WebSocket | undefined;
  /** The message that the library is reading. */
  let text = "";
  let pong: ReturnType<typeof setTimeout> | undefined;
  const place = `${service}, ${pathOf(url)}`;
  /** Why there is no connection, if so. */
  let refusal: BobbinError | undefined;

  class Socket extends BunWebSocket {
    constructor(to: string, protocol: string) {
      super(to, { headers: { ...headers }, protocols: [protocol], perMessageDeflate: false });
      socket = this;
      // Before the library's own listener: what is too long is not even parsed.
      this.addEventListener("message", (message) => {
        text = String(message.data);
        if (text.length <= MAX_EVENT_LENGTH) return;
        message.stopImmediatePropagation();
        fail(tooLarge());
      });
      this.addEventListener("error", (event) => {
        refusal = notOpened(place, event);
      });
    }
  }

  const client: Client = createClient({
    url: webSocketUrl(url),
    webSocketImpl: Socket,
    retryAttempts: 0,
    keepAlive: PING_MS,
    on: {
      connected: () => onOpened(),
      // The library would connect again after a close in good order, and events in between be lost.
      closed: (close) => fail(refusal ?? closedBy(place, close)),
      ping: (isReceived) => {
        if (!isReceived) pong = setTimeout(() => fail(brokenOff()), PONG_MS);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(pong);
      },
    },
  });
  const unsubscribe = client.subscribe(payload, {
    next(event) {
      try {
        const written = text;
        events.add({ result: event, exact: () => payloadOf(eventOf(written)).exact() }, written.length);
      } catch (error) {
        fail(error);
      }
    },
    error(error) {
      // A list of errors is the service's answer.
      if (Array.isArray(error))
        events.add({ result: { errors: error }, exact: () => undefined }, text.length);
      end(Array.isArray(error) ? undefined : asBobbinError(error, refusal));
    },
    complete: () => end(),
  });
  signal.addEventListener("abort", onAbort, { once: true });

  function onAbort(): void {
    fail(brokenOff(signal.reason));
  }

  /** Tells the service that nobody listens any more, and closes the connection. */
  function fail(error: unknown): void {
    if (events.hasEnded) return;
    end(error);
    unsubscribe();
    if (socket?.readyState === WebSocket.CONNECTING) socket.terminate();
  }

  function end(error?: unknown): void {
    clearTimeout(pong);
    signal.removeEventListener("abort", onAbort);
    onFailed(error ?? brokenOff());
    events.end(error);
    const closing = setTimeout(() => socket?.terminate(), CLOSING_MS);
    socket?.addEventListener("close", () => clearTimeout(closing));
    if (socket?.readyState === WebSocket.CLOSED) clearTimeout(closing);
  }

  await opened;
  return events;
}

/** Bun takes the path of a socket as it is, up to a colon. */
function webSocketUrl(url: string): string {
  const { url: to, unix } = httpPlace(url);
  const { pathname, search } = new URL(to);
  return unix ? `ws+unix://${unix}:${pathname}${search}` : to.replace(/^http/i, "ws");
}

/** The answer's status is in the words of Bun's error only. */
function notOpened(place: string, event: unknown): BobbinError {
  const { message = "", error: cause } = event as { message?: string; error?: unknown };
  const status = /status code: (\d{3})/.exec(message)?.[1];
  const problem =
    status === undefined
      ? `the service could not be reached by WebSocket: ${connectionReason(cause)}`
      : `the service answered ${status} instead of opening a WebSocket`;
  return new BobbinError("SERVICE_UNAVAILABLE", `${place}: ${problem}.`, { cause });
}

function closedBy(place: string, close: unknown): BobbinError {
  const { code } = close as { code?: number };
  const how = code === undefined || code === 1006 ? "" : ` with code ${code}`;
  const message = `${place}: the service closed the WebSocket${how}.`;
  return new BobbinError("SERVICE_UNAVAILABLE", message, { cause: close });
}

/** What the library throws itself is about messages; what the socket says is an event. */
function asBobbinError(error: unknown, refusal: BobbinError | undefined): BobbinError {
  if (error instanceof Error) return notAnEvent(error);
  return refusal ?? brokenOff(error);
}
