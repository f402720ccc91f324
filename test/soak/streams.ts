/** Streams that are opened and cut: subscriptions over both transports to services of both, and the registry's events. */
import { openStream } from "../support/stream.ts";
import { bySse, byWebSocket, type Subscriber } from "../support/subscriber.ts";
import type { Activity } from "./activity.ts";
import type { Stage } from "./stage.ts";
import type { Tally } from "./tally.ts";

/** Longer than the events of either service need. */
const OPEN_MS = 3_000;

export function streams(stage: Stage, tally: Tally): Activity[] {
  const { gateway, registry } = stage.bobbin.urls;
  let ticks = 0;
  let lastId = "";
  const subscribe = (open: typeof bySse) => async () => {
    const subscribers: Subscriber[] = ["sses", "wss"].map((name) =>
      open(gateway, `subscription { ${name}(name: "n") { at name } }`),
    );
    try {
      await Promise.all(subscribers.map((each) => each.have(2)));
      tally.answered(0);
      await Bun.sleep(Math.random() * OPEN_MS);
    } finally {
      for (const each of subscribers) each.leave();
    }
  };
  return [
    {
      name: "tick",
      everyMs: 250,
      act: async () => {
        ticks += 1;
        for (const ticker of Object.values(stage.tickers)) ticker.emit({ at: ticks });
      },
    },
    { name: "subscription by SSE", everyMs: 1_000, act: subscribe(bySse) },
    { name: "subscription by WebSocket", everyMs: 1_000, act: subscribe(byWebSocket) },
    {
      name: "events",
      everyMs: 1_000,
      act: async () => {
        const headers = lastId && Math.random() < 0.5 ? { "last-event-id": lastId } : undefined;
        await using stream = await openStream(`${registry}/events`, headers ? { headers } : {});
        const { id = "" } = await stream.find(({ id }) => id !== undefined);
        lastId = id;
        tally.answered(0);
        await Bun.sleep(Math.random() * OPEN_MS);
      },
    },
  ];
}
