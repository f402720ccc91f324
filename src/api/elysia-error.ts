/**
 * What Elysia throws, as a refusal with a code. Knows Elysia's names for its errors.
 */
import { ValidationError } from "elysia";
import { BobbinError, toBobbinError } from "../errors.ts";

export interface DoorRoute {
  readonly method: string;
  readonly path: string;
}

export function elysiaError(
  error: unknown,
  code: string | number,
  request: Request,
  routes: readonly DoorRoute[],
): BobbinError {
  // First, because Elysia takes the code of any error for one of its own.
  if (error instanceof BobbinError) return error;
  // A path that is no text: nothing can be there. Elysia throws, or leaves the parameter out.
  if (!isText(request.url)) return nothingAt(request);
  if (error instanceof ValidationError) return new BobbinError("INVALID_INPUT", validationMessage(error));
  if (code === "PARSE") return new BobbinError("INVALID_JSON", "The body is not JSON.");
  if (code === "NOT_FOUND") return unknownRoute(request, routes);
  return toBobbinError(error);
}

interface Fault {
  readonly path?: string;
  readonly message?: string;
  readonly schema?: { readonly anyOf?: readonly Alternative[] };
}

interface Alternative {
  readonly type?: string;
  readonly multipleOf?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

function validationMessage(error: ValidationError): string {
  const [first] = error.all as Fault[];
  const field = first?.path?.slice(1).replaceAll("/", ".") || "the body";
  const types = first?.schema?.anyOf?.flatMap(wordsOf) ?? [];
  // Of several types the validator says no more than that none fits.
  const expected = types.length > 0 ? `Expected ${types.join(" or ")}` : first?.message;
  return `${field}: ${expected ?? "is not valid"}.`;
}

/** "string", or "whole number from 1 to 10". */
function wordsOf({ type, multipleOf, minimum, maximum }: Alternative): string[] {
  if (type === undefined) return [];
  const bounds = minimum === undefined || maximum === undefined ? "" : ` from ${minimum} to ${maximum}`;
  return [`${multipleOf === 1 ? "whole " : ""}${type}${bounds}`];
}

function isText(url: string): boolean {
  try {
    decodeURIComponent(new URL(url).pathname);
    return true;
  } catch {
    return false;
  }
}

function nothingAt({ url }: Request): BobbinError {
  return new BobbinError("NOT_FOUND", `There is nothing at ${new URL(url).pathname.slice(0, 200)}.`);
}

function unknownRoute(request: Request, routes: readonly DoorRoute[]): BobbinError {
  const { pathname } = new URL(request.url);
  const methods = routes.filter(({ path }) => matches(path, pathname)).map(({ method }) => method);
  if (methods.length === 0) return nothingAt(request);
  const allow = [...new Set(methods)];
  return new BobbinError("METHOD_NOT_ALLOWED", `${pathname} takes ${allow.join(", ")}.`, { allow });
}

/** Whether a route's pattern, such as /services/:serviceName, is this path's. */
function matches(pattern: string, path: string): boolean {
  const [want, have] = [pattern.split("/"), path.split("/")];
  return want.length === have.length && want.every((part, i) => part.startsWith(":") || part === have[i]);
}
