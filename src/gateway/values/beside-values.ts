/**
 * Errors of services that stand beside a value: stitching keeps an error only where there is none. They are taken out of
 * the services' answers, and given back with the answer to the request that they belong to.
 * Knows stitching's requests and results; nothing of services.
 */
import type { DelegationContext, Transform } from "@graphql-tools/delegate";
import { type ExecutionResult, pathToArray } from "@graphql-tools/utils";
import { GraphQLError, getNullableType, isListType } from "graphql";
import type { Path } from "./asked-fields.ts";

interface Noted {
  readonly error: GraphQLError;
  /** Whether stitching may tell it in the place of a null that it stands near. */
  readonly mayBeTold: boolean;
}

/** Of one request. */
const MOST_NOTED = 100;

/** The context of a request → what its answer has to be given. */
const noted = new WeakMap<object, Noted[]>();

/** To be the first of a subschema's transforms, so that it sees what the service answered. */
export const notingErrorsBesideValues: Transform = {
  transformResult(result: ExecutionResult, delegation: DelegationContext) {
    const { errors, data } = result;
    if (!errors?.length || !data) return result;
    const kept = errors.filter((error) => {
      const value = error.path?.length ? valueAt(data, error.path) : undefined;
      if (value === null) return true;
      note(delegation, error as GraphQLError, value === undefined);
      return value === undefined;
    });
    return { ...result, errors: kept };
  },
};

/** The result with all errors that were noted for the request, each once. */
export function withErrorsBesideValues(context: object, result: ExecutionResult): ExecutionResult {
  const own = noted.get(context);
  if (!own) return result;
  noted.delete(context);
  const errors: GraphQLError[] = [...((result.errors ?? []) as GraphQLError[])];
  const told = new Set(errors.map(identity));
  for (const { error, mayBeTold } of own) {
    const is = identity(error);
    if (mayBeTold && told.has(is)) continue;
    told.add(is);
    errors.push(error);
  }
  return { ...result, errors };
}

function note(
  { context, info, skipTypeMerging, returnType }: DelegationContext,
  error: GraphQLError,
  mayBeTold: boolean,
): void {
  if (!context || !info) return;
  const own = noted.get(context) ?? [];
  noted.set(context, own);
  if (own.length === MOST_NOTED) return;
  const below = error.path?.slice(1) ?? [];
  const path: (string | number)[] = [...pathToArray(info.path)];
  if (!skipTypeMerging) path.push(...(mayBeTold ? [] : below));
  // An object's further parts were asked for by its key; of those of a list, it does not say which it is.
  else if (!isList(info.returnType) && !mayBeTold)
    path.push(...(isList(returnType) ? below.slice(1) : below));
  own.push({ error: new GraphQLError(error.message, { path, extensions: error.extensions }), mayBeTold });
}

function isList(type: DelegationContext["returnType"]): boolean {
  return isListType(getNullableType(type));
}

/** Undefined where the path leads out of the data. */
function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const key of path) {
    if (value === null) return null;
    if (typeof value !== "object" || !Object.hasOwn(value as object, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function identity({ message, extensions }: GraphQLError): string {
  return `${extensions.service}\n${extensions.code}\n${message}`;
}
