/**
 * What gateway workers may ask of the writer, and who answers it there: its own services, its door's routes, its
 * scheduler. Knows the protocol; nothing of processes.
 */
import type { Snapshot } from "../gateway/snapshot.ts";
import { bodyOf, partsOf } from "../plugins/runner/http-parts.ts";
import type { Handlers } from "../plugins/runner/peer.ts";
import type { HttpPart, HttpRequest } from "../plugins/runner/protocol.ts";
import { LocalCalls, type LocalCallsOptions } from "./local-calls.ts";
import type { WriterProtocol } from "./protocol.ts";

export interface WriterEndOptions extends LocalCallsOptions {
  /** Of the gateway's door. */
  readonly routes: (request: Request, path: string) => Response | Promise<Response>;
  readonly hint: (service: string, origin: string) => void;
}

export class WriterEnd {
  readonly handlers: Handlers<WriterProtocol>;
  readonly #options: WriterEndOptions;
  readonly #local: LocalCalls;

  constructor(options: WriterEndOptions) {
    const local = new LocalCalls(options);
    this.#local = local;
    this.#options = options;
    this.handlers = {
      calls: {
        ask: (question, signal) => local.ask(question, signal),
        hint: ({ service, origin }) => options.hint(service, origin),
      },
      streams: {
        subscribe: (question, signal) => local.subscribe(question, signal),
        fetch: (request, signal) => this.#fetch(request, signal),
      },
    };
  }

  /** There is another graph. */
  onSnapshot(snapshot: Snapshot): void {
    this.#local.onSnapshot(snapshot);
  }

  async *#fetch(handed: HttpRequest, signal: AbortSignal): AsyncGenerator<HttpPart, void, undefined> {
    const { url, method, headers } = handed;
    const request = new Request(url, { method, headers, body: bodyOf(handed), signal });
    yield* partsOf(await this.#options.routes(request, new URL(url).pathname), signal);
  }
}
