/**
 * Where the answers of two roads to one question differ. Knows answers; nothing of how they came about.
 *
 * The roads differ by right in what services with types of their own (stitched on the reference road) did wrong:
 *
 * | what a service did                       | quick road             | reference road             | compared as       |
 * | ---------------------------------------- | ---------------------- | -------------------------- | ----------------- |
 * | an error below a list of lists           | its place              | a place without indices    | without its place |
 * | several errors below what is null by one | the one that made null | those that came until then | one, at the null  |
 *
 * Where such a service is well, stitching differs all the same:
 * - of a field of which it leaves nothing to ask, it gives an error of its own: that answer is not compared;
 * - it may ask for fragments that it has dropped, which these services forgive;
 * - of a field that is asked for twice, once with @skip or @include, it may give null: the operation is compared as one
 *   in which these are decided already.
 *
 * The quick road asks no more often, but where what waited to go along with something later turns out to be alone.
 */
import type { Outcome, RoadAnswer } from "./roads.ts";

interface AnyError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Record<string, unknown>;
}

/** Of an outcome's two answers; empty where they are one. `isStitched`: whether a service has types of its own. */
export function differences(
  { road, quick, reference }: Outcome,
  isStitched: (service: string) => boolean,
): string[] {
  const found = [
    ...invalid(quick),
    ...invalid({ requests: reference.requests.filter(({ service }) => !isStitched(service)) }),
  ];
  if (dataText(quick) !== dataText(reference)) found.push("the data");
  const all = [...errorsOf(quick), ...errorsOf(reference)];
  const listed = new Set(
    all
      .filter(({ path = [] }) => path.some(isListOfLists))
      .map(({ extensions }) => String(extensions?.service)),
  );
  const comparable = (answer: RoadAnswer) =>
    new Set(errorsOf(answer).map((error) => comparableError(error, answer, isStitched, listed)));
  const [mine, others] = [comparable(quick), comparable(reference)];
  for (const error of mine.difference(others)) found.push(`only the quick road tells ${error}`);
  for (const error of others.difference(mine)) found.push(`only the reference road tells ${error}`);
  const asked = quick.requests.filter(({ body }) => !EMPTY_SET.test(body)).length;
  if (road === "quick" && all.length === 0 && asked > reference.requests.length)
    found.push(`${asked} requests instead of ${reference.requests.length}`);
  for (const body of sentTwice(quick)) found.push(`a mutation was sent twice: ${body}`);
  return found;
}

/** What could be asked earlier waits for a later request to its service, which is then made for that alone. */
const EMPTY_SET = /"_e\d+":\[\]/;

/** Whether the reference road could not make a request of the operation. */
export function isUnasked({ reference }: Outcome): boolean {
  return errorsOf(reference).some(({ message }) => message.startsWith("Failed to create a gateway request."));
}

/** The data with every number as it is written, and nothing else of how it is. */
export function dataText({ text }: Pick<RoadAnswer, "text">): string {
  const reviver = (_key: string, value: unknown, context?: { source: string }) =>
    typeof value === "number" && context ? { number: context.source } : value;
  return JSON.stringify((JSON.parse(text, reviver) as { data?: unknown }).data) ?? "none";
}

export function errorsOf({ body }: Pick<RoadAnswer, "body">): readonly AnyError[] {
  return body.errors ?? [];
}

function comparableError(
  { message, path = [], extensions = {} }: AnyError,
  { body }: RoadAnswer,
  isStitched: (service: string) => boolean,
  listed: ReadonlySet<string>,
): string {
  const service = String(extensions.service);
  const entries = Object.entries(extensions).sort(([a], [b]) => (a < b ? -1 : 1));
  if (!isStitched(service)) return JSON.stringify({ message, path, entries });
  const nulled = pathToNull(body.data, path);
  if (nulled.length < path.length) return JSON.stringify({ nulled });
  return JSON.stringify(listed.has(service) ? { message, entries } : { message, path, entries });
}

function isListOfLists(key: string | number, i: number, path: readonly (string | number)[]): boolean {
  return typeof key === "number" && typeof path[i + 1] === "number";
}

/** As far as there is something. */
function pathToNull(data: unknown, path: readonly (string | number)[]): readonly (string | number)[] {
  let value = data;
  for (const [i, key] of path.entries()) {
    if (typeof value !== "object" || value === null) return path.slice(0, i);
    value = (value as Record<string | number, unknown>)[key];
  }
  return path;
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
