/**
 * The doors of plugins below /plugins: each one's own GraphQL and HTTP, and what may be done with them.
 * Holds no state but one GraphQL server per version; decides nothing.
 */
import { Elysia } from "elysia";
import { BobbinError } from "../errors.ts";
import type { Reason } from "../gateway/compose/ownership.ts";
import type { Composer } from "../gateway/composer.ts";
import { hopsOf, MAX_HOPS } from "../http.ts";
import { shown } from "../plugins/place.ts";
import type { Plugin } from "../plugins/plugin.ts";
import { shownHeaders } from "../plugins/shown-headers.ts";
import { nameTaken } from "../registry/registration.ts";
import type { Service } from "../registry/service.ts";
import type { Guard } from "./guard.ts";
import type { PluginGraphQL } from "./plugin-graphql.ts";
import { checkPreflight } from "./preflight.ts";

export interface PluginsApiOptions {
  plugins: () => readonly Plugin[];
  plugin: (name: string) => Plugin | undefined;
  /** Loads a plugin anew. Throws PLUGIN_NOT_FOUND. */
  reload: (name: string) => Promise<Plugin>;
  /** Takes a plugin out of service, or brings it back. */
  setDisabled: (name: string, isDisabled: boolean) => Promise<void>;
  service: (name: string) => Service | undefined;
  /** Resolves when what was reported of plugins is in the registry. */
  settled: () => Promise<void>;
  /** Why a service gets no requests at this moment, if so. */
  refusal: (name: string) => BobbinError | undefined;
  composer: Composer;
  graphql: PluginGraphQL;
  guard: Guard;
}

interface Context {
  readonly request: Request;
  readonly params: { readonly name: string };
}

export function pluginsApi(options: PluginsApiOptions) {
  const { plugins, reload, setDisabled, settled, guard, graphql } = options;
  const checkWrite = (request: Request, name: string) => guard.checkWrite(request, name, "NONE");
  const switchTo = async ({ request, params }: Context, isDisabled: boolean) => {
    await checkWrite(request, params.name);
    const { name } = find(options, params.name);
    const registered = options.service(name);
    // A plugin that was refused for its name is found by it all the same.
    if (registered && registered.source !== "PLUGIN") throw nameTaken(registered);
    await setDisabled(name, isDisabled);
    await settled();
    return pluginView(find(options, name), options);
  };
  const toPlugin = ({ request, params }: Context) => answerOf(request, find(options, params.name), options);

  return new Elysia()
    .get("/plugins", () => ({ plugins: plugins().map((plugin) => pluginView(plugin, options)) }))
    .all(
      "/plugins/:name/graphql",
      ({ request, params }) => {
        const plugin = find(options, params.name);
        checkPreflight(request);
        const version = plugin.serving ?? plugin.newest;
        if (version?.generation?.isOver === false) return graphql.answer(version, request);
        throw options.refusal(params.name) ?? notRunning(params.name);
      },
      { parse: "none" },
    )
    .post(
      "/plugins/:name/reload",
      async ({ request, params }) => {
        await checkWrite(request, params.name);
        const plugin = await reload(params.name);
        await settled();
        const view = pluginView(plugin, options);
        if (view.reason) throw refusalOf(view.reason);
        return view;
      },
      { parse: "none" },
    )
    .post("/plugins/:name/enable", (context) => switchTo(context, false), { parse: "none" })
    .post("/plugins/:name/disable", (context) => switchTo(context, true), { parse: "none" })
    .all("/plugins/:name", toPlugin, { parse: "none" })
    .all("/plugins/:name/*", toPlugin, { parse: "none" });
}

function find({ plugin }: PluginsApiOptions, name: string): Plugin {
  const found = plugin(name);
  if (found) return found;
  throw new BobbinError("PLUGIN_NOT_FOUND", `No plugin is named ${JSON.stringify(name.slice(0, 100))}.`);
}

/** What the plugin's own `fetch` answers. */
async function answerOf(
  request: Request,
  plugin: Plugin,
  { refusal, guard }: PluginsApiOptions,
): Promise<Response> {
  const { name } = plugin;
  const version = plugin.serving ?? plugin.newest;
  const refused = version ? refusal(name) : notRunning(name);
  if (refused) throw refused;
  if (!version?.manifest.answersHttp)
    throw new BobbinError("NOT_FOUND", `The plugin ${name} answers no HTTP requests.`);
  const hops = hopsOf(request.headers);
  if (hops > MAX_HOPS)
    throw new BobbinError("LOOP_DETECTED", `The request came through more than ${MAX_HOPS} gateways.`);
  const body = request.body ? Buffer.from(await request.arrayBuffer()).toString("base64") : null;
  const headers = shownHeaders(request, await guard.writeToken(request));
  return version.fetch({ method: request.method, url: request.url, headers, hops, body }, request.signal);
}

function notRunning(name: string): BobbinError {
  return new BobbinError("SERVICE_UNAVAILABLE", `The plugin ${name} is not running.`);
}

function pluginView(plugin: Plugin, { service, composer }: PluginsApiOptions) {
  const { name, entry, newest, failure, crashes } = plugin;
  const registered = service(name);
  const isRegistered = registered?.source === "PLUGIN";
  const { composition, reason } = isRegistered
    ? composer.stateOf(registered)
    : { composition: "REJECTED" as const, reason: null };
  return {
    name,
    file: shown(entry),
    version: newest?.manifest.version ?? null,
    isolation: newest?.manifest.isolation ?? null,
    status: isRegistered ? registered.status : "INACTIVE",
    statusReason: isRegistered ? registered.statusReason : null,
    composition,
    reason: reason ?? (failure ? reasonOf(failure) : null),
    crashes,
  };
}

function reasonOf({ code, message, place, step }: BobbinError): Reason {
  return { code, message, ...place, ...(step ? { step } : {}) };
}

function refusalOf({ code, message, file, step, ...place }: Reason): BobbinError {
  return new BobbinError(code, message, { step, ...(file ? { place: { file, ...place } } : {}) });
}
