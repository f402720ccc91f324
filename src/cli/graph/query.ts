/** `bobbin query`: asks the graph, and prints what it answers. Knows how a question is sent; nothing of GraphQL. */
import { BobbinError } from "../../errors.ts";
import { ask, type Place } from "../api-client.ts";
import { objectIn, readTextFile } from "../argument-values.ts";
import { done, EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { formatted } from "./json-text.ts";

export interface QueryOptions extends Place {
  readonly file?: string;
  readonly variables?: string;
  readonly operation?: string;
  readonly header?: readonly string[];
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function askGraph(
  question: string | undefined,
  { file, variables, operation, header = [], ...place }: QueryOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const query = await textOf(question, file, terminal);
  if (variables !== undefined) objectIn("--variables", variables);
  const fields = [
    `"query":${JSON.stringify(query)}`,
    // As they were written: a long number is to reach the service as it is.
    ...(variables === undefined ? [] : [`"variables":${variables}`]),
    ...(operation === undefined ? [] : [`"operationName":${JSON.stringify(operation)}`]),
  ];
  const answer = await ask({
    door: "gateway",
    place,
    env: terminal.env,
    path: "/graphql",
    body: `{${fields.join(",")}}`,
    headers: { accept: "application/graphql-response+json, application/json", ...headersOf(header) },
    inAnyAnswer: true,
    find: ({ body, text }) => (isAnswer(body) ? { body, text } : undefined),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { body, text } = answer.found;
  return { ...done(formatted(text)), status: body.errors?.length ? EXITS.no : EXITS.ok };
}

async function textOf(
  question: string | undefined,
  file: string | undefined,
  terminal: Terminal,
): Promise<string> {
  if ((question === undefined) === (file === undefined))
    throw new BobbinError(
      "INVALID_INPUT",
      "Give one question: '{ … }', - for standard input, or --file FILE.",
    );
  if (question !== undefined) return question === "-" ? terminal.readInput() : question;
  return readTextFile(file ?? "");
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*([^\r\n]*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined)
        throw new BobbinError(
          "INVALID_INPUT",
          `--header ${line}: give a name and a value, such as 'x-user: 42'.`,
        );
      return [name.toLowerCase(), value];
    }),
  );
}

function isAnswer(body: unknown): body is { data?: unknown; errors?: unknown[] } {
  const { data, errors } = (body ?? {}) as { data?: unknown; errors?: unknown };
  return data !== undefined || Array.isArray(errors);
}
