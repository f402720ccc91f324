/**
 * One GraphQL request over HTTP: bounded in time and size, and whatever comes back that is not GraphQL is an error
 * with a code. Knows HTTP; not which service it asks or what for.
 * (graphql-tools' executor-http bounds neither the size of an answer nor the calls in flight, and the measurements
 * in the README show what its layers cost.)
 */
import type { ExecutionResult } from "graphql";
import { BobbinError } from "../../errors.ts";
import { DOOR_HEADER, readBytesAtMost } from "../../http.ts";
import { httpPlace } from "../../unix-url.ts";
import { tooLarge } from "./http/answer-head.ts";
import { outOfTime, unreachable } from "./http/call.ts";
import { HttpAnswer } from "./http/http-answer.ts";
import { FORM_HEADERS } from "./request-body.ts";

export interface GraphQLCall {
  url: string;
  /** The JSON text of `{ query, variables, operationName }`, or a form that has it together with files. */
  body: string | FormData;
  headers: Record<string, string>;
  signal: AbortSignal;
  maxBytes: number;
}

export interface GraphQLAnswer {
  result: ExecutionResult;
  /** What `result` was parsed from. */
  text: string;
}

export const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

/** Throws SERVICE_TIMEOUT, SERVICE_UNAVAILABLE or INVALID_SERVICE_RESPONSE. */
export async function callGraphQL(call: GraphQLCall): Promise<GraphQLAnswer & Pick<HttpAnswer, "door">> {
  const answer = await sendGraphQL(call);
  return { ...readAnswer(answer), door: answer.door };
}

/** Throws SERVICE_TIMEOUT or SERVICE_UNAVAILABLE, or INVALID_SERVICE_RESPONSE where the answer is too large. */
export async function sendGraphQL({
  url,
  body,
  headers,
  signal,
  maxBytes,
}: GraphQLCall): Promise<HttpAnswer> {
  let response: Response;
  let bytes: Buffer<ArrayBuffer> | undefined;
  try {
    const { url: to, ...socket } = httpPlace(url);
    response = await fetch(to, {
      ...socket,
      method: "POST",
      headers: {
        ...headers,
        // That of a form has its boundary, which fetch chooses.
        ...(typeof body === "string" ? { "content-type": "application/json" } : FORM_HEADERS),
        accept: ACCEPT,
      },
      body,
      signal,
      redirect: "manual",
    });
    bytes = await readBytesAtMost(response, maxBytes);
  } catch (error) {
    throw signal.aborted ? outOfTime(error) : unreachable(error);
  }
  if (bytes === undefined) throw tooLarge(maxBytes);
  const { status, headers: answered } = response;
  const contentType = answered.get("content-type") ?? "";
  return new HttpAnswer({ status, contentType, encoding: "", door: answered.get(DOOR_HEADER) }, bytes);
}

/** Throws INVALID_SERVICE_RESPONSE. */
export function readAnswer({ body, status }: HttpAnswer): GraphQLAnswer {
  const text = body.toString("utf8");
  return { result: parseResult(text, status), text };
}

/** GraphQL servers answer errors with any status, so the body decides. */
function parseResult(text: string, status: number): ExecutionResult {
  let result: unknown;
  try {
    result = JSON.parse(text);
  } catch (error) {
    throw invalid(`The service answered ${status} with something that is not JSON.`, error);
  }
  if (!isGraphQLResult(result)) throw notGraphQL(status);
  return result;
}

/** Whether it has the form of a result: data, or errors that say why there is none. */
export function isGraphQLResult(value: unknown): value is ExecutionResult {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { data, errors } = value as Record<string, unknown>;
  const hasData = typeof data === "object" && !Array.isArray(data);
  const areErrors = Array.isArray(errors) && errors.every(isError);
  if (errors !== undefined && errors !== null && !areErrors) return false;
  const hasErrors = areErrors && errors.length > 0;
  return (hasData || hasErrors) && !(data === null && !hasErrors);
}

function isError(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { message?: unknown }).message === "string"
  );
}

function notGraphQL(status: number): BobbinError {
  return invalid(`The service answered ${status} with JSON that is not a GraphQL answer.`);
}

function invalid(message: string, cause?: unknown): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", message, { cause });
}
