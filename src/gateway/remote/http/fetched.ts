/**
 * The same call through Bun's fetch, for where the environment names a proxy: fetch knows how to speak to it, and which
 * hosts it is not for. Knows nothing of connections.
 */
import { BobbinError } from "../../../errors.ts";
import { DOOR_HEADER, readBytesAtMost } from "../../../http.ts";
import { tooLarge } from "./answer-head.ts";
import { outOfTime, type PostRequest, unreachable } from "./call.ts";
import { HttpAnswer } from "./http-answer.ts";
import type { Target } from "./target.ts";

export async function postByFetch(
  target: Target,
  { headers, body, deadlineMs, maxBytes, signal }: PostRequest,
): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const either = signal ? AbortSignal.any([deadline, signal]) : deadline;
  let response: Response;
  let bytes: Buffer<ArrayBuffer> | undefined;
  try {
    response = await fetch(target.url, {
      method: "POST",
      headers: { ...target.headers, ...headers },
      body,
      signal: either,
      redirect: "manual",
    });
    bytes = await readBytesAtMost(response, maxBytes);
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    throw either.aborted ? outOfTime(error) : unreachable(error);
  }
  if (!bytes) throw tooLarge(maxBytes);
  const { status, headers: answered } = response;
  const contentType = answered.get("content-type") ?? "";
  return new HttpAnswer({ status, contentType, encoding: "", door: answered.get(DOOR_HEADER) }, bytes);
}
