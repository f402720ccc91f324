/**
 * Asks a service for its schema, in the way that it offers it: as an Apollo Federation subgraph, as an SDL with
 * stitching directives, or by GraphQL's introspection. Knows these; not when to ask nor what becomes of the answer.
 */
import {
  buildClientSchema,
  type ExecutionResult,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  type IntrospectionOptions,
  type IntrospectionQuery,
} from "graphql";
import { BobbinError, messageOf } from "../../errors.ts";
import type { SchemaKind } from "../../registry/metadata.ts";
import { callGraphQL } from "../remote/graphql-call.ts";
import { sdlOfIntrospection } from "./schema-text.ts";

export interface Recognised {
  readonly sdl: string;
  /** How it was offered. */
  readonly kind: SchemaKind;
  /** The door header of the answer, where another bobbin (or this one) gave it. */
  readonly door: string | null;
}

export interface Asked {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  /** What the service speaks, where its registration says so. */
  readonly kind: SchemaKind | null;
}

const introspectionWith = (options: IntrospectionOptions): string =>
  JSON.stringify({ query: getIntrospectionQuery(options), operationName: "IntrospectionQuery" });

/** Everything a schema has today, deprecated arguments among it; and what a server of years ago understands. */
const INTROSPECTION = introspectionWith({ inputValueDeprecation: true, specifiedByUrl: true, oneOf: true });
const OLD_INTROSPECTION = introspectionWith({});
const FEDERATION = JSON.stringify({ query: "{ _service { sdl } }" });
const STITCHING = JSON.stringify({ query: "{ _sdl }" });
const MAX_SCHEMA_BYTES = 16 * 1024 * 1024;

/** Throws SCHEMA_UNREACHABLE or SCHEMA_INVALID. */
export async function recognise(asked: Asked): Promise<Recognised> {
  const { url, kind } = asked;
  if (kind === "federation") return federated(url, await ask(FEDERATION, asked));
  if (kind === "stitching") return offered(url, await ask(STITCHING, asked));
  const introspection = await introspect(asked);
  const refusal = introspection.result.errors?.[0];
  if (refusal) {
    const found = kind === null ? await askWithoutIntrospection(asked) : undefined;
    if (found) return found;
    throw new BobbinError("SCHEMA_UNREACHABLE", `${url} refuses introspection: ${refusal.message}`);
  }
  try {
    const introspected = introspection.result.data as unknown as IntrospectionQuery;
    const schema = buildClientSchema(introspected);
    const offers = kind === null ? offersOf(schema) : undefined;
    if (offers === "federation") return federated(url, await ask(FEDERATION, asked));
    if (offers === "stitching") return offered(url, await ask(STITCHING, asked));
    return { sdl: sdlOfIntrospection(introspected), kind: "plain", door: introspection.door };
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    throw invalid(url, `answers an introspection that is no schema: ${messageOf(error)}`);
  }
}

interface Answer {
  readonly result: ExecutionResult;
  readonly door: string | null;
}

async function introspect(asked: Asked): Promise<Answer> {
  const answer = await ask(INTROSPECTION, asked);
  return answer.result.errors ? ask(OLD_INTROSPECTION, asked) : answer;
}

/** A service in production may refuse introspection, and offer its SDL to gateways all the same. */
async function askWithoutIntrospection(asked: Asked): Promise<Recognised | undefined> {
  const { url } = asked;
  const federation = await ask(FEDERATION, asked);
  if (sdlOf(federation, "federation") !== undefined) return federated(url, federation);
  const stitching = await ask(STITCHING, asked);
  return sdlOf(stitching, "stitching") === undefined ? undefined : offered(url, stitching);
}

/** How the schema is offered beyond introspection: by federation's `_service: _Service`, or by `_sdl: String`. */
function offersOf(schema: GraphQLSchema): "federation" | "stitching" | undefined {
  const fields = schema.getQueryType()?.getFields() ?? {};
  const typeOf = (field: string) => fields[field] && getNamedType(fields[field].type).name;
  if (typeOf("_service") === "_Service") return "federation";
  return typeOf("_sdl") === "String" ? "stitching" : undefined;
}

function sdlOf({ result }: Answer, kind: "federation" | "stitching"): string | undefined {
  const data = result.data as { _service?: { sdl?: unknown } | null; _sdl?: unknown } | null | undefined;
  const sdl = kind === "federation" ? data?._service?.sdl : data?._sdl;
  return typeof sdl === "string" && sdl.trim() !== "" ? sdl : undefined;
}

function federated(url: string, answer: Answer): Recognised {
  const sdl = sdlOf(answer, "federation");
  if (sdl === undefined) throw unoffered(url, "_service { sdl }", answer);
  return { sdl, kind: "federation", door: answer.door };
}

function offered(url: string, answer: Answer): Recognised {
  const sdl = sdlOf(answer, "stitching");
  if (sdl === undefined) throw unoffered(url, "_sdl", answer);
  return { sdl, kind: "stitching", door: answer.door };
}

function unoffered(url: string, query: string, { result }: Answer): BobbinError {
  const [error] = result.errors ?? [];
  const message = `${url} does not answer { ${query} } with its SDL${error ? `: ${error.message}` : ""}`;
  return new BobbinError("SCHEMA_UNREACHABLE", message);
}

function invalid(url: string, problem: string): BobbinError {
  return new BobbinError("SCHEMA_INVALID", `${url} ${problem}`);
}

async function ask(body: string, { url, headers, signal }: Asked): Promise<Answer> {
  try {
    return await callGraphQL({ url, body, headers, signal, maxBytes: MAX_SCHEMA_BYTES });
  } catch (error) {
    throw new BobbinError("SCHEMA_UNREACHABLE", `${url}: ${messageOf(error)}`, { cause: error });
  }
}
