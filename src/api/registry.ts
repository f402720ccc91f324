/**
 * The registry's REST door on :3999. Holds no state and decides nothing.
 */
import { openapi } from "@elysiajs/openapi";
import { Elysia, t } from "elysia";
import { BobbinError, toBobbinError } from "../errors.ts";
import { notFound } from "../registry/registry.ts";
import { isServing, type Service } from "../registry/service.ts";
import { version } from "../version.ts";
import { problem } from "./answers.ts";
import type { Operations } from "./core.ts";
import { elysiaError, type Route } from "./elysia-error.ts";
import { eventMessages } from "./events.ts";
import type { Guard } from "./guard.ts";
import type { Streams } from "./sse.ts";
import { restView } from "./views.ts";

export interface RegistryApiOptions {
  operations: Operations;
  guard: Guard;
  streams: Streams;
  revision: () => number;
  available: () => boolean;
}

/** Pages of allowed origins may read, and nothing else. */
export function registryCorsMethods(path: string): readonly string[] {
  return /^\/(register|unregister|heartbeat)$/.test(path) ? [] : ["GET"];
}

const nullable = <T extends Parameters<typeof t.Union>[0][number]>(schema: T) =>
  t.Optional(t.Union([schema, t.Null()]));

const Registration = t.Object({
  serviceName: t.String({ description: "Unique name: lower case letters, digits, dot, hyphen, underscore" }),
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
  ttl: nullable(t.Integer({ description: "Length of the lease in seconds" })),
});

const Removal = t.Object({
  serviceName: t.String(),
  url: nullable(t.String({ description: "Only the instance at this URL" })),
});

const Heartbeat = t.Object({ serviceName: t.String(), url: t.String() });

export function registryApi({ operations, guard, streams, revision, available }: RegistryApiOptions) {
  const find = (name: string): Service => {
    const service = operations.service(name);
    if (!service) throw notFound(name);
    return service;
  };
  let routes: readonly Route[] = [];
  const app = new Elysia({ normalize: false })
    .onError(({ error, code, request }) => problem(elysiaError(error, code, request, routes)))
    .use(
      openapi({
        path: "/openapi",
        specPath: "/openapi.json",
        provider: null,
        documentation: { info: { title: "bobbin registry", version } },
      }),
    )
    // Before the body is looked at: what may not write learns nothing of what a body should be.
    .onRequest(async ({ request }) => {
      if (request.method === "POST") await precheck(guard, request);
    })
    .post(
      "/register",
      async ({ body, request, set }) => {
        await guard.checkWrite(request, body.serviceName);
        const { serviceName, health, ...rest } = present(body);
        const input = {
          ...rest,
          name: serviceName,
          healthCheck: health,
          door: "REST",
          source: "REMOTE",
        } as const;
        const { service, created } = await operations.register(input);
        set.status = created ? 201 : 200;
        return restView(service);
      },
      {
        body: Registration,
        detail: { summary: "Register a service, an instance of it, or renew what is known" },
      },
    )
    .post(
      "/unregister",
      async ({ body, request }) => {
        await guard.checkWrite(request, body.serviceName);
        return restView(await operations.unregister(body.serviceName, body.url ?? undefined));
      },
      { body: Removal, detail: { summary: "Remove a service, or one instance of it" } },
    )
    .post(
      "/heartbeat",
      async ({ body, request }) => {
        await guard.checkWrite(request, body.serviceName);
        return restView(await operations.heartbeat(body.serviceName, body.url));
      },
      { body: Heartbeat, detail: { summary: "Renew the lease of an instance; 404: register again" } },
    )
    .get("/services", () => ({ services: operations.services().map(restView) }), {
      detail: { summary: "Every service, plugins and the core among them" },
    })
    .get(
      "/services/:serviceName",
      ({ params, query }) => {
        const service = find(params.serviceName);
        return restView(query.healthy === "true" ? onlyHealthy(service) : service);
      },
      {
        params: t.Object({ serviceName: t.String() }),
        query: t.Object({ healthy: t.Optional(t.String({ description: "true: healthy instances only" })) }),
        detail: { summary: "One service" },
      },
    )
    .get(
      "/health",
      () => ({ status: "ok", version, database: available() ? "ok" : "unavailable", revision: revision() }),
      {
        detail: { summary: "Whether the registry is there" },
      },
    )
    .get(
      "/events",
      ({ request }) => {
        const lastId = request.headers.get("last-event-id");
        return streams.respond(request, (signal) => eventMessages({ operations, revision }, lastId, signal));
      },
      {
        detail: {
          summary: "Server-sent events: a snapshot first, then every change; resumes by Last-Event-ID",
        },
      },
    );
  routes = app.routes;
  return app;
}

/** REST's null stands for "not named". */
function present<T extends object>(body: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) as never;
}

async function precheck(guard: Guard, request: Request): Promise<void> {
  try {
    await guard.checkWrite(request, undefined);
  } catch (thrown) {
    // Whose token it is can only be told with the body at hand.
    if (toBobbinError(thrown).code !== "FORBIDDEN") throw thrown;
  }
}

function onlyHealthy(service: Service): Service {
  const instances = service.instances.filter(isServing);
  if (instances.length > 0) return { ...service, instances };
  throw new BobbinError(
    "NO_HEALTHY_INSTANCE",
    `${service.name}: ${service.statusReason ?? "no instance is healthy"}.`,
  );
}
