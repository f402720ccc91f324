/**
 * Makes services of plugins: registers them like anyone else's, has the graph composed with them, and takes them back.
 * Knows the plugin host, the registry and the composer; decides nothing of what a plugin is or where it fits.
 */
import type { Clock } from "./clock.ts";
import { BobbinError, toBobbinError } from "./errors.ts";
import type { RegistryEvent } from "./events.ts";
import type { Reason } from "./gateway/compose/ownership.ts";
import type { Composer } from "./gateway/composer.ts";
import type { LocalServices } from "./local-services.ts";
import type { Log } from "./log.ts";
import type { PluginHost } from "./plugins/host.ts";
import { shown } from "./plugins/place.ts";
import type { Plugin } from "./plugins/plugin.ts";
import type { Registration } from "./registry/registration.ts";
import { nameTaken } from "./registry/registration.ts";
import type { Registry } from "./registry/registry.ts";

export interface PluginServicesOptions {
  host: () => PluginHost;
  registry: Registry;
  composer: () => Composer;
  local: () => LocalServices;
  /** Resolves when every request that runs now has ended. */
  drained: () => Promise<unknown>;
  clock: Clock;
  log: Log;
}

/** A request that takes longer than this goes on with the plugin's newest version. */
const DRAIN_MS = 10_000;

export class PluginServices {
  readonly #options: PluginServicesOptions;
  /** Name → what it was registered with last. */
  readonly #registered = new Map<string, string>();
  /** Under which each plugin is registered; more than one while it is being renamed. */
  readonly #names = new Map<Plugin, Set<string>>();
  readonly #disabled = new Set<string>();
  #place: { gatewayUrl: string; node: string } | undefined;

  constructor(options: PluginServicesOptions) {
    this.#options = options;
  }

