/**
 * The registry's REST door on :3999. Holds no state and decides nothing.
 */
import { openapi } from "@elysiajs/openapi";
import { Elysia, t } from "elysia";
import { BobbinError, ERROR_TABLE, type ErrorCode, toBobbinError } from "../errors.ts";
import { isServing, type Service } from "../registry/service.ts";
import { version } from "../version.ts";
import { problem } from "./answers.ts";
import { fileAnswer } from "./backup.ts";
import { clientScript } from "./client-script.ts";
import { type DoorRoute, elysiaError } from "./elysia-error.ts";
import { eventMessages } from "./events.ts";
import type { Guard } from "./guard.ts";
import { jsonOf, listInPieces, textsOf } from "./json-list.ts";
import { find, type Operations } from "./operations.ts";
import { Heartbeat, RegistrationBody, Removal, registrationOf } from "./registry-bodies.ts";
import { serviceText } from "./service-text.ts";
import type { Streams } from "./sse.ts";

export interface RegistryApiOptions {
  operations: Operations;
  guard: Guard;
  streams: Streams;
  revision: () => number;
  available: () => boolean;
}

const WRITE_PATH = /^\/(register|unregister|heartbeat)\/?$/;
const BACKUP_PATH = /^\/backup\/?$/;

/** Pages of allowed origins may read, and nothing else. */
export function registryCorsMethods(path: string): readonly string[] {
  return WRITE_PATH.test(path) || BACKUP_PATH.test(path) ? [] : ["GET"];
}

/** What a call answers, for the description: its success, and the codes that it may be refused with. */
function answers(success: Record<number, string>, ...codes: ErrorCode[]) {
  const responses: Record<string, { description: string }> = {};
  for (const [status, description] of Object.entries(success)) responses[status] = { description };
  for (const code of codes) {
    const [status, meaning] = ERROR_TABLE[code];
    const known = responses[status]?.description;
    responses[status] = { description: `${known ? `${known} ` : ""}${code}: ${meaning}` };
  }
  return responses;
}

const ANY_WRITE = [
  "INVALID_JSON",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "FORBIDDEN_ORIGIN",
  "NAME_TAKEN",
  "BODY_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "INVALID_INPUT",
  "OVERLOADED",
  "REGISTRY_UNAVAILABLE",
] as const satisfies ErrorCode[];

export function registryApi({ operations, guard, streams, revision, available }: RegistryApiOptions) {
  let routes: readonly DoorRoute[] = [];
  let script: Promise<string> | undefined;
  let isBackingUp = false;
  const app = new Elysia({ normalize: false })
    .onError(({ error, code, request }) => problem(elysiaError(error, code, request, routes)))
    .use(
      openapi({
        path: "/openapi",
        specPath: "/openapi.json",
        provider: null,
        documentation: {
          info: {
            title: "bobbin registry",
            description: "Services register, are found and are watched",
            version,
          },
        },
      }),
    )
    // Before the body is looked at: what may not write learns nothing of what a body should be.
    .onRequest(async ({ request }) => {
      const isWrite = request.method === "POST" && WRITE_PATH.test(new URL(request.url).pathname);
      if (isWrite) await precheck(guard, request);
    })
    .post(
      "/register",
      async ({ body, request }) => {
        await guard.checkWrite(request, body.serviceName);
        const { service, created } = await operations.register(registrationOf(body));
        return jsonOf(serviceText(service), created ? 201 : 200);
      },
      {
        body: RegistrationBody,
        parse: "json",
        detail: {
          summary: "Register a service, an instance of it, or renew what is known",
          responses: answers(
            { 200: "The service, known before", 201: "The service, new" },
            ...ANY_WRITE,
            "LIMIT_REACHED",
            "SELF_REFERENCE",
          ),
        },
      },
    )
    .post(
      "/unregister",
      async ({ body, request }) => {
        await guard.checkWrite(request, body.serviceName);
        return jsonOf(serviceText(await operations.unregister(body.serviceName, body.url ?? undefined)));
      },
      {
        body: Removal,
        parse: "json",
        detail: {
          summary: "Remove a service, or one instance of it",
          responses: answers(
            { 200: "What was removed" },
            ...ANY_WRITE,
            "SERVICE_NOT_FOUND",
            "INSTANCE_NOT_FOUND",
          ),
        },
      },
    )
    .post(
      "/heartbeat",
      async ({ body, request }) => {
        await guard.checkWrite(request, body.serviceName);
        const { serviceName, url, ready } = body;
        return jsonOf(serviceText(await operations.heartbeat(serviceName, url, ready ?? undefined)));
      },
      {
        body: Heartbeat,
        parse: "json",
        detail: {
          summary: "Renew the lease of an instance, and say whether it is ready; 404: register again",
          responses: answers({ 200: "The service" }, ...ANY_WRITE, "SERVICE_NOT_FOUND", "INSTANCE_NOT_FOUND"),
        },
      },
    )
    .post(
      "/backup",
      async ({ request }) => {
        await guard.checkWrite(request, undefined, "NONE");
        if (isBackingUp) throw new BobbinError("OVERLOADED", "A copy is being made already; try again.");
        isBackingUp = true;
        try {
          return await fileAnswer(await operations.backUp());
        } finally {
          isBackingUp = false;
        }
      },
      {
        parse: "none",
        detail: {
          summary: "A copy of the registry's database, as it is now; reads no body",
          responses: answers(
            { 200: "A SQLite database" },
            "UNAUTHENTICATED",
            "FORBIDDEN",
            "FORBIDDEN_ORIGIN",
            "CONFLICT",
            "OVERLOADED",
            "REGISTRY_UNAVAILABLE",
          ),
        },
      },
    )
    .get(
      "/services",
      () => jsonOf(listInPieces('{"services":[', textsOf(operations.services(), serviceText), "]}")),
      {
        detail: {
          summary: "Every service, plugins and the core among them",
          responses: answers({ 200: "{ services: [ … ] }" }),
        },
      },
    )
    .get(
      "/services/:serviceName",
      ({ params, query }) => {
        const service = find(operations, params.serviceName);
        return jsonOf(serviceText(query.healthy === "true" ? onlyHealthy(service) : service));
      },
      {
        params: t.Object({ serviceName: t.String() }),
        query: t.Object({ healthy: t.Optional(t.String({ description: "true: healthy instances only" })) }),
        detail: {
          summary: "One service",
          responses: answers({ 200: "The service" }, "SERVICE_NOT_FOUND", "NO_HEALTHY_INSTANCE"),
        },
      },
    )
    .get(
      "/health",
      ({ set }) => {
        const isWell = available();
        if (!isWell) set.status = 503;
        const [status, database] = isWell ? ["ok", "ok"] : ["unhealthy", "unavailable"];
        return { status, version, database, revision: revision() };
      },
      {
        detail: {
          summary: "Whether the registry is there, and takes writes",
          responses: answers({
            200: "Status, version, state of the database, revision",
            503: "The same: the database cannot be read, what was known is served, and writes are refused",
          }),
        },
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
          responses: answers({ 200: "A stream of events" }, "OVERLOADED"),
        },
      },
    )
    .get(
      "/client.js",
      async () => {
        script ??= clientScript();
        const headers = { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-cache" };
        return new Response(await script, { headers });
      },
      {
        detail: {
          summary: "The client as one ES module without imports",
          responses: answers({ 200: "A module of JavaScript" }),
        },
      },
    );
  routes = app.routes;
  return app;
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
