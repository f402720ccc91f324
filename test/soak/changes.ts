/**
 * What changes while clients ask: services without GraphQL come, beat and go, schemas change, the plugin is saved anew.
 * Knows the stage; each change is waited for until clients see it.
 */
import { graphql, until } from "../support/client.ts";
import type { Activity } from "./activity.ts";
import type { Client } from "./client.ts";
import type { Restarts } from "./restarts.ts";
import { NAMES, type Stage } from "./stage.ts";

/** Names that come and go, each with up to so many instances. */
const COMING = 60;
const INSTANCES = 4;

const any = (count: number) => Math.floor(Math.random() * count);

export function changes(stage: Stage, client: Client, restarts: Restarts): Activity[] {
  const { registry, gateway } = stage.bobbin.urls;
  const isVisible = (field: string) =>
    until(
      () => graphql(gateway, `{ ${field} }`),
      ({ data }) => data !== undefined && data !== null && field in data,
    );
  let generation = 0;
  let version = 0;
  const instance = () => ({
    serviceName: `coming${any(COMING)}`,
    url: `http://127.0.0.1:${1 + any(INSTANCES)}`,
  });
  return [
    {
      name: "register",
      everyMs: 200,
      act: () =>
        client.post(
          `${registry}/register`,
          {
            ...instance(),
            // Nobody listens there: it is to be probed now and then, and not all the time.
            metadata: { healthCheck: { interval: 30 }, note: "x".repeat(any(400)) },
            tags: ["coming"],
            ...(Math.random() < 0.5 ? { ttl: 1 + any(20) } : {}),
          },
          [200, 201],
        ),
    },
    {
      name: "heartbeat",
      everyMs: 200,
      act: () => client.post(`${registry}/heartbeat`, instance(), [200, 404]),
    },
    {
      name: "unregister",
      everyMs: 500,
      act: () => client.post(`${registry}/unregister`, instance(), [200, 404]),
    },
    {
      name: "schema change",
      everyMs: 12_000,
      act: async () => {
        generation += 1;
        const name = NAMES[generation % NAMES.length]!;
        if (restarts.shook(name, Date.now())) return;
        await stage.change(name, generation);
        await isVisible(`${name}${generation}`);
      },
    },
    {
      name: "plugin",
      everyMs: 20_000,
      act: async () => {
        version += 1;
        const field = `moving${Math.ceil(version / 2)}`;
        await stage.savePlugin(version);
        await until(
          () => graphql(gateway, `{ ${field} }`),
          ({ data }) => data?.[field] === `v${version}`,
        );
      },
    },
    { name: "reload", everyMs: 60_000, act: () => client.post(`${gateway}/gateway/reload`, {}) },
  ];
}
