/**
 * A GraphQL request with files, as the GraphQL multipart request specification has it: `operations` is the request,
 * `map` says which file belongs where in its variables. Knows the form only; nothing of the schema.
 */
import type { GraphQLParams } from "graphql-yoga";
import { BobbinError } from "../errors.ts";
import { parseExactly } from "../gateway/values/exact-numbers.ts";
import { type Part, parseMultipart } from "./multipart.ts";

export interface WrittenParams {
  readonly params: GraphQLParams;
  /** The same with its numbers as they are written, where that makes a difference. */
  readonly exact: GraphQLParams | undefined;
}

const MOST_FILES = 20;
/** Of the whole form, so that it can be said how many files too many it has. */
const MOST_PARTS = 1_000;
/** Places in the variables, over all files. */
const MOST_PLACES = 100;
const MAX_OPERATIONS_BYTES = 1_048_576;
const MAX_MAP_BYTES = 16_384;

/** Throws GRAPHQL_REQUEST_INVALID, or the SyntaxError of what is not JSON. */
export async function uploadRequest(request: Request): Promise<WrittenParams> {
  const body = Buffer.from(await request.arrayBuffer());
  const parts = parseMultipart(body, request.headers.get("content-type") ?? "", MOST_PARTS);
  const files = filesOf(parts);
  const operations = textOf(parts, "operations", MAX_OPERATIONS_BYTES);
  if (operations === undefined) throw invalid("The form has no field operations.");
  const params: unknown = JSON.parse(operations);
  if (!isObject(params)) throw invalid("The field operations is not an object.");
  const exact = parseExactly(operations) as GraphQLParams | undefined;
  const map = placesOf(JSON.parse(textOf(parts, "map", MAX_MAP_BYTES) ?? "{}"));
  const unplaced = [...files.keys()].find((name) => !map.has(name));
  if (unplaced !== undefined) throw invalid(`The map does not say where the file ${unplaced} belongs.`);
  for (const [name, places] of map) {
    const file = files.get(name);
    if (!file) throw invalid(`The map names a file ${name} that the form does not have.`);
    for (const place of places) {
      put(params, place, file);
      if (exact) put(exact, place, file);
    }
  }
  return { params: params as GraphQLParams, exact };
}

function textOf(parts: readonly Part[], name: string, maxBytes: number): string | undefined {
  const [part, second] = parts.filter((each) => each.name === name);
  if (second || part?.filename !== undefined) throw invalid(`The form's field ${name} has to be one text.`);
  if (part && part.content.byteLength > maxBytes)
    throw invalid(`The form's field ${name} is larger than ${maxBytes} bytes.`);
  return part && Buffer.from(part.content).toString("utf8");
}

function filesOf(parts: readonly Part[]): Map<string, File> {
  const files = new Map<string, File>();
  for (const { name, filename, type, content } of parts) {
    if (filename === undefined) continue;
    if (files.has(name)) throw invalid(`The form has two files ${name}.`);
    files.set(name, new File([content], filename, { type }));
  }
  if (files.size > MOST_FILES)
    throw invalid(`The form has ${files.size} files, and a request takes ${MOST_FILES} at most.`);
  return files;
}

/** Name of a file → the places that it belongs at. */
function placesOf(map: unknown): Map<string, readonly string[]> {
  const places = isObject(map) ? Object.entries(map) : undefined;
  if (!places?.every((entry): entry is [string, string[]] => isTexts(entry[1])))
    throw invalid("The field map is not an object with a list of places for each file.");
  if (places.flatMap(([, each]) => each).length > MOST_PLACES)
    throw invalid(`The map has more than ${MOST_PLACES} places.`);
  return new Map(places);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
}

/** The place has to be there, with null: only what `operations` has itself is ever written to. */
function put(params: object, place: string, file: File): void {
  const [first, ...rest] = place.split(".");
  const last = rest.pop();
  let target: unknown = first === "variables" && last !== undefined ? member(params, first) : undefined;
  for (const key of rest) target = member(target, key);
  if (last === undefined || member(target, last) !== null)
    throw invalid(`The map names ${place}, which is no null among the variables.`);
  (target as Record<string, unknown>)[last] = file;
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): BobbinError {
  return new BobbinError("GRAPHQL_REQUEST_INVALID", message);
}
