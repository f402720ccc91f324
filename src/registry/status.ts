/**
 * What a service's status follows from. Pure: knows the service, neither how its facts were observed nor stored.
 */
import { isServing, type Service, type Status } from "./service.ts";

/** The service with the status and reason that its facts give. */
export function withStatus(service: Service): Service {
  const [status, statusReason] = deriveStatus(service);
  return {
    ...service,
    status,
    statusReason,
    everHealthy: service.everHealthy || service.instances.some(isServing),
  };
}

function deriveStatus(service: Service): [Status, string | null] {
  if (service.maintenance) return ["MAINTENANCE", "set by a person"];
  const { instances, schema } = service;
  const serving = instances.filter(isServing);
  const schemaReason = schema.code ? `${schema.code}: ${schema.message}` : null;

  if (serving.length === 0) {
    const reason = firstReason(service);
    if (!service.everHealthy) return ["INACTIVE", reason ?? schemaReason ?? "not yet healthy"];
    if (instances.every((instance) => instance.leaseExpired)) return ["INACTIVE", "its lease ran out"];
    return ["ERROR", reason ?? "no instance is healthy"];
  }
  if (schema.state === "REJECTED") return ["ERROR", schemaReason];
  if (schema.state === "PREVIOUS") return ["DEGRADED", schemaReason];
  if (serving.length < instances.length) {
    const down = `${instances.length - serving.length} of ${instances.length} instances are down`;
    const reason = firstReason(service);
    return ["DEGRADED", reason ? `${down}: ${reason}` : down];
  }
  const failing = instances.find((instance) => instance.health === "FAILING");
  if (failing) return ["DEGRADED", failing.healthReason];
  return ["ACTIVE", null];
}

function firstReason({ instances }: Service): string | null {
  const down = instances.find((instance) => !isServing(instance));
  if (!down) return null;
  if (down.leaseExpired) return "a lease ran out";
  return down.unready ? "an instance says that it is not ready" : down.healthReason;
}
