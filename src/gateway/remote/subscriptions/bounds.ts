/**
 * What a subscription of a remote service may take, and how it says that it has ended badly. Knows nothing of protocols.
 */
import { BobbinError } from "../../../errors.ts";

/** Until the service has answered that it will send events; between events it may be silent for as long as it likes. */
export const OPENING_MS = 10_000;
export const MAX_EVENT_LENGTH = 8 * 1024 * 1024;

export function tooLarge(): BobbinError {
  return new BobbinError(
    "INVALID_SERVICE_RESPONSE",
    `An event of the service is longer than ${MAX_EVENT_LENGTH} characters.`,
  );
}

export function brokenOff(cause?: unknown): BobbinError {
  return new BobbinError("SERVICE_UNAVAILABLE", "The service broke off the subscription.", { cause });
}

export function notAnEvent(cause?: unknown): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", "The service sent an event that is not GraphQL.", {
    cause,
  });
}
