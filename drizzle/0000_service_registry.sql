CREATE TABLE `service_instances` (
	`service` text NOT NULL,
	`origin` text NOT NULL,
	`position` integer NOT NULL,
	`url` text NOT NULL,
	`door` text NOT NULL,
	`graphql_url` text,
	`health_url` text,
	`health` text NOT NULL,
	`health_reason` text,
	`last_health_check` integer,
	`ttl_seconds` integer,
	`lease_until` integer,
	`lease_expired` integer NOT NULL,
	`node` text,
	`registered_at` integer NOT NULL,
	`revision` integer NOT NULL,
	PRIMARY KEY(`service`, `origin`),
	FOREIGN KEY (`service`) REFERENCES `service_registry`(`name`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `service_registry` (
	`name` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`display_name` text,
	`description` text,
	`url` text NOT NULL,
	`version` text,
	`status` text NOT NULL,
	`status_reason` text,
	`health_check` text,
	`metadata` text NOT NULL,
	`dependencies` text NOT NULL,
	`tags` text NOT NULL,
	`is_required` integer NOT NULL,
	`last_health_check` integer,
	`source` text NOT NULL,
	`maintenance` integer NOT NULL,
	`ever_healthy` integer NOT NULL,
	`schema_state` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`created_revision` integer NOT NULL,
	`revision` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `service_registry_id_unique` ON `service_registry` (`id`);--> statement-breakpoint
CREATE INDEX `service_registry_revision` ON `service_registry` (`revision`);--> statement-breakpoint
CREATE TABLE `registry_state` (
	`id` integer PRIMARY KEY NOT NULL,
	`revision` integer NOT NULL
);
