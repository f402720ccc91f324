/**
 * The registry's events as messages of a stream: a snapshot first, or what was missed. Knows the event log and views.
 */
import { listInPieces, textsOf } from "./json-list.ts";
import type { Operations } from "./operations.ts";
import { serviceText } from "./service-text.ts";
import type { Message } from "./sse.ts";

/** `lastId`: the index that the reader has; what followed it is sent where it is known, else a snapshot. */
export async function* eventMessages(
  { operations, revision }: { operations: Operations; revision: () => number },
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const after = lastId !== null && /^\d{1,15}$/.test(lastId) ? Number(lastId) : undefined;
  const resumes = after !== undefined && operations.events.since(after) !== undefined;
  const index = resumes ? after : revision();
  // Following starts at the snapshot's own index, so that nothing falls between the two.
  const events = operations.events.follow(signal, index);
  if (!resumes) {
    const texts = textsOf(operations.services(), serviceText);
    yield {
      id: index,
      event: "snapshot",
      pieces: listInPieces(`{"index":${index},"services":[`, texts, "]}"),
    };
  }
  for await (const { index: id, type, service, at, cause, changes } of events) {
    const data = { index: id, type, service, at: new Date(at).toISOString(), cause };
    yield { id, data: changes ? { ...data, changes } : data };
  }
}
