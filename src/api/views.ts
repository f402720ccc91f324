/**
 * A service as the doors show it. Knows the noun and the outside's names for its fields.
 */
import {
  getsRequests,
  type Instance,
  isServing,
  leadingInstance,
  type Service,
} from "../registry/service.ts";

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function reasonOf({ leaseExpired, unready, healthReason }: Instance): string | null {
  if (leaseExpired) return "its lease ran out";
  return unready ? "it says that it is not ready" : healthReason;
}

export function instanceView(instance: Instance) {
  return {
    url: instance.url,
    graphqlUrl: instance.graphqlUrl,
    health: instance.healthUrl,
    healthy: isServing(instance),
    reason: reasonOf(instance),
    lastHealthCheck: time(instance.lastHealthCheck),
    leaseUntil: time(instance.leaseUntil),
  };
}

/** The fields of GraphQL's RegistryService. */
export function serviceView(service: Service) {
  return { ...ownView(service), instances: service.instances.map(instanceView) };
}

function ownView(service: Service) {
  const leading = leadingInstance(service);
  return {
    id: service.id,
    name: service.name,
    displayName: service.displayName,
    description: service.description,
    url: leading.url,
    graphqlUrl: leading.graphqlUrl,
    version: service.version,
    status: service.status,
    statusReason: service.statusReason,
    healthCheck: service.healthCheck,
    metadata: service.metadata,
    dependencies: service.dependencies,
    tags: service.tags,
    isRequired: service.isRequired,
    source: service.source,
    lastHealthCheck: time(leading.lastHealthCheck),
    createdAt: time(service.createdAt),
    updatedAt: time(service.updatedAt),
  };
}

/** The same under REST's names, but for its instances, which are written one by one. */
export function restView(service: Service) {
  const { name, healthCheck: _healthCheck, ...view } = ownView(service);
  const { healthUrl, ttlSeconds } = leadingInstance(service);
  return { serviceName: name, ...view, health: healthUrl, ttl: ttlSeconds };
}

/** One line of /gateway/health. */
export function healthView(service: Service) {
  return {
    name: service.name,
    status: service.status,
    healthy: getsRequests(service.status),
    lastHealthCheck: time(leadingInstance(service).lastHealthCheck),
    statusReason: service.statusReason,
  };
}
