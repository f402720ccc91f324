/** `bobbin watch`: the registry's events, one line each, as they come; again and again until it is interrupted. */
import { setTimeout } from "node:timers/promises";
import { open, type Place } from "../api-client.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import { oneLine } from "../terminal/table.ts";
import { type Colour, painted, type Terminal } from "../terminal/terminal.ts";
import { messagesOf, type StreamMessage } from "./event-stream.ts";

export interface WatchOptions extends Place {
  readonly service?: string;
  readonly json?: boolean;
}

interface EventView {
  readonly type: string;
  readonly service: string;
  readonly at: string;
  readonly cause: string;
  readonly changes?: { readonly breaking: number; readonly dangerous: number };
}

/** The registry gives a sign of life every 15 seconds. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** A stream has no end of its own; this is the longest that a timer takes. */
const NO_DEADLINE_MS = 2 ** 31 - 1;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function watchEvents(
  { service, json, ...place }: WatchOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const interrupted = terminal.interrupted();
  let lastId: string | undefined;
  let pause = FIRST_PAUSE_MS;
  const take = async ({ id, event, data }: StreamMessage): Promise<void> => {
    // A snapshot where the rest was asked for: what came meanwhile is not known any more.
    if (event === "snapshot" && lastId !== undefined)
      await terminal.say("the registry does not know any more what happened meanwhile\n");
    lastId = id ?? lastId;
    pause = FIRST_PAUSE_MS;
    if (event === "snapshot") return;
    const view = JSON.parse(data) as EventView;
    if (service !== undefined && view.service !== service) return;
    await terminal.print(json ? data : lineOf(view, terminal));
  };
  for (let isFirst = true; ; isFirst = false) {
    const answer = await follow(place, terminal, interrupted, lastId, take);
    if (interrupted.aborted) return done();
    if ("refused" in answer && (isFirst || !answer.isUnreachable)) return failed(...answer.refused);
    if ("found" in answer) await terminal.say("the connection ended; trying again\n");
    await setTimeout(pause, undefined, { signal: interrupted }).catch(() => {});
    if (interrupted.aborted) return done();
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** One connection, from its beginning to its end. */
function follow(
  place: Place,
  { env }: Terminal,
  interrupted: AbortSignal,
  lastId: string | undefined,
  take: (message: StreamMessage) => Promise<void>,
) {
  const silent = new AbortController();
  let timer = startTimer();
  function startTimer() {
    return globalThis.setTimeout(() => silent.abort(), SILENCE_MS);
  }
  const onSign = () => {
    clearTimeout(timer);
    timer = startTimer();
  };
  return open(
    {
      door: "registry",
      place,
      env,
      path: "/events",
      headers: { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) },
      deadlineMs: NO_DEADLINE_MS,
      signal: AbortSignal.any([interrupted, silent.signal]),
    },
    async ({ body }) => {
      try {
        for await (const message of messagesOf(body ?? new ReadableStream(), onSign)) await take(message);
      } catch (error) {
        // A stream that breaks off is taken up again, whatever ended it.
        if (error instanceof SyntaxError) throw error;
      }
    },
  ).finally(() => clearTimeout(timer));
}

const COLOURS: Readonly<Record<string, Colour>> = { REGISTERED: "green", REMOVED: "red", STATUS: "yellow" };

function lineOf({ at, type, service, cause, changes }: EventView, terminal: Terminal): string {
  const what = painted(type.padEnd(10), COLOURS[type], terminal);
  const broken = changes ? ` (${changes.breaking} breaking, ${changes.dangerous} dangerous)` : "";
  return `${at}  ${what}  ${oneLine(service)}  ${oneLine(cause)}${broken}`;
}
