/**
 * Answers plain questions as they come off the wire: what their head says is looked at once for all that have it, and
 * where the answer is text already, it is written without a Request and a Response. All others become a Request and
 * pass the front like everything else. Knows heads and answers; nothing of sockets.
 */
import type { GatewayContext } from "../../gateway/remote/request-context.ts";
import { hopsOf, MAX_HOPS } from "../../http.ts";
import { type Fetch, type FrontOptions, headersOnTheWayOut, withFront } from "../front.ts";
import type { AnswerBody, Graph } from "../graph.ts";
import type { Answer, Client, Questions } from "./connection.ts";
import type { PlainHead } from "./plain-head.ts";
import { dateLine, headerLines, responseBytes } from "./response-bytes.ts";

const PATH = "/graphql";

/** What was found out about a head that passes the front. */
interface Admission {
  readonly hops: number;
  readonly writeToken: string | undefined;
  /** What every answer gets on its way out. */
  readonly lines: string;
  /** How an answer begins that says this of itself. */
  readonly beginnings: WeakMap<AnswerBody["headers"], string>;
}

export class PlainDoor implements Questions {
  readonly #graph: Pick<Graph, "answerAtOnce">;
  readonly #fetch: Fetch;
  readonly #front: FrontOptions;
  /** Null: the front has something to say about it. */
  readonly #admissions = new WeakMap<PlainHead, Admission | null>();

  /** `fetch`: answers whatever is not answered at once. */
  constructor(graph: Pick<Graph, "answerAtOnce">, fetch: Fetch, front: FrontOptions) {
    this.#graph = graph;
    this.#fetch = fetch;
    this.#front = front;
  }

  answer(head: PlainHead, text: string, client: Client): Promise<Answer> {
    const admission = this.#admissions.get(head);
    const answer = admission && this.#answerAtOnce(admission, head, text, client);
    return answer ?? this.#answer(admission, head, text, client);
  }

  #answerAtOnce(
    admission: Admission,
    head: PlainHead,
    text: string,
    client: Client,
  ): Promise<Answer> | undefined {
    const context = new PlainContext(head, client, admission);
    const accept = head.headers.get("accept") ?? "";
    const answering = this.#graph.answerAtOnce({ text, accept, context });
    return answering && this.#written(answering, admission, context);
  }

  async #answer(
    admission: Admission | null | undefined,
    head: PlainHead,
    text: string,
    client: Client,
  ): Promise<Answer> {
    // The next one with this head may be answered at once.
    if (admission === undefined) this.#admissions.set(head, await this.#admit(head));
    return responseBytes(await this.#fetch(requestOf(head, client, text)));
  }

  onFault(error: unknown): void {
    this.#front.log.error({ err: error, path: PATH }, "a request failed");
  }

  async #written(
    answering: Promise<AnswerBody | Response>,
    { beginnings, lines }: Admission,
    context: PlainContext,
  ): Promise<Answer> {
    let answer: AnswerBody | Response | undefined;
    try {
      answer = await answering;
    } catch {
      // The front tells it, as it tells everything that fails.
    }
    if (!answer || answer instanceof Response)
      return responseBytes(
        await withFront(() => answering as Promise<Response>, this.#front)(context.request),
      );
    const { body, headers } = answer;
    let beginning = beginnings.get(headers);
    if (beginning === undefined) {
      beginning = `HTTP/1.1 200 OK\r\n${headerLines(Object.entries(headers))}${lines}`;
      beginnings.set(headers, beginning);
    }
    return { head: `${beginning}${dateLine()}content-length: ${body.length}\r\n\r\n`, body };
  }

  /** What the front and the graph's door check of every request. */
  async #admit({ url, headers }: PlainHead): Promise<Admission | null> {
    const { guard } = this.#front;
    const hops = hopsOf(headers);
    try {
      guard.checkHost({ url, headers });
    } catch {
      return null;
    }
    if (hops > MAX_HOPS) return null;
    return {
      hops,
      writeToken: await guard.writeToken({ url, headers }),
      lines: headerLines(headersOnTheWayOut({ url, headers }, PATH, this.#front)),
      beginnings: new WeakMap(),
    };
  }
}

/** Of a question for which nobody may ever want a Request. */
class PlainContext implements GatewayContext {
  readonly #head: PlainHead;
  readonly #client: Client;
  readonly hops: number;
  readonly writeToken: string | undefined;
  #request: Request | undefined;

  constructor(head: PlainHead, client: Client, { hops, writeToken }: Admission) {
    this.#head = head;
    this.#client = client;
    this.hops = hops;
    this.writeToken = writeToken;
  }

  get headers(): PlainHead["headers"] {
    return this.#head.headers;
  }

  /** Without a body, which was read. */
  get request(): Request {
    this.#request ??= requestOf(this.#head, this.#client);
    return this.#request;
  }
}

function requestOf({ url, headers }: PlainHead, { signal }: Client, body?: string): Request {
  return new Request(url, {
    method: "POST",
    headers: [...headers],
    signal,
    ...(body === undefined ? {} : { body }),
  });
}
