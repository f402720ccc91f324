/**
 * Keeps pages of other origins from sending what a browser sends for any page without asking first. Knows headers only.
 */
import { BobbinError } from "../errors.ts";

/** Bodies that a browser sends for any page without asking first. */
const UNASKED = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;
const PREFLIGHT_HEADERS = [
  "graphql-require-preflight",
  "apollo-require-preflight",
  "x-apollo-operation-name",
  "x-graphql-yoga-csrf",
];

/** Any page could post a form here with the user's cookies: such a body needs a header that no form can send. */
export function checkPreflight(request: Request): void {
  if (request.method !== "POST") return;
  const type = request.headers.get("content-type");
  if (type !== null && !UNASKED.test(type)) return;
  if (PREFLIGHT_HEADERS.some((name) => request.headers.has(name))) return;
  throw new BobbinError(
    "PREFLIGHT_REQUIRED",
    `Send content-type: application/json, or the header ${PREFLIGHT_HEADERS[0]}.`,
  );
}
