/**
 * A refusal as each kind of door says it: problem+json (RFC 9457) for REST, `errors` for GraphQL.
 * Knows the codes; nothing of why they are given.
 */
import { GraphQLError } from "graphql";
import { type BobbinError, ERROR_TABLE } from "../errors.ts";

export function problem({ code, status, message }: BobbinError): Response {
  const body = { type: "about:blank", title: ERROR_TABLE[code][1], status, detail: message, code };
  return Response.json(body, { status, headers: { "content-type": "application/problem+json" } });
}

/** A refusal before GraphQL is looked at. */
export function graphqlRefusal({ code, status, message }: BobbinError): Response {
  return Response.json({ errors: [{ message, extensions: { code } }] }, { status });
}

/** A refusal inside an answer of GraphQL; Yoga takes the HTTP status from `http`, and leaves it out. */
export function toGraphQLError({ code, status, message }: BobbinError, http = true): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...(http ? { http: { status } } : {}) } });
}
