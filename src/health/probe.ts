/**
 * One question to one instance: is it well? A failed probe is a value, never an exception.
 * Knows HTTP; not when to ask nor what follows from the answer.
 */
import { connectionReason, readAtMost } from "../http.ts";
import type { Instance } from "../registry/service.ts";
import { httpPlace } from "../unix-url.ts";

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const MAX_ANSWER_BYTES = 65_536;

/**
 * Asks the instance's health URL (any 2xx is well); without one its GraphQL endpoint (`{ __typename }` has to be
 * answered); without that its URL (anything below 500 is well).
 */
export async function probeOverHttp(
  instance: Pick<Instance, "url" | "healthUrl" | "graphqlUrl">,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    if (instance.healthUrl) return await get(instance.healthUrl, headers, signal, (status) => status < 300);
    if (instance.graphqlUrl) return await askTypename(instance.graphqlUrl, headers, signal);
    return await get(instance.url, headers, signal, (status) => status < 500);
  } catch (error) {
    return { ok: false, reason: signal.aborted ? "no answer in time" : connectionReason(error) };
  }
}

async function get(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  isWell: (status: number) => boolean,
): Promise<Outcome> {
  const { url: to, ...socket } = httpPlace(url);
  const response = await fetch(to, { headers, signal, redirect: "manual", ...socket });
  await response.body?.cancel();
  return isWell(response.status) ? { ok: true } : { ok: false, reason: `${url} answered ${response.status}` };
}

async function askTypename(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { url: to, ...socket } = httpPlace(url);
  const response = await fetch(to, {
    ...socket,
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/json" },
    body: '{"query":"{__typename}"}',
    signal,
    redirect: "manual",
  });
  const length = Number(response.headers.get("content-length") ?? 0);
  if (response.status !== 200 || length > MAX_ANSWER_BYTES) {
    await response.body?.cancel();
    return { ok: false, reason: `${url} answered ${response.status}` };
  }
  const answer = await readAtMost(response, MAX_ANSWER_BYTES);
  const typename = answer === undefined ? undefined : parseTypename(answer);
  return typename
    ? { ok: true }
    : { ok: false, reason: `${url} does not answer { __typename } as GraphQL does` };
}

function parseTypename(answer: string): string | undefined {
  try {
    const name = JSON.parse(answer)?.data?.__typename;
    return typeof name === "string" ? name : undefined;
  } catch {
    // Not JSON: the caller says so.
    return undefined;
  }
}
