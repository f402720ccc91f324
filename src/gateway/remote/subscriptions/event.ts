/**
 * What a service sends for one event, as it is parsed and as it is written. Knows JSON; nothing of protocols.
 */
import { parseExactly } from "../../values/exact-numbers.ts";
import { notAnEvent } from "./bounds.ts";

export interface ServiceEvent {
  readonly result: unknown;
  /** The same with its numbers as they are written; undefined where that makes no difference. */
  readonly exact: () => unknown;
}

/** Throws INVALID_SERVICE_RESPONSE where the text is no JSON. */
export function eventOf(text: string): ServiceEvent {
  try {
    return { result: JSON.parse(text), exact: () => parseExactly(text) };
  } catch (cause) {
    throw notAnEvent(cause);
  }
}

/** An event that came within a message: what the message has under `payload`. */
export function payloadOf({ result, exact }: ServiceEvent): ServiceEvent {
  return { result: inside(result), exact: () => inside(exact()) };
}

function inside(message: unknown): unknown {
  return (message as { payload?: unknown } | null | undefined)?.payload;
}
