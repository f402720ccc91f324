/**
 * Reads requests to the gateway so that files and the numbers of custom scalars reach the services as they were sent.
 * Knows Yoga; nothing of services.
 */
import { GraphQLError } from "graphql";
import type { GraphQLParams, Plugin } from "graphql-yoga";
import { exactVariables } from "../gateway/values/exact-inputs.ts";
import { parseExactly } from "../gateway/values/exact-numbers.ts";
import { uploadRequest, type WrittenParams } from "./upload-request.ts";

type Values = Record<string, unknown>;

const JSON_BODY = /^\s*application\/(graphql\+)?json\s*($|;)/i;
const FORM_BODY = /^\s*multipart\/form-data\s*($|;)/i;

export interface ExactRequests {
  /** To stand before whatever gives the errors of a request their codes. */
  readonly plugin: Plugin;
  /** Takes note of what another door has read by itself; returns the parameters that Yoga is to be given. */
  noting(written: WrittenParams): GraphQLParams;
}

export function exactRequests(): ExactRequests {
  /** Variables → the same as they are written; only those that differ. */
  const written = new WeakMap<object, Values>();

  const noting = ({ params, exact }: WrittenParams): GraphQLParams => {
    if (isObject(params.variables) && isObject(exact?.variables))
      written.set(params.variables, exact.variables);
    return params;
  };

  const plugin: Plugin = {
    onRequestParse({ request, requestParser, setRequestParser }) {
      const type = request.method === "POST" ? (request.headers.get("content-type") ?? "") : "";
      if (JSON_BODY.test(type)) setRequestParser(async (body) => noting(paramsOf(await body.text())));
      else if (FORM_BODY.test(type)) setRequestParser(async (body) => noting(await uploadRequest(body)));
      else if (request.method === "GET" && requestParser) {
        setRequestParser(async (asked) => {
          const params = await requestParser(asked);
          if (params instanceof Response || Array.isArray(params)) return params;
          const variables = new URL(asked.url).searchParams.get("variables");
          return noting({ params, exact: variables ? { variables: parseExactly(variables) as Values } : {} });
        });
      }
    },
    onExecute: ({ args }) => withWritten(args),
    onSubscribe: ({ args }) => withWritten(args),
  };
  return { plugin, noting };

  type Args = Parameters<NonNullable<Plugin["onExecute"]>>[0]["args"];

  function withWritten(args: Pick<Args, "schema" | "document" | "operationName" | "variableValues">): void {
    const { schema, document, operationName, variableValues } = args;
    const exact = variableValues && written.get(variableValues);
    if (exact) args.variableValues = exactVariables(schema, document, operationName, variableValues, exact);
  }
}

function paramsOf(text: string): WrittenParams {
  const params: unknown = JSON.parse(text);
  if (typeof params !== "object" || params === null)
    throw new GraphQLError("The body has to be a JSON object.");
  return { params: params as GraphQLParams, exact: parseExactly(text) as GraphQLParams | undefined };
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
