/**
 * Events out of the text of a stream of server-sent events, as "GraphQL over SSE" has them in its distinct connections
 * mode. Knows the format; nothing of connections.
 * (The parser of the package graphql-sse is not exported, and its client reads on whether its events are taken or not.)
 */
import { brokenOff, MAX_EVENT_LENGTH, tooLarge } from "./bounds.ts";
import { eventOf, type ServiceEvent } from "./event.ts";

/** What the service sends until it says that this is all. Throws where the stream ends without that. */
export async function* eventsOfSse(
  text: AsyncIterable<string>,
  onHeartbeat: () => void,
): AsyncGenerator<ServiceEvent, void, undefined> {
  let type = "";
  let data: string[] = [];
  let length = 0;
  for await (const line of linesOf(text)) {
    if (line.startsWith(":")) onHeartbeat();
    else if (line !== "") {
      const [, field, value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === "event") type = value;
      if (field === "data") data.push(value);
      length += line.length;
      if (length > MAX_EVENT_LENGTH) throw tooLarge();
    } else {
      if (type === "complete") return;
      const event = data.join("\n");
      if (event !== "" && (type === "next" || type === "")) yield eventOf(event);
      type = "";
      data = [];
      length = 0;
    }
  }
  throw brokenOff();
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  let mayGoOn = false;
  for await (const chunk of text) {
    const hasEnd = mayGoOn || /[\r\n]/.test(chunk);
    rest += chunk;
    // The second half of a CRLF may be in the next chunk.
    mayGoOn = chunk.endsWith("\r");
    if (hasEnd) {
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest.length > MAX_EVENT_LENGTH) throw tooLarge();
  }
}
