/**
 * The forms in which services answer over HTTP: as GraphQL servers do, in ways that are odd but right, and wrong.
 * Knows results; nothing of what they are for.
 */
import { type DocumentNode, visit } from "graphql";

export const ODD_FORMS = [
  "pretty",
  "reversed",
  "escaped",
  "spaced",
  "other type",
  "number ids",
  "status",
] as const;
export const WRONG_FORMS = [
  "html",
  "500",
  "torn",
  "extra keys",
  "few entities",
  "shapes",
  "no data",
  "empty",
] as const;

export type Form = (typeof ODD_FORMS)[number] | (typeof WRONG_FORMS)[number];
export type Result = { data?: Record<string, unknown> | null; errors?: unknown[] };

const JSON_TYPE = { "content-type": "application/json" };

/** The result as a response in the form; as GraphQL servers answer unless there is one. */
export function formed(form: Form | undefined, result: Result, document: DocumentNode): Response {
  const answer = (body: unknown, init: ResponseInit = { headers: JSON_TYPE }) =>
    new Response(typeof body === "string" ? body : JSON.stringify(body), init);
  const { data } = result;
  switch (form) {
    case "pretty":
      return answer(JSON.stringify(result, null, 2));
    case "reversed":
      return answer(reversed(result));
    case "escaped":
      return answer(
        JSON.stringify(result).replace(
          /[^ -~]/g,
          (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
        ),
      );
    case "spaced":
      return answer(`\n ${JSON.stringify(result)}\r\n`);
    case "other type":
      return answer(result, {
        headers: { "content-type": "application/graphql-response+json; charset=utf-8" },
      });
    case "status":
      return answer({ ...result, extensions: { cost: 1 } });
    case "number ids":
      return answer(JSON.stringify(result).replace(/"(\d{1,3})"(?!:)/g, "$1"));
    case "html":
      return answer("<html>not here</html>", { status: 502, headers: { "content-type": "text/html" } });
    case "500":
      return answer(
        { errors: [{ message: "out of order", extensions: { code: "DOWN" } }] },
        { status: 500, headers: JSON_TYPE },
      );
    case "torn":
      return answer(JSON.stringify(result).slice(0, -3));
    case "extra keys":
      return answer({ ...result, data: data && { ...data, notAsked: 1 } });
    case "few entities":
      return answer({
        ...result,
        data:
          data &&
          mapped(data, document, (value, isEntities) => (isEntities ? (value as unknown[]).slice(1) : value)),
      });
    case "shapes":
      return answer({
        ...result,
        data:
          data &&
          mapped(data, document, (value, isEntities) =>
            isEntities ? (value as unknown[]).map(() => "text") : Array.isArray(value) ? {} : [value],
          ),
      });
    case "no data":
      return answer({ data: null });
    case "empty":
      return answer("");
    default:
      return answer(result);
  }
}

function mapped(
  data: Record<string, unknown>,
  document: DocumentNode,
  change: (value: unknown, isEntities: boolean) => unknown,
): Record<string, unknown> {
  const entities = new Set<string>();
  visit(document, {
    Field({ name, alias }) {
      if (name.value === "_entities") entities.add((alias ?? name).value);
    },
  });
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, change(value, entities.has(key))]),
  );
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}
