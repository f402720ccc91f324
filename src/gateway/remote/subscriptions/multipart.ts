/**
 * Events out of the text of a multipart answer, as Apollo's protocol for subscriptions over HTTP has them.
 * Knows the format; nothing of connections.
 * (The package meros, which does this for others, keeps a part however long it gets.)
 */
import { BobbinError } from "../../../errors.ts";
import { brokenOff, MAX_EVENT_LENGTH, tooLarge } from "./bounds.ts";
import { eventOf, payloadOf, type ServiceEvent } from "./event.ts";

/** What the service sends until the last boundary. Throws where the stream ends without that. */
export async function* eventsOfMultipart(
  text: AsyncIterable<string>,
  contentType: string,
  onHeartbeat: () => void,
): AsyncGenerator<ServiceEvent, void, undefined> {
  for await (const part of partsOf(text, boundaryOf(contentType))) {
    const start = /\r?\n\r?\n/.exec(part);
    const event = eventOf(part.slice(start ? start.index + start[0].length : 0));
    const { payload, errors, data } = (event.result ?? {}) as Record<string, unknown>;
    // Errors beside a payload are the service's of the whole stream.
    if (payload !== undefined && payload !== null) yield payloadOf(event);
    else if (errors !== undefined) yield { result: { errors }, exact: () => undefined };
    else if (data !== undefined) yield event;
    else onHeartbeat();
  }
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary !== undefined) return boundary;
  throw new BobbinError("INVALID_SERVICE_RESPONSE", "The service's multipart answer names no boundary.");
}

/** A part is complete with the boundary after it, which services send along with it. */
async function* partsOf(
  text: AsyncIterable<string>,
  boundary: string,
): AsyncGenerator<string, void, undefined> {
  const delimiter = `\n--${boundary}`;
  let rest = "\n";
  let isPreamble = true;
  for await (const chunk of text) {
    let from = Math.max(0, rest.length - delimiter.length);
    rest += chunk;
    for (;;) {
      if (!isPreamble && rest.startsWith("--")) return;
      const at = rest.indexOf(delimiter, from);
      if (at < 0) break;
      const part = rest.slice(0, at);
      rest = rest.slice(at + delimiter.length);
      from = 0;
      if (!isPreamble) yield part;
      isPreamble = false;
    }
    if (rest.length > MAX_EVENT_LENGTH) throw tooLarge();
  }
  throw brokenOff();
}
