/**
 * One GraphQL request over HTTP: bounded in time and size, and whatever comes back that is not GraphQL is an error
 * with a code. Knows HTTP; not which service it asks or what for.
 * (graphql-tools' executor-http bounds neither the size of an answer nor the calls in flight, and the measurements
 * in the README show what its layers cost.)
 */
import type { ExecutionResult } from "graphql";
import { BobbinError } from "../../errors.ts";
import { connectionReason, DOOR_HEADER, readAtMost } from "../../http.ts";
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
  /** The door header of the answer, where another bobbin (or this one) gave it. */
  door: string | null;
}

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";

/** Throws SERVICE_TIMEOUT, SERVICE_UNAVAILABLE or INVALID_SERVICE_RESPONSE. */
export async function callGraphQL({
  url,
  body,
  headers,
  signal,
  maxBytes,
}: GraphQLCall): Promise<GraphQLAnswer> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await fetch(url, {
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
    text = await readAtMost(response, maxBytes);
  } catch (error) {
    if (signal.aborted)
      throw new BobbinError("SERVICE_TIMEOUT", "The service did not answer in time.", { cause: error });
    throw new BobbinError(
      "SERVICE_UNAVAILABLE",
      `The service could not be reached: ${connectionReason(error)}.`,
      {
        cause: error,
      },
    );
  }
  if (text === undefined) throw invalid(`The service's answer is larger than ${maxBytes} bytes.`);
  return { result: parseResult(text, response.status), text, door: response.headers.get(DOOR_HEADER) };
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
