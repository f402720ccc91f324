/**
 * What the calls on :3999 take in their bodies, and what a registration's body asks of the registry. Knows forms; nothing
 * of calls.
 */
import { t } from "elysia";
import { LIMITS } from "../registry/fields.ts";
import type { Registration } from "../registry/registration.ts";
import { present } from "./operations.ts";

const nullable = <T extends Parameters<typeof t.Union>[0][number]>(schema: T) =>
  t.Optional(t.Union([schema, t.Null()]));

/** A field that is not known is ignored: newer clients talk to older registries, and answers may be sent back. */
const OPEN = { additionalProperties: true };

const Readiness = nullable(t.Boolean({ description: "false: this instance wants no requests for now" }));

export const RegistrationBody = t.Object(
  {
    serviceName: t.String({
      description: "Unique name: lower case letters, digits, dot, hyphen, underscore",
    }),
    url: t.String({ description: "Base URL of this instance" }),
    health: nullable(
      t.String({ description: "Health check, a path or a URL; default: metadata.endpoints.health" }),
    ),
    version: nullable(t.String({ description: "Default: metadata.version" })),
    displayName: nullable(t.String()),
    description: nullable(t.String()),
    metadata: nullable(
      t.Record(t.String(), t.Unknown(), { description: "Whatever the service wants to tell" }),
    ),
    dependencies: nullable(t.Array(t.String())),
    tags: nullable(t.Array(t.String())),
    isRequired: nullable(t.Boolean()),
    ttl: nullable(
      t.Number({
        description: "Length of the lease in seconds",
        multipleOf: 1,
        minimum: 1,
        maximum: LIMITS.ttlSeconds,
      }),
    ),
    ready: Readiness,
  },
  OPEN,
);

export const Removal = t.Object(
  {
    serviceName: t.String(),
    url: nullable(t.String({ description: "Only the instance at this URL" })),
  },
  OPEN,
);

export const Heartbeat = t.Object({ serviceName: t.String(), url: t.String(), ready: Readiness }, OPEN);

/** Field by field: what else is in the body is none of the registry's. */
export function registrationOf(body: typeof RegistrationBody.static): Registration {
  const named = present(body);
  const { serviceName, url, health, ttl, displayName, description, version: serviceVersion } = named;
  const { metadata, dependencies, tags, isRequired, ready } = named;
  return {
    name: serviceName,
    url,
    healthCheck: health,
    ttl,
    displayName,
    description,
    version: serviceVersion,
    metadata,
    dependencies,
    tags,
    isRequired,
    ready,
    door: "REST",
    source: "REMOTE",
  };
}
