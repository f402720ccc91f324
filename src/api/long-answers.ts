/**
 * GraphQL's answers with long lists, written in pieces with turns for other requests between them.
 * Knows results, and how Yoga has them written; nothing of what they say.
 */
import type { ExecutionResult } from "graphql";
import type { Plugin } from "graphql-yoga";
import { bodyOf, inPieces } from "./json-list.ts";

/** Items of a root field; shorter lists are written at once. */
const MANY = 100;

/** The answer is one JSON text then, not events of a stream or parts of several. */
const TAKES_JSON = /\*\/\*|application\/(\*|json|graphql-response\+json)/i;

export const longAnswers: Plugin = {
  onResultProcess({ request, result, setResult }) {
    if (!("data" in result) || !result.data || !Object.values(result.data).some(isLong)) return;
    if (!TAKES_JSON.test(request.headers.get("accept") ?? "*/*")) return;
    // What `stringify` returns is the answer's body: Yoga takes whatever a Response takes.
    setResult({ ...result, stringify: (whole: Written) => bodyOf(inPieces(textsOf(whole))) as string });
  },
};

type Written = ExecutionResult & { stringify?: unknown };

function isLong(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > MANY;
}

function* textsOf({ stringify: _, ...result }: Written): Generator<string> {
  yield* members(result, (value, key) => (key === "data" ? members(value as object, listTexts) : undefined));
}

/** An object's JSON; `texts` of a value that is not written at once. */
function* members(
  object: object,
  texts: (value: unknown, key: string) => Iterable<string> | undefined,
): Generator<string> {
  let before = "{";
  for (const [key, value] of Object.entries(object)) {
    const name = `${before}${JSON.stringify(key)}:`;
    const inTurns = texts(value, key);
    const atOnce = inTurns ? "" : JSON.stringify(value);
    // As JSON has it: what cannot be written is left out.
    if (atOnce === undefined) continue;
    yield name + atOnce;
    if (inTurns) yield* inTurns;
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}

function listTexts(value: unknown): Iterable<string> | undefined {
  return isLong(value) ? items(value) : undefined;
}

function* items(list: readonly unknown[]): Generator<string> {
  let before = "[";
  for (const item of list) {
    yield before + (JSON.stringify(item) ?? "null");
    before = ",";
  }
  yield "]";
}
