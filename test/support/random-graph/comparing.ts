/**
 * Where the answers of two roads to one question differ. Knows answers; nothing of how they came about.
 *
 * The quick road asks no more often, but where what waited to go along with something later turns out to be alone.
 */
import type { Outcome, RoadAnswer } from "./roads.ts";

interface AnyError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Record<string, unknown>;
}

/** Of an outcome's two answers; empty where they are one. */
export function differences({ road, quick, reference }: Outcome): string[] {
  const found = [...invalid(quick), ...invalid(reference)];
  if (dataText(quick) !== dataText(reference)) found.push("the data");
  const [mine, others] = [new Set(errorTexts(quick)), new Set(errorTexts(reference))];
  for (const error of mine.difference(others)) found.push(`only the quick road tells ${error}`);
  for (const error of others.difference(mine)) found.push(`only the reference road tells ${error}`);
  const asked = quick.requests.filter(({ body }) => !EMPTY_SET.test(body)).length;
  const isWell = mine.size === 0 && others.size === 0;
  if (road === "quick" && isWell && asked > reference.requests.length)
    found.push(`${asked} requests instead of ${reference.requests.length}`);
  for (const body of sentTwice(quick)) found.push(`a mutation was sent twice: ${body}`);
  return found;
}

/** What could be asked earlier waits for a later request to its service, which is then made for that alone. */
const EMPTY_SET = /"_e\d+":\[\]/;

/** The data with every number as it is written, and nothing else of how it is. */
export function dataText({ text }: Pick<RoadAnswer, "text">): string {
  const reviver = (_key: string, value: unknown, context?: { source: string }) =>
    typeof value === "number" && context ? { number: context.source } : value;
  return JSON.stringify((JSON.parse(text, reviver) as { data?: unknown }).data) ?? "none";
}

function errorTexts({ body }: Pick<RoadAnswer, "body">): string[] {
  return ((body.errors ?? []) as readonly AnyError[]).map(({ message, path = [], extensions = {} }) => {
    const entries = Object.entries(extensions).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify({ message, path, entries });
  });
}

function invalid({ requests }: Pick<RoadAnswer, "requests">): string[] {
  return requests.flatMap(({ service, body, problem }) =>
    problem ? `${service} got a request that is not valid: ${problem}\n${body}` : [],
  );
}

function sentTwice({ requests }: RoadAnswer): string[] {
  const bodies = requests
    .filter(({ body }) => body.startsWith('{"query":"mutation'))
    .map(({ service, body }) => `${service} ${body}`);
  return bodies.filter((body, i) => bodies.indexOf(body) < i);
}
