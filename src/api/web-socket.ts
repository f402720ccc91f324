/**
 * The graph over WebSockets, by the protocol graphql-transport-ws: who may connect, and how much a connection may ask.
 * Knows connections and the protocol; nothing of how a question is answered.
 */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { type ExecutionResult, type GraphQLError, parse } from "graphql";
import { CloseCode, type Context, handleProtocols, makeServer } from "graphql-ws";
import { BobbinError, messageOf } from "../errors.ts";
import { parseExactly } from "../gateway/values/exact-numbers.ts";
import type { Log } from "../log.ts";
import { toGraphQLError } from "./answers.ts";
import { type Ask, checkedHops } from "./graph.ts";
import type { Guard } from "./guard.ts";
import { SocketSession } from "./socket-session.ts";
import { shownResult } from "./yoga.ts";

type Socket = ServerWebSocket<SocketSession>;

/** Makes a WebSocket of the request that it belongs to; false where the request's handshake is wrong. */
export type Upgrade = (session: SocketSession, headers: Record<string, string>) => boolean;

export interface GraphQLSocketsOptions {
  ask: Ask;
  guard: Guard;
  /** The longest message. */
  bodyLimitBytes: number;
  /** Aborts when connections have to end. */
  stopping: AbortSignal;
  log: Log;
}

const MOST_CONNECTIONS = 1_000;
const MOST_OPERATIONS = 100;
const INIT_WAIT_MS = 5_000;
/** A client that answers no ping for this long is gone. */
const IDLE_SECONDS = 60;
const GOING_AWAY = 1001;

/** The library looks for an operation in a parsed document; parsing is the matter of who answers. */
const UNREAD = parse("{ __typename }");

export class GraphQLSockets {
  readonly #options: GraphQLSocketsOptions;
  readonly #open = new Set<Socket>();
  readonly #server: ReturnType<typeof makeServer<Record<string, unknown>, SocketSession>>;
  readonly handler: WebSocketHandler<SocketSession>;

  constructor(options: GraphQLSocketsOptions) {
    this.#options = options;
    this.#server = makeServer<Record<string, unknown>, SocketSession>({
      connectionInitWaitTimeout: INIT_WAIT_MS,
      onSubscribe: (context, id, payload) => this.#answer(context, id, payload),
      execute: ({ contextValue }) => contextValue as ExecutionResult,
      onNext: (_context, _id, _payload, _args, result) => shownResult(result as ExecutionResult) as never,
      onError: (_context, _id, _payload, errors) => shownResult({ errors }).errors as never,
      onComplete: ({ extra }, id) => extra.end(id),
    });
    this.handler = {
      maxPayloadLength: options.bodyLimitBytes,
      idleTimeout: IDLE_SECONDS,
      open: (socket) => this.#onOpen(socket),
      message: (socket, message) => this.#onMessage(socket, String(message)),
      drain: ({ data }) => data.onDrain(),
      close: (socket, code, reason) => this.#onClose(socket, code, reason),
    };
    options.stopping.addEventListener("abort", () => {
      for (const socket of this.#open) socket.close(GOING_AWAY, "Going away");
    });
  }

  /** Whether the request is for a WebSocket of the graph. */
  isFor(request: Request): boolean {
    return (
      request.method === "GET" &&
      request.headers.get("upgrade")?.toLowerCase() === "websocket" &&
      /^(?:\w+:\/\/[^/]*)?\/graphql(?:\?|$)/.test(request.url)
    );
  }

  /** Opens the connection, or throws FORBIDDEN_ORIGIN, LOOP_DETECTED, OVERLOADED or GRAPHQL_REQUEST_INVALID. */
  async admit(request: Request, upgrade: Upgrade): Promise<void> {
    const { guard } = this.#options;
    guard.checkSocketOrigin(request);
    const hops = checkedHops(request);
    const protocol = handleProtocols(request.headers.get("sec-websocket-protocol") ?? "");
    if (!protocol) {
      throw new BobbinError("GRAPHQL_REQUEST_INVALID", "Ask for the subprotocol graphql-transport-ws.");
    }
    const session = new SocketSession(request, hops, await guard.writeToken(request));
    if (this.#open.size >= MOST_CONNECTIONS) {
      const problem = `${MOST_CONNECTIONS} WebSockets are open, the most there may be.`;
      throw new BobbinError("OVERLOADED", problem);
    }
    if (!upgrade(session, { "sec-websocket-protocol": protocol })) {
      throw new BobbinError("GRAPHQL_REQUEST_INVALID", "The handshake of the WebSocket is not complete.");
    }
  }

  #onOpen(socket: Socket): void {
    const { data } = socket;
    this.#open.add(socket);
    if (this.#options.stopping.aborted) socket.close(GOING_AWAY, "Going away");
    data.closed = this.#server.opened(
      {
        protocol: "graphql-transport-ws",
        send: (text) => data.send(socket, text),
        close: (code, reason) => void socket.close(code, reason),
        onMessage: (receive) => {
          data.receive = receive;
        },
      },
      data,
    );
  }

  #onMessage(socket: Socket, text: string): void {
    socket.data.message = text;
    socket.data.receive?.(text).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, "a WebSocket's message was not taken");
      socket.close(CloseCode.InternalServerError, messageOf(error).slice(0, 100));
    });
  }

  #onClose(socket: Socket, code: number, reason: string): void {
    this.#open.delete(socket);
    socket.data.endAll();
    void socket.data.closed?.(code, reason);
  }

  /** Errors of the question as a whole; else what the library hands on to the client as it comes. */
  async #answer(
    { subscriptions, extra }: Context<Record<string, unknown>, SocketSession>,
    id: string,
    { query, variables, operationName, extensions }: Payload,
  ) {
    // The library hands on what it has parsed of the message, before anything else can come.
    const exact = variables ? (parseExactly(extra.message) as { payload?: Payload } | undefined) : undefined;
    if (Object.keys(subscriptions).length > MOST_OPERATIONS) {
      const problem = `${MOST_OPERATIONS} operations of this WebSocket are open, the most there may be.`;
      return [toGraphQLError(new BobbinError("OVERLOADED", problem))];
    }
    const result = await this.#options.ask({
      query,
      ...(variables ? { variables } : {}),
      ...(operationName ? { operationName } : {}),
      ...(extensions ? { extensions } : {}),
      exactVariables: exact?.payload?.variables ?? undefined,
      context: extra.begin(id),
    });
    if (!(Symbol.asyncIterator in result) && result.errors && result.data === undefined) {
      extra.end(id);
      return result.errors as GraphQLError[];
    }
    return { schema: undefined as never, document: UNREAD, contextValue: result };
  }
}

interface Payload {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly operationName?: string | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}
