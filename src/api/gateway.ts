/**
 * The gateway's door on :3000: the graph, and what can be asked about it. Holds no state and decides nothing.
 */
import { Elysia } from "elysia";
import { toBobbinError } from "../errors.ts";
import type { ChangeReport } from "../gateway/compose/change-reports.ts";
import type { Composer } from "../gateway/composer.ts";
import type { RoadCounts } from "../gateway/quick/quick-road.ts";
import { notFound } from "../registry/registration.ts";
import { getsRequests, leadingInstance, type Service } from "../registry/service.ts";
import { refusal } from "./answers.ts";
import { type DoorRoute, elysiaError } from "./elysia-error.ts";
import type { Routes } from "./front.ts";
import { checkedHops, type Graph } from "./graph.ts";
import type { Guard } from "./guard.ts";
import { jsonOf, listInPieces, textsOf } from "./json-list.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import { type PluginsApiOptions, pluginsApi } from "./plugins.ts";
import { checkPreflight } from "./preflight.ts";
import { trials } from "./trial.ts";
import { healthView } from "./views.ts";

export interface GatewayApiOptions {
  composer: Composer;
  services: () => readonly Service[];
  guard: Guard;
  graph: Graph;
  /** How many answers of all processes took each road. */
  counts: () => Promise<RoadCounts>;
  /** Resolves when all processes have the graph that this one has. */
  followed: () => Promise<void>;
  plugins: Omit<PluginsApiOptions, "composer" | "guard">;
  /** Whether the process is to be sent traffic. */
  isReady: () => boolean;
}

/** What is done with a plugin, or with the gateway. */
const ACTION =
  /^\/(gateway\/(reload|compose|services\/[^/]+\/accept)|plugins\/[^/]+\/(reload|enable|disable))$/;

/** What answers of the graph as it is by now: the next question, to whichever process, is to find it so. */
const OF_THE_GRAPH = /^\/(gateway\/(services|schema|health)|plugins)$/;

const GRAPHQL_METHODS = ["GET", "POST"];

/** Methods that pages of allowed origins may use, by path; an action is a write, and not for pages. */
export function gatewayCorsMethods(path: string): readonly string[] | undefined {
  if (path === "/graphql") return GRAPHQL_METHODS;
  if (ACTION.test(path)) return [];
  // What a plugin answers itself is its own matter.
  if (path.startsWith("/plugins/") && !path.endsWith("/graphql")) return undefined;
  return path.endsWith("/graphql") ? GRAPHQL_METHODS : ["GET"];
}

export function gatewayApi(options: GatewayApiOptions): Routes {
  const { composer, services, guard, graph, counts, followed, plugins, isReady } = options;
  const graphql = graphqlRoute(guard, graph);
  const tryOut = trials((name, sdl) => composer.tryOut(name, sdl));
  let routes: readonly DoorRoute[] = [];
  const app = new Elysia()
    .onError(({ error, code, request, path }) => refusal(elysiaError(error, code, request, routes), path))
    .get("/", ({ redirect }) => redirect("/graphql"))
    .post(
      "/gateway/reload",
      async ({ request }) => {
        await guard.checkWrite(request, undefined, "NONE");
        return composer.reload();
      },
      { parse: "none" },
    )
    .post(
      "/gateway/services/:name/accept",
      async ({ request, params: { name }, query: { hash } }) => {
        await guard.checkWrite(request, name, "NONE");
        if (!plugins.service(name)) throw notFound(name);
        await composer.accept(name, hash);
        await plugins.settled();
        const service = plugins.service(name);
        if (!service) throw notFound(name);
        return gatewayServiceView(composer, service);
      },
      { parse: "none" },
    )
    .post(
      "/gateway/compose",
      async ({ request }) => {
        await guard.checkWrite(request, undefined);
        try {
          return await tryOut(request);
        } catch (error) {
          const { code, message } = toBobbinError(error);
          if (code !== "SCHEMA_INVALID") throw error;
          return { composes: false, kind: null, isNew: null, reasons: [{ code, message }], changes: null };
        }
      },
      { parse: "none" },
    )
    .get("/gateway/health", () => {
      const all = services();
      const down = all.some((service) => service.isRequired && !getsRequests(service.status));
      const well = all.every((service) => service.status === "ACTIVE");
      const status = down ? "unhealthy" : well ? "ok" : "degraded";
      const texts = textsOf(all, (service) => JSON.stringify(healthView(service)));
      return jsonOf(listInPieces(`{"status":"${status}","services":[`, texts, "]}"), down ? 503 : 200);
    })
    .get("/gateway/services", () => {
      const { revision } = composer.snapshot;
      const texts = textsOf(services(), (service) => JSON.stringify(gatewayServiceView(composer, service)));
      return jsonOf(listInPieces(`{"revision":${revision},"services":[`, texts, "]}"));
    })
    .get("/gateway/schema", ({ set }) => {
      set.headers["content-type"] = "text/plain; charset=utf-8";
      return composer.snapshot.sdl;
    })
    .get("/metrics", async ({ set }) => {
      set.headers["content-type"] = METRICS_TYPE;
      return metricsText(await counts());
    })
    .get("/gateway/live", () => ({ status: "ok" }))
    .get("/gateway/ready", ({ set }) => {
      const ready = isReady();
      if (!ready) set.status = 503;
      return { status: ready ? "ok" : "not ready" };
    })
    .use(pluginsApi({ ...plugins, composer, guard }));
  routes = app.routes;
  // What nearly every request asks for needs no router.
  return (request, path) => (path === "/graphql" ? graphql(request) : routed(request, path));

  async function routed(request: Request, path: string): Promise<Response> {
    const response = await app.fetch(request);
    if (OF_THE_GRAPH.test(path) || ACTION.test(path)) await followed();
    return response;
  }
}

/** Questions to the graph over HTTP. */
export function graphqlRoute(guard: Guard, graph: Graph): (request: Request) => Promise<Response> {
  return (request) => {
    const hops = checkedHops(request);
    checkPreflight(request);
    const token = guard.writeToken(request);
    if (!token) return graph.handle({ request, hops, writeToken: undefined });
    return token.then((writeToken) => graph.handle({ request, hops, writeToken }));
  };
}

function gatewayServiceView(composer: Composer, service: Service) {
  const { url, graphqlUrl } = leadingInstance(service);
  const { name, source, status, statusReason, version } = service;
  const changes = changesView(composer.changesOf(name));
  const state = composer.stateOf(service);
  return { name, source, status, statusReason, url, graphqlUrl, version, ...state, changes };
}

function changesView(report: ChangeReport | null) {
  return report && { ...report, at: new Date(report.at).toISOString() };
}