  /** Registers what is loaded, as one set. `owner`: the process whose plugins it replaces; all, where there is one. */
  async begin(gatewayUrl: string, node: string, owner: string | undefined): Promise<void> {
    this.#place = { gatewayUrl, node };
    const { host, registry } = this.#options;
    const registrations = () =>
      host()
        .list()
        .map((plugin) => this.#registrationOf(plugin));
    await registry.replaceLocal("PLUGIN", owner, registrations, ({ name, error }) => {
      const plugin = host().get(name);
      if (plugin) this.#refuse(plugin, error);
    });
    for (const plugin of host().list()) {
      this.#remember(plugin, this.#registrationOf(plugin));
      if (this.isDisabled(plugin.name)) this.#disabled.add(plugin.name);
    }
  }

  isDisabled(name: string): boolean {
    const service = this.#options.registry.get(name);
    return service?.source === "PLUGIN" && service.maintenance;
  }

  /** Throws NAME_TAKEN where the name is not for a plugin. */
  checkName(name: string, file: string): void {
    const service = this.#options.registry.get(name);
    const holder = service?.source !== "PLUGIN" ? service : undefined;
    if (!holder) return;
    const place = { file };
    throw new BobbinError("NAME_TAKEN", `${file}: ${nameTaken(holder).message}`, { place, step: "name" });
  }

  /** Takes a plugin out of service, or brings it back; it stays so when bobbin is started anew. */
  async setDisabled(name: string, isDisabled: boolean): Promise<void> {
    const { registry, host } = this.#options;
    // Noted first: the event of the update is to find it known.
    this.#noteDisabled(name, isDisabled);
    try {
      await registry.update(name, { status: isDisabled ? "MAINTENANCE" : "ACTIVE" });
    } finally {
      this.#noteDisabled(name, this.isDisabled(name));
    }
    await host().setDisabled(name, isDisabled);
  }

  /** A plugin has another version, or a failure. Resolves when the graph has been composed with it. */
  async onNews(plugin: Plugin): Promise<void> {
    const { registry, composer } = this.#options;
    await this.#register(plugin);
    for (const name of this.#formerNames(plugin)) composer().forgetLocal(name);
    await composer().followLocal(plugin.name);
    const { serving } = plugin;
    if (serving && serving.name !== plugin.name) {
      // Renamed, but not fit for the graph: the version of the former name takes its place again.
      const service = registry.get(plugin.name);
      const reason = service && composer().stateOf(service).reason;
      if (reason) plugin.refuse(errorOf(reason));
      if (reason) await this.onNews(plugin);
      return;
    }
    for (const name of this.#formerNames(plugin)) this.#aside(this.#unregister(name, plugin));
  }

  /** A plugin is gone. Resolves when no request uses what it gave to the graph. */
  async onGone(plugin: Plugin): Promise<void> {
    const { composer } = this.#options;
    const names = this.#ownNames(plugin);
    for (const name of names) composer().forgetLocal(name);
    await composer().settled();
    await Promise.all(names.map((name) => this.#unregister(name, plugin)));
    this.#names.delete(plugin);
  }

  onHealth(plugin: Plugin, reason: string | null): void {
    const { registry, clock } = this.#options;
    const origin = this.#place && new URL(this.#place.gatewayUrl).origin;
    if (!origin) return;
    const health = reason === null ? "HEALTHY" : "UNHEALTHY";
    this.#aside(registry.recordHealth({ service: plugin.name, origin, health, reason, at: clock.now() }));
  }

  /** There is another graph: versions that are in it now take over from those before them. */
  onSnapshot(): void {
    const { host, composer, local } = this.#options;
    const { subgraphs } = composer().snapshot;
    host().onComposed(
      (version) => local().isOf(version, subgraphs.get(version.name)?.executor),
      () => this.#drained(),
    );
  }

  onEvents(events: readonly RegistryEvent[]): void {
    const { host, registry } = this.#options;
    for (const { type, service: name } of events) {
      if (type === "REMOVED") host().onNameFree();
      if (registry.get(name)?.source !== "PLUGIN") continue;
      const isDisabled = this.isDisabled(name);
      if (isDisabled !== this.#disabled.has(name)) this.#aside(host().setDisabled(name, isDisabled));
      this.#noteDisabled(name, isDisabled);
    }
  }

  /** Nobody waits for this. */
  #aside(work: Promise<unknown>): void {
    work.catch((err) => this.#options.log.error({ err }, "a plugin's service cannot be kept in step"));
  }

  #noteDisabled(name: string, isDisabled: boolean): void {
    if (isDisabled) this.#disabled.add(name);
    else this.#disabled.delete(name);
  }

  #registrationOf({ name, newest, failure }: Plugin): Registration {
    const { gatewayUrl = "", node } = this.#place ?? {};
    const { displayName, description, version, tags, dependencies, metadata } = newest?.manifest ?? {};
    return {
      name,
      displayName,
      description,
      version,
      tags,
      dependencies,
      metadata,
      url: `${gatewayUrl}/plugins/${name}/graphql`,
      door: "LOCAL",
      source: "PLUGIN",
      node,
      ...(newest ? { health: "HEALTHY" } : { healthReason: failure?.message }),
    };
  }

  async #register(plugin: Plugin): Promise<void> {
    const registration = this.#registrationOf(plugin);
    if (!this.#remember(plugin, registration)) return;
    try {
      await this.#options.registry.registerLocal(registration);
    } catch (error) {
      this.#registered.delete(registration.name);
      this.#names.get(plugin)?.delete(registration.name);
      // What never ran has no name of its own to be refused for.
      if (plugin.newest) this.#refuse(plugin, toBobbinError(error));
    }
  }

  /** Takes a name out of the registry once no request uses it, unless it came back meanwhile. */
  async #unregister(name: string, plugin: Plugin): Promise<void> {
    const { host, registry } = this.#options;
    this.#names.get(plugin)?.delete(name);
    await this.#drained();
    const holder = host().get(name);
    if (holder && (holder !== plugin || plugin.name === name)) return;
    this.#registered.delete(name);
    this.#disabled.delete(name);
    await registry.removeLocal(name);
  }

  #formerNames(plugin: Plugin): string[] {
    return this.#ownNames(plugin).filter((name) => name !== plugin.name);
  }

  /** Names under which it is registered, and that no other plugin has by now. */
  #ownNames(plugin: Plugin): string[] {
    const holderOf = (name: string) => this.#options.host().get(name) ?? plugin;
    return [...(this.#names.get(plugin) ?? [])].filter((name) => holderOf(name) === plugin);
  }

  /** Whether it is another registration than the last of this name. */
  #remember(plugin: Plugin, registration: Registration): boolean {
    const { name } = registration;
    const names = this.#names.get(plugin) ?? new Set();
    this.#names.set(plugin, names.add(name));
    const text = JSON.stringify(registration);
    if (this.#registered.get(name) === text) return false;
    this.#registered.set(name, text);
    return true;
  }

  #refuse(plugin: Plugin, { code, message }: BobbinError): void {
    const place = { file: shown(plugin.entry) };
    const isName = code === "NAME_TAKEN";
    plugin.refuse(
      new BobbinError(isName ? code : "PLUGIN_INVALID", `${place.file}: ${message}`, {
        place,
        step: isName ? "name" : "register",
      }),
    );
  }

  async #drained(): Promise<void> {
    const { drained, clock } = this.#options;
    const late = Promise.withResolvers<void>();
    const stop = clock.after(DRAIN_MS, late.resolve);
    await Promise.race([drained(), late.promise]);
    stop();
  }
}

function errorOf({ code, message, step, file, line, column }: Reason): BobbinError {
  const place =
    file === undefined ? undefined : { file, ...(line ? { line } : {}), ...(column ? { column } : {}) };
  return new BobbinError(code, message, { step, place });
}
