/**
 * Services and instances as rows of the registry's tables, and back. Pure. Knows the noun and the columns; no SQL.
 */
import { type Instance, leadingInstance, type Service } from "./service.ts";
import type * as tables from "./tables.ts";

type ServiceRow = typeof tables.services.$inferSelect;
type InstanceRow = typeof tables.instances.$inferSelect;

/** Every service with its instances, as far as there are rows of either. */
export function toServices(
  services: readonly ServiceRow[],
  instances: readonly InstanceRow[],
): readonly Service[] {
  const instancesOf = Map.groupBy(instances, (row) => row.service);
  return services.map(({ url: _url, schemaState: schema, ...row }) => ({
    ...row,
    schema,
    instances: (instancesOf.get(row.name) ?? []).map(toInstance),
  }));
}

function toInstance(row: InstanceRow): Instance {
  const { service: _service, position: _position, revision: _revision, ...instance } = row;
  return instance;
}

export function toRow(service: Service): ServiceRow {
  const { schema, instances: _instances, ...row } = service;
  const { url, lastHealthCheck } = leadingInstance(service);
  return {
    ...row,
    schemaState: schema,
    url,
    lastHealthCheck,
    metadata: { ...row.metadata },
    dependencies: [...row.dependencies],
    tags: [...row.tags],
  };
}

/** The rows of those instances that are not at their place in `written`: instances never change, they are replaced. */
export function toInstanceRows(service: Service, written: readonly Instance[]): InstanceRow[] {
  const { name, revision } = service;
  const rows: InstanceRow[] = [];
  for (const [position, instance] of service.instances.entries()) {
    if (written[position] !== instance) rows.push({ ...instance, service: name, position, revision });
  }
  return rows;
}
