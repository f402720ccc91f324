/**
 * What a worker has to be told: the graph as far as it differs from what it has, and routes. Pure. Knows snapshots and
 * routes; nothing of processes.
 */
import { BobbinError } from "../errors.ts";
import { textsOf } from "../gateway/federation/definitions.ts";
import type { Group } from "../gateway/federation/group.ts";
import type { Route } from "../gateway/remote/route.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import type { Subgraph } from "../gateway/subgraph/subgraph.ts";
import type { GraphNews, Reach, RouteNews } from "./protocol.ts";

/** What a worker has. */
export interface Had {
  readonly subgraphs: ReadonlyMap<string, Subgraph>;
  readonly group: Group | undefined;
}

export const NOTHING: Had = { subgraphs: new Map(), group: undefined };

/** `isOwn`: whether the service is one of this process. */
export function graphNews(snapshot: Snapshot, had: Had, isOwn: (service: string) => boolean): GraphNews {
  const { revision, group } = snapshot;
  const all = [...snapshot.subgraphs.values()];
  const composed = group && group !== had.group ? group.composed : undefined;
  return {
    revision,
    order: all.map(({ name, hash }) => ({ name, hash })),
    subgraphs: all
      .filter((subgraph) => had.subgraphs.get(subgraph.name) !== subgraph)
      .map(({ name, source, executor }) => ({ source, reach: reachOf(isOwn(name), executor) })),
    ...(composed && {
      supergraph: { supergraph: textsOf(composed.supergraph), open: textsOf(composed.open) },
    }),
  };
}

function reachOf(isOwn: boolean, executor: object): Reach {
  if (!isOwn) return "URL";
  return "send" in executor ? "CODE" : "CORE";
}

export function routeNews(service: string, route: Route | BobbinError | undefined): RouteNews {
  if (!(route instanceof BobbinError)) return { service, route: route ?? null };
  const { code, message } = route;
  return { service, route: { code, message } };
}
