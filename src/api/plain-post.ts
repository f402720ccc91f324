/**
 * Reads a plain POST of GraphQL over HTTP, the form that nearly every request has, and writes its answer.
 * Knows HTTP; nothing of how questions are answered.
 */
import { LRUCache } from "lru-cache";

export interface PlainPost {
  /** The body as it came. */
  readonly text: string;
  /** What it asks; undefined where it is anything but one question. */
  readonly question: PlainQuestion | undefined;
}

export interface PlainQuestion {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

const JSON_TYPE = /^\s*application\/json\s*($|;)/i;
const NO_VARIABLES = Object.freeze({});

export function isPlainPost(request: Request): boolean {
  if (request.method !== "POST") return false;
  const type = request.headers.get("content-type");
  return type === "application/json" || (type !== null && JSON_TYPE.test(type));
}

export async function readPlainPost(request: Request): Promise<PlainPost> {
  const text = await request.text();
  return { text, question: questionIn(text) };
}

/** The same request, for another to read. */
export function unread({ url, method, headers, signal }: Request, text: string): Request {
  return new Request(url, { method, headers, signal, body: text });
}

function questionIn(text: string): PlainQuestion | undefined {
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

/** The media type that is answered to each Accept header: as Yoga chose it when it came first. */
export class AnswerTypes {
  readonly #types = new LRUCache<string, { headers: Record<string, string> }>({ max: 100 });
  /** What was looked up last: nearly every request has the same. */
  #last: { accept: string; type: { headers: Record<string, string> } | undefined } | undefined;

  /** How an answer begins; undefined where that is not known yet. */
  of({ headers }: Request): { headers: Record<string, string> } | undefined {
    const accept = headers.get("accept") ?? "";
    if (accept !== this.#last?.accept) this.#last = { accept, type: this.#types.get(accept) };
    return this.#last.type;
  }

  /** Takes note of how Yoga answered. */
  learn(request: Request, { status, headers }: Response): void {
    const type = headers.get("content-type") ?? "";
    if (status !== 200 || !RESULT_TYPE.test(type)) return;
    this.#types.set(request.headers.get("accept") ?? "", { headers: { "content-type": type } });
    this.#last = undefined;
  }
}
