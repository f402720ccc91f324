/**
 * The transport over Node's own HTTP client, as Node, Bun and Deno have it. Its sockets keep no process alive; where
 * somebody waits for an answer, the timer of the deadline does. Knows sockets; nothing of what is asked.
 */
import { after, builtin, within } from "./runtime.ts";
import {
  type Answer,
  type Call,
  MOST_CHARACTERS,
  OPEN_DEADLINE_MS,
  SILENCE_MS,
  type StreamCall,
  type Transport,
} from "./transport.ts";

interface Socket {
  unref(): void;
  write(text: string): unknown;
}

interface Incoming {
  readonly statusCode?: number;
  readonly headers: Record<string, string | string[] | undefined>;
  setEncoding(encoding: string): void;
  on(event: "data", listener: (text: string) => void): void;
  on(event: "end" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface Outgoing {
  on(event: "socket", listener: (socket: Socket) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "response", listener: (response: Incoming) => void): void;
  end(body?: string): void;
  destroy(error?: Error): void;
}

interface Agent {
  readonly freeSockets: Record<string, Socket[] | undefined>;
}

interface Http {
  request(url: string, options: object): Outgoing;
  Agent: new (options: object) => Agent;
}

const FREE_SOCKETS = 4;

/** Undefined where there is no such client. */
export function nodeTransport(): Transport | undefined {
  const plain = builtin<Http>("node:http");
  const secure = builtin<Http>("node:https");
  if (!plain || !secure) return undefined;
  const keep = { keepAlive: true, maxFreeSockets: FREE_SOCKETS };
  const over = {
    plain: { http: plain, agent: new plain.Agent(keep) },
    secure: { http: secure, agent: new secure.Agent(keep) },
  };
  const taken = new Set<Socket>();
  const clientOf = (url: string) => (url.startsWith("https:") ? over.secure : over.plain);

  return {
    async send(call) {
      const { http, agent } = clientOf(call.url);
      try {
        return await exchange(http, agent, call);
      } catch (error) {
        // The other side may have closed the kept connection in the very moment that it was used again.
        if (codeOf(error) !== "ECONNRESET") throw error;
        return exchange(http, agent, call);
      }
    },
    stream: (call) => follow(clientOf(call.url).http, call),
    sendAtOnce({ url, headers, body = "" }) {
      const { host, pathname } = new URL(url);
      const sockets = Object.values(clientOf(url).agent.freeSockets).flatMap((free) => free ?? []);
      const lines = Object.entries({ host, ...headers, "content-length": byteLength(body) });
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      // Each has a connection of its own while there are enough.
      const socket = sockets.find((free) => !taken.has(free)) ?? sockets[0];
      if (!socket) return false;
      taken.add(socket);
      socket.write(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`);
      return true;
    },
  };
}

function exchange(http: Http, agent: Agent, call: Call): Promise<Answer> {
  const { method, url, body, deadlineMs, attended } = call;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": byteLength(body) };
    const request = http.request(url, { method, agent, headers: { ...call.headers, ...length } });
    const wait = attended ? within : after;
    const cancel = wait(deadlineMs, () => request.destroy(new Error(`no answer within ${deadlineMs} ms`)));
    const fail = (error: Error) => {
      cancel();
      reject(error);
    };
    let text = "";
    request.on("socket", (socket) => socket.unref());
    request.on("error", fail);
    request.on("response", (response) => {
      response.setEncoding("utf8");
      response.on("error", fail);
      response.on("close", () => fail(new Error("the answer broke off")));
      response.on("data", (chunk) => {
        text += chunk;
        if (text.length > MOST_CHARACTERS) request.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => {
        cancel();
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.end(body);
  });
}

function follow(http: Http, { url, headers, signal, onOpen, onText }: StreamCall): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "GET", agent: false, headers });
    const end = (why: string) => () => request.destroy(new Error(why));
    let cancel = after(OPEN_DEADLINE_MS, end("no answer in time"));
    const finish = (error?: Error) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onAbort = end("given up");
    signal.addEventListener("abort", onAbort);
    request.on("socket", (socket) => socket.unref());
    request.on("error", finish);
    request.on("response", (response) => {
      const heard = () => {
        cancel();
        cancel = after(SILENCE_MS, end("silent for too long"));
      };
      heard();
      onOpen(response.statusCode ?? 0, (name) => String(response.headers[name] ?? "") || null);
      response.setEncoding("utf8");
      response.on("error", finish);
      response.on("data", (text) => {
        heard();
        onText(text);
      });
      response.on("end", () => finish());
      response.on("close", () => finish());
    });
    request.end();
  });
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
