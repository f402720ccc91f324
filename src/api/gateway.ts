/**
 * The gateway's door on :3000: the graph, and what can be asked about it. Holds no state and decides nothing.
 */
import { Elysia } from "elysia";
import { createYoga } from "graphql-yoga";
import { BobbinError } from "../errors.ts";
import type { Composer } from "../gateway/composer.ts";
import type { GatewayContext } from "../gateway/request-context.ts";
import { hopsOf, MAX_HOPS } from "../http.ts";
import type { Log } from "../log.ts";
import { getsRequests, leadingInstance, type Service } from "../registry/service.ts";
import { refusal } from "./answers.ts";
import { type DoorRoute, elysiaError } from "./elysia-error.ts";
import type { Guard } from "./guard.ts";
import { healthView } from "./views.ts";
import { yogaOptions } from "./yoga.ts";

export interface GatewayApiOptions {
  composer: Composer;
  services: () => readonly Service[];
  guard: Guard;
  /** GraphQL over HTTP of one plugin, or undefined where there is none of this name. */
  plugin: (name: string) => ((request: Request) => Response | Promise<Response>) | undefined;
  /** Whether the process is to be sent traffic. */
  isReady: () => boolean;
  /** Aborts when streams have to end. */
  stopping: AbortSignal;
  log: Log;
}

/** Methods that pages of allowed origins may use, by path; a reload is a write, and not for pages. */
export function gatewayCorsMethods(path: string): readonly string[] {
  if (path === "/gateway/reload") return [];
  return path.endsWith("/graphql") ? ["GET", "POST"] : ["GET"];
}

export function gatewayApi({ composer, services, guard, plugin, isReady, stopping, log }: GatewayApiOptions) {
  const yoga = createYoga<GatewayContext>({
    ...yogaOptions({ log, title: "bobbin", stopping }),
    // The snapshot that is current when the request begins; it keeps it to its end.
    schema: () => composer.snapshot.schema,
  });

  async function graphql(request: Request): Promise<Response> {
    const hops = hopsOf(request.headers);
    if (hops > MAX_HOPS) {
      throw new BobbinError("LOOP_DETECTED", `The request came through more than ${MAX_HOPS} gateways.`);
    }
    checkPreflight(request);
    return yoga.handle(request, { request, hops, writeToken: await guard.writeToken(request) });
  }

  let routes: readonly DoorRoute[] = [];
  const app = new Elysia()
    .onError(({ error, code, request, path }) => refusal(elysiaError(error, code, request, routes), path))
    .get("/", ({ redirect }) => redirect("/graphql"))
    .all("/graphql", ({ request }) => graphql(request), { parse: "none" })
    .post(
      "/gateway/reload",
      async ({ request }) => {
        await guard.checkWrite(request, undefined, "NONE");
        return composer.reload();
      },
      { parse: "none" },
    )
    .get("/gateway/health", ({ set }) => {
      const all = services();
      const down = all.some((service) => service.isRequired && !getsRequests(service.status));
      if (down) set.status = 503;
      const well = all.every((service) => service.status === "ACTIVE");
      return { status: down ? "unhealthy" : well ? "ok" : "degraded", services: all.map(healthView) };
    })
    .get("/gateway/services", () => ({
      revision: composer.snapshot.revision,
      services: services().map((service) => gatewayServiceView(composer, service)),
    }))
    .get("/gateway/schema", ({ set }) => {
      set.headers["content-type"] = "text/plain; charset=utf-8";
      return composer.snapshot.sdl;
    })
    .get("/gateway/live", () => ({ status: "ok" }))
    .get("/gateway/ready", ({ set }) => {
      const ready = isReady();
      if (!ready) set.status = 503;
      return { status: ready ? "ok" : "not ready" };
    })
    .all(
      "/plugins/:name/graphql",
      ({ request, params }) => {
        const serve = plugin(params.name);
        if (!serve) throw new BobbinError("NOT_FOUND", `No plugin is named ${params.name.slice(0, 100)}.`);
        checkPreflight(request);
        return serve(request);
      },
      { parse: "none" },
    );
  routes = app.routes;
  return app;
}

function gatewayServiceView(composer: Composer, service: Service) {
  const { url, graphqlUrl } = leadingInstance(service);
  const { name, source, status, version } = service;
  return { name, source, status, url, graphqlUrl, version, ...composer.stateOf(service) };
}

/** Bodies that a browser sends for any page without asking first. */
const UNASKED = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;
const PREFLIGHT_HEADERS = [
  "graphql-require-preflight",
  "apollo-require-preflight",
  "x-apollo-operation-name",
  "x-graphql-yoga-csrf",
];

/** Any page could post a form here with the user's cookies: such a body needs a header that no form can send. */
function checkPreflight(request: Request): void {
  if (request.method !== "POST") return;
  const type = request.headers.get("content-type");
  if (type !== null && !UNASKED.test(type)) return;
  if (PREFLIGHT_HEADERS.some((name) => request.headers.has(name))) return;
  throw new BobbinError(
    "PREFLIGHT_REQUIRED",
    `Send content-type: application/json, or the header ${PREFLIGHT_HEADERS[0]}.`,
  );
}
