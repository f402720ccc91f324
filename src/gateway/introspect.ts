/**
 * Asks a service for its schema. Knows GraphQL's introspection; not when to ask nor what becomes of the answer.
 */
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionOptions,
  type IntrospectionQuery,
  printSchema,
} from "graphql";
import { BobbinError, messageOf } from "../errors.ts";
import { callGraphQL } from "./graphql-call.ts";

const queryWith = (options: IntrospectionOptions): string =>
  JSON.stringify({ query: getIntrospectionQuery(options), operationName: "IntrospectionQuery" });

/** Everything a schema has today, deprecated arguments among it; and what a server of years ago understands. */
const QUERY = queryWith({ inputValueDeprecation: true, specifiedByUrl: true, oneOf: true });
const OLD_QUERY = queryWith({});
const MAX_SCHEMA_BYTES = 16 * 1024 * 1024;

/** The service's SDL, and the door header of its answer. Throws SCHEMA_UNREACHABLE or SCHEMA_INVALID. */
export async function fetchSdl(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<{ sdl: string; door: string | null }> {
  let { result, door } = await ask(QUERY, url, headers, signal);
  if (result.errors) ({ result, door } = await ask(OLD_QUERY, url, headers, signal));
  const [first] = result.errors ?? [];
  if (first) throw new BobbinError("SCHEMA_UNREACHABLE", `${url} refuses introspection: ${first.message}`);
  try {
    return { sdl: printSchema(buildClientSchema(result.data as unknown as IntrospectionQuery)), door };
  } catch (error) {
    throw new BobbinError(
      "SCHEMA_INVALID",
      `${url} answers an introspection that is no schema: ${messageOf(error)}`,
    );
  }
}

async function ask(body: string, url: string, headers: Record<string, string>, signal: AbortSignal) {
  try {
    return await callGraphQL({ url, body, headers, signal, maxBytes: MAX_SCHEMA_BYTES });
  } catch (error) {
    throw new BobbinError("SCHEMA_UNREACHABLE", `${url}: ${messageOf(error)}`, { cause: error });
  }
}
