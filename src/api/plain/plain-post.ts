/**
 * Reads what a plain POST of GraphQL over HTTP asks, the form that nearly every request has, and how it is answered.
 * Knows HTTP; nothing of how questions are answered.
 */
import { LRUCache } from "lru-cache";

export interface PlainQuestion {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

export const JSON_TYPE = /^\s*application\/json\s*($|;)/i;
const NO_VARIABLES = Object.freeze({});

export function isPlainPost(request: Request): boolean {
  if (request.method !== "POST") return false;
  const type = request.headers.get("content-type");
  return type === "application/json" || (type !== null && JSON_TYPE.test(type));
}

/** The same request, for another to read. */
export function unread({ url, method, headers, signal }: Request, text: string): Request {
  return new Request(url, { method, headers, signal, body: text });
}

/** What the body asks; undefined where it is anything but one question. */
export function questionIn(text: string): PlainQuestion | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body === null) return undefined;
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  if (typeof query !== "string" || (extensions !== undefined && extensions !== null)) return undefined;
  if (operationName !== undefined && operationName !== null && typeof operationName !== "string")
    return undefined;
  if (variables === undefined || variables === null)
    return { query, operationName: operationName || undefined, variables: NO_VARIABLES };
  if (typeof variables !== "object" || Array.isArray(variables)) return undefined;
  return {
    query,
    operationName: operationName || undefined,
    variables: variables as Record<string, unknown>,
  };
}

const RESULT_TYPE = /^application\/(graphql-response\+)?json\b/;

type AnswerHeaders = Readonly<Record<string, string>>;

/** The media type that is answered to each Accept header: as Yoga chose it when it came first. */
export class AnswerTypes {
  readonly #types = new LRUCache<string, AnswerHeaders>({ max: 100 });
  readonly #others: AnswerHeaders;
  /** What was looked up last: nearly every request has the same. */
  #last: { accept: string; headers: AnswerHeaders | undefined } | undefined;

  /** `others`: headers that go with every answer. */
  constructor(others: AnswerHeaders) {
    this.#others = others;
  }

  /** Undefined where the type is not known yet. */
  headersFor(accept: string): AnswerHeaders | undefined {
    if (accept !== this.#last?.accept) this.#last = { accept, headers: this.#types.get(accept) };
    return this.#last.headers;
  }

  /** Takes note of how Yoga answered. */
  learn(accept: string, { status, headers }: Response): void {
    const type = headers.get("content-type") ?? "";
    if (status !== 200 || !RESULT_TYPE.test(type)) return;
    this.#types.set(accept, { "content-type": type, ...this.#others });
    this.#last = undefined;
  }
}
