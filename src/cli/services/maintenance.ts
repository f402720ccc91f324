/** `bobbin maintenance`: takes a service out of traffic, or brings it back. Decides nothing. */
import { ERROR_TABLE } from "../../errors.ts";
import { ask, type Place } from "../api-client.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { NO_TOKEN } from "../write-token.ts";

const MUTATION = `mutation ($name: String, $status: RegistryStatus!) {
  updateService(name: $name, input: { status: $status }) { status statusReason }
}`;

interface Answer {
  readonly data?: {
    readonly updateService?: { readonly status: string; readonly statusReason: string | null } | null;
  };
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function setMaintenance(
  state: "on" | "off",
  name: string,
  place: Place,
  { env }: Terminal,
): Promise<Outcome> {
  const answer = await ask({
    door: "core",
    place,
    env,
    path: "/graphql",
    writesTo: name,
    body: { query: MUTATION, variables: { name, status: state === "on" ? "MAINTENANCE" : "ACTIVE" } },
    // GraphQL tells its refusals under any status.
    inAnyAnswer: true,
    find: ({ body }) => answerIn(body),
  });
  if ("refused" in answer) return failed(...answer.refused);
  const { data, errors = [] } = answer.found;
  const service = data?.updateService;
  if (!service) {
    const hint = errors.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED") ? [NO_TOKEN] : [];
    return failed(...errors.map(({ message, extensions }) => `${message} (${extensions?.code})`), ...hint);
  }
  const { status, statusReason } = service;
  return done(`maintenance ${state}: ${name} is ${status}${statusReason ? `, ${statusReason}` : ""}`);
}

/** Of another program's GraphQL there is neither. */
function answerIn(body: unknown): Answer | undefined {
  const { data, errors } = (body ?? {}) as Answer;
  const isOwn = Array.isArray(errors) && errors.every(({ extensions }) => isRefusal(extensions?.code));
  return data?.updateService || isOwn ? (body as Answer) : undefined;
}

function isRefusal(code: string | undefined): boolean {
  return code !== undefined && code in ERROR_TABLE && !code.startsWith("GRAPHQL_");
}
