/**
 * The registry's tables, as drizzle-kit reads them to write the migrations in drizzle/. Knows only columns.
 */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Door, Health, SchemaState, Source, Status } from "./service.ts";

export const services = sqliteTable(
  "service_registry",
  {
    name: text("name").primaryKey(),
    id: text("id").notNull().unique(),
    displayName: text("display_name"),
    description: text("description"),
    /** Of the leading instance, for people who read the table; the instances are what counts. */
    url: text("url").notNull(),
    version: text("version"),
    status: text("status").$type<Status>().notNull(),
    statusReason: text("status_reason"),
    healthCheck: text("health_check"),
    metadata: text("metadata", { mode: "json" }).$type<Record<string, unknown>>().notNull(),
    dependencies: text("dependencies", { mode: "json" }).$type<string[]>().notNull(),
    tags: text("tags", { mode: "json" }).$type<string[]>().notNull(),
    isRequired: integer("is_required", { mode: "boolean" }).notNull(),
    /** Written with transitions of status only; the latest one is in memory. */
    lastHealthCheck: integer("last_health_check"),
    source: text("source").$type<Source>().notNull(),
    maintenance: integer("maintenance", { mode: "boolean" }).notNull(),
    everHealthy: integer("ever_healthy", { mode: "boolean" }).notNull(),
    schemaState: text("schema_state", { mode: "json" }).$type<SchemaState>().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    createdRevision: integer("created_revision").notNull(),
    revision: integer("revision").notNull(),
  },
  (table) => [index("service_registry_revision").on(table.revision)],
);

export const instances = sqliteTable(
  "service_instances",
  {
    service: text("service")
      .notNull()
      .references(() => services.name, { onDelete: "cascade" }),
    origin: text("origin").notNull(),
    /** Its place among the service's instances. */
    position: integer("position").notNull(),
    url: text("url").notNull(),
    door: text("door").$type<Door>().notNull(),
    graphqlUrl: text("graphql_url"),
    healthUrl: text("health_url"),
    health: text("health").$type<Health>().notNull(),
    healthReason: text("health_reason"),
    lastHealthCheck: integer("last_health_check"),
    ttlSeconds: integer("ttl_seconds"),
    leaseUntil: integer("lease_until"),
    leaseExpired: integer("lease_expired", { mode: "boolean" }).notNull(),
    unready: integer("unready", { mode: "boolean" }).notNull().default(false),
    node: text("node"),
    registeredAt: integer("registered_at").notNull(),
    revision: integer("revision").notNull(),
  },
  (table) => [primaryKey({ columns: [table.service, table.origin] })],
);

/** One row: the revision, which outlives the removal of the service that had the highest one. */
export const state = sqliteTable("registry_state", {
  id: integer("id").primaryKey(),
  revision: integer("revision").notNull(),
});
