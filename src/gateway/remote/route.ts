/**
 * Where a service's requests go at this moment. Knows the service; not how a request is sent.
 */
import { BobbinError } from "../../errors.ts";
import { gatewaySettings, type SubscriptionProtocol } from "../../registry/metadata.ts";
import { getsRequests, type Service, servingInstance } from "../../registry/service.ts";

export interface Route {
  readonly origin: string;
  readonly graphqlUrl: string;
  /** Lower-case names of the client's headers that the service wants. */
  readonly headers: readonly string[];
  /** Whether equal queries in flight are sent once. */
  readonly deduplicate?: boolean;
  /** How long a call may take; absent: as long as others. */
  readonly timeoutMs?: number;
  /** Absent: they are at `graphqlUrl`, by the protocol that is found there. */
  readonly subscriptions?: SubscriptionRoute;
}

export interface SubscriptionRoute {
  readonly url: string;
  /** Undefined: it is found out. */
  readonly protocol: SubscriptionProtocol | undefined;
}

/** One route per version of a service: services are immutable, and this is asked for with every call. */
const routes = new WeakMap<Service, Route | null>();

/**
 * The first healthy instance's, or SERVICE_UNAVAILABLE. Why the service is in its status is not for clients: the
 * reason may name URLs that only the operator is to see.
 */
export function routeOf(name: string, service: Service | undefined): Route | BobbinError {
  if (!service) return new BobbinError("SERVICE_UNAVAILABLE", `${name} is not registered any more.`);
  let route = routes.get(service);
  if (route === undefined) {
    route = findRoute(service);
    routes.set(service, route);
  }
  if (route) return route;
  return new BobbinError("SERVICE_UNAVAILABLE", `${name} gets no requests, because it is ${service.status}.`);
}

function findRoute(service: Service): Route | null {
  if (!getsRequests(service.status)) return null;
  const instances = service.instances.filter(({ graphqlUrl }) => graphqlUrl !== null);
  const instance = servingInstance({ instances });
  if (!instance?.graphqlUrl) return null;
  const { graphqlUrl, origin } = instance;
  const { headers, deduplicate, subscriptions, timeoutMs } = gatewaySettings(service.metadata);
  const url = (subscriptions.url && URL.parse(subscriptions.url, instance.url)?.href) ?? graphqlUrl;
  const protocol = subscriptions.protocol ?? (/^ws/.test(url) ? "graphql-ws" : undefined);
  return {
    origin,
    graphqlUrl,
    headers,
    deduplicate,
    ...(timeoutMs === null ? {} : { timeoutMs }),
    subscriptions: { url, protocol },
  };
}
