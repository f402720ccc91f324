/** A service that answers with whatever bytes a test says, and a call to it. */
import type { Socket } from "bun";
import type { BobbinError } from "../../src/errors.ts";
import type { PostRequest } from "../../src/gateway/remote/http/call.ts";
import type { HttpAnswer } from "../../src/gateway/remote/http/http-answer.ts";
import type { HttpClient } from "../../src/gateway/remote/http/http-client.ts";
import { type Target, targetOf } from "../../src/gateway/remote/http/target.ts";

export interface RawService extends Disposable {
  readonly url: string;
  readonly port: number;
  /** Whole requests, as Latin-1. */
  readonly requests: string[];
  /** How many connections were made to it, and how many of them are open. */
  accepted: number;
  open: number;
}

interface Received {
  text: string;
}

/** `answer` is called for each whole request; the first one is number 1. */
export function rawService(
  answer: (socket: Socket<Received>, number: number) => void | Promise<void>,
  { hostname = "127.0.0.1" } = {},
): RawService {
  const requests: string[] = [];
  const server = Bun.listen<Received>({
    hostname,
    port: 0,
    socket: {
      open(socket) {
        socket.data = { text: "" };
        service.accepted += 1;
        service.open += 1;
      },
      close() {
        service.open -= 1;
      },
      data(socket, piece) {
        socket.data.text += piece.toString("latin1");
        const { text } = socket.data;
        const head = text.indexOf("\r\n\r\n");
        const [, length = 0] = /content-length: (\d+)/.exec(text) ?? [];
        if (head < 0 || text.length < head + 4 + Number(length)) return;
        socket.data.text = "";
        requests.push(text);
        void answer(socket, requests.length);
      },
    },
  });
  const service: RawService = {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.port}/graphql`,
    port: server.port,
    requests,
    accepted: 0,
    open: 0,
    [Symbol.dispose]: () => server.stop(true),
  };
  return service;
}

export function ok(body: string, headers = ""): string {
  return `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function post(
  client: HttpClient,
  to: string | Target,
  request: Partial<PostRequest> = {},
): Promise<HttpAnswer> {
  const target = typeof to === "string" ? targetOf(to, { "content-type": "application/json" }) : to;
  return client.post(target, {
    headers: {},
    body: '{"query":"{ n }"}',
    deadlineMs: 10_000,
    maxBytes: 1_000_000,
    isRepeatable: true,
    ...request,
  });
}

/** The text of the answer, or code and message of the refusal. */
export function said(answer: Promise<HttpAnswer>): Promise<string> {
  return answer.then(
    ({ body }) => body.toString(),
    ({ code, message }: BobbinError) => `${code}: ${message}`,
  );
}

/** Waits until it is so; the test's own time limit ends it where it never is. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5);
}
