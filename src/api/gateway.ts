/**
 * The gateway's door on :3000: the graph, and what can be asked about it. Holds no state and decides nothing.
 */
import { Elysia } from "elysia";
import { createYoga } from "graphql-yoga";
import { BobbinError } from "../errors.ts";
import type { Composer } from "../gateway/composer.ts";
import type { InFlight } from "../gateway/in-flight.ts";
import type { GatewayContext } from "../gateway/request-context.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { hopsOf, MAX_HOPS } from "../http.ts";
import type { Log } from "../log.ts";
import { getsRequests, leadingInstance, type Service } from "../registry/service.ts";
import { refusal } from "./answers.ts";
import { type DoorRoute, elysiaError } from "./elysia-error.ts";
import type { Guard } from "./guard.ts";
import { type PluginsApiOptions, pluginsApi } from "./plugins.ts";
import { checkPreflight } from "./preflight.ts";
import { healthView } from "./views.ts";
import { yogaOptions } from "./yoga.ts";

export interface GatewayApiOptions {
  composer: Composer;
  services: () => readonly Service[];
  guard: Guard;
  /** Counts the requests that use a snapshot. */
  inFlight: InFlight;
  plugins: Omit<PluginsApiOptions, "composer" | "guard">;
  /** Whether the process is to be sent traffic. */
  isReady: () => boolean;
  /** Aborts when streams have to end. */
  stopping: AbortSignal;
  log: Log;
}

/** What is done with a plugin, or with the gateway. */
const ACTION = /^\/(gateway\/reload|plugins\/[^/]+\/(reload|enable|disable))$/;

/** Methods that pages of allowed origins may use, by path; an action is a write, and not for pages. */
export function gatewayCorsMethods(path: string): readonly string[] | undefined {
  if (ACTION.test(path)) return [];
  // What a plugin answers itself is its own matter.
  if (path.startsWith("/plugins/") && !path.endsWith("/graphql")) return undefined;
  return path.endsWith("/graphql") ? ["GET", "POST"] : ["GET"];
}

/** A request keeps the snapshot that is current when it begins to its end. */
interface RequestContext extends GatewayContext {
  readonly snapshot: Snapshot;
}

export function gatewayApi(options: GatewayApiOptions) {
  const { composer, services, guard, inFlight, plugins, isReady, stopping, log } = options;
  const yoga = createYoga<RequestContext>({
    ...yogaOptions({ log, title: "bobbin", stopping }),
    schema: ({ snapshot }) => snapshot.schema,
  });

  async function graphql(request: Request): Promise<Response> {
    const hops = hopsOf(request.headers);
    if (hops > MAX_HOPS) {
      throw new BobbinError("LOOP_DETECTED", `The request came through more than ${MAX_HOPS} gateways.`);
    }
    checkPreflight(request);
    const writeToken = await guard.writeToken(request);
    const leave = inFlight.enter();
    try {
      return await yoga.handle(request, { request, hops, writeToken, snapshot: composer.snapshot });
    } finally {
      leave();
    }
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
    .use(pluginsApi({ ...plugins, composer, guard }));
  routes = app.routes;
  return app;
}

function gatewayServiceView(composer: Composer, service: Service) {
  const { url, graphqlUrl } = leadingInstance(service);
  const { name, source, status, version } = service;
  return { name, source, status, url, graphqlUrl, version, ...composer.stateOf(service) };
}
