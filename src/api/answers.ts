/**
 * A refusal as each kind of door says it: problem+json (RFC 9457) for REST, `errors` for GraphQL.
 * Knows the codes; nothing of why they are given.
 */
import { GraphQLError } from "graphql";
import { type BobbinError, ERROR_TABLE, type ErrorCode } from "../errors.ts";

export function problem(error: BobbinError): Response {
  const { code, status, message, place, step } = error;
  const more = { ...place, ...(step ? { step } : {}) };
  const body = { type: "about:blank", title: ERROR_TABLE[code][1], status, detail: message, code, ...more };
  const headers = { ...headersOf(error), "content-type": "application/problem+json" };
  return Response.json(body, { status, headers });
}

/** A refusal before GraphQL is looked at. */
function graphqlRefusal(error: BobbinError): Response {
  const { code, status, message } = error;
  return Response.json(
    { errors: [{ message, extensions: { code } }] },
    { status, headers: headersOf(error) },
  );
}

/** What HTTP wants to be said with the status. */
function headersOf({ code, allow }: BobbinError): Record<string, string> {
  return {
    ...(code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
    ...(allow ? { allow: allow.join(", ") } : {}),
  };
}

/** A refusal in the form of the door that the path leads to. */
export function refusal(error: BobbinError, path: string): Response {
  return path.endsWith("/graphql") ? graphqlRefusal(error) : problem(error);
}

/** Codes that concern the request as a whole; any other concerns one field, and the rest of the answer counts. */
const OF_THE_REQUEST: ReadonlySet<ErrorCode> = new Set([
  "UNSUPPORTED_MEDIA_TYPE",
  "NOT_ACCEPTABLE",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "FORBIDDEN_ORIGIN",
  "INVALID_JSON",
  "GRAPHQL_REQUEST_INVALID",
]);

/** A refusal inside an answer of GraphQL; Yoga takes HTTP's status and headers from `http`, and leaves it out. */
export function toGraphQLError(error: BobbinError): GraphQLError {
  const { code, status, message } = error;
  const http = OF_THE_REQUEST.has(code) ? { http: { status, headers: headersOf(error) } } : {};
  return new GraphQLError(message, { extensions: { code, ...http } });
}
