/**
 * Turns a folder into plugins and keeps them in step with it: who comes, who changes, who goes, and who has which name.
 * Knows plugins; nothing of the registry's inside, of composing or of doors.
 */
import { resolve } from "node:path";
import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { BobbinError, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { NAME_RULE } from "../registry/service.ts";
import type { GenerationLimits } from "./generation.ts";
import { shown } from "./place.ts";
import { Plugin } from "./plugin.ts";
import type { HostAbilities } from "./runner/context.ts";
import { SpareWorker } from "./runner/spare-worker.ts";
import { fileNameOf, findEntries } from "./source/entries.ts";
import { Sources } from "./source/sources.ts";
import { Watcher, type WatchMode } from "./source/watcher.ts";
import type { Version } from "./version.ts";

export interface PluginHostOptions {
  readonly folder: string;
  readonly watch: WatchMode;
  readonly limits: GenerationLimits;
  /** What the plugin of a name may ask of bobbin. */
  readonly abilities: (plugin: Plugin) => HostAbilities;
  readonly isDisabled: (name: string) => boolean;
  /** Throws NAME_TAKEN where the name is not for a plugin. */
  readonly checkName: (name: string, file: string) => void;
  /** A plugin has another version, or a failure. Resolves when the graph has been composed with it. */
  readonly onNews: (plugin: Plugin) => Promise<void>;
  readonly onHealth: (plugin: Plugin, reason: string | null) => void;
  /** The plugin is gone from the folder. Resolves when no request uses what it gave to the graph. */
  readonly onGone: (plugin: Plugin) => Promise<void>;
  /** Called where the folder has plugins, and again whenever one is added. */
  readonly onAdded: (folder: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

const LOADS_AT_ONCE = 8;
/** Editors that replace a file take it away for a moment. */
const GONE_AFTER_MS = 300;

export class PluginHost implements AsyncDisposable {
  readonly #options: PluginHostOptions;
  readonly #folder: string;
  readonly #spare: SpareWorker;
  readonly #limit = pLimit(LOADS_AT_ONCE);
  /** By entry. */
  readonly #plugins = new Map<string, Plugin>();
  /** Every name that a plugin has, or is about to have. */
  readonly #names = new Map<string, Plugin>();
  /** Entry → when it was seen to be missing. */
  readonly #missing = new Map<string, number>();
  #watcher: Watcher | undefined;
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  #stopConfirming = () => {};
  /** Whether what happens is told to the others: not before they are there. */
  #isOpen = false;
  #isClosed = false;
  #folderProblem: string | undefined;
  #telling: Promise<void> | undefined;

  constructor(options: PluginHostOptions) {
    this.#options = options;
    this.#folder = resolve(options.folder);
    this.#spare = new SpareWorker(options.clock);
  }

  /**
   * Loads every plugin of the folder, which may be missing. One that fails hurts no other, and those that take long
   * join later. Of two that want one name, the first in the folder has it.
   */
  async load(): Promise<void> {
    const loading = (await this.#entries()).map((entry) => this.#add(entry).load());
    const late = Promise.withResolvers<void>();
    const { clock, limits } = this.#options;
    const stop = clock.after(limits.startDeadlineMs, late.resolve);
    await Promise.race([Promise.all(loading), late.promise]);
    stop();
  }

  /** From now on the others are told, and the folder is watched. */
  open(): void {
    this.#isOpen = true;
    const { folder, watch: mode, clock, log } = this.#options;
    const onStir = () => this.#spare.warm();
    const onChange = () => void this.scan();
    this.#watcher = new Watcher({ folder, mode, onStir, onChange, clock, log });
    this.#follow();
  }

  list(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  get(name: string): Plugin | undefined {
    return this.#names.get(name);
  }

  /** Loads what is on the disk now, changed or not, and says what came of it. Throws PLUGIN_NOT_FOUND. */
  async reload(name: string): Promise<Plugin> {
    await this.scan();
    const plugin = this.get(name) ?? this.list().find(({ entry }) => fileNameOf(entry) === name);
    if (!plugin)
      throw new BobbinError("PLUGIN_NOT_FOUND", `No plugin is named ${JSON.stringify(name.slice(0, 100))}.`);
    await plugin.load();
    return plugin;
  }

  /** A person took a plugin out of service, or brought it back. */
  async setDisabled(name: string, isDisabled: boolean): Promise<void> {
    const plugin = this.get(name);
    if (isDisabled) await plugin?.stop();
    else await plugin?.load();
  }

  /** The graph was composed anew. */
  onComposed(isIn: (version: Version) => boolean, drained: () => Promise<void>): void {
    for (const plugin of this.#plugins.values()) plugin.onComposed(isIn, drained);
  }

  /** A name became free: who was refused for it may have it now. */
  onNameFree(): void {
    for (const plugin of this.#plugins.values()) if (plugin.waitsForName) void plugin.load();
  }

  /** Brings the plugins in step with the folder. Calls at the same time share the next pass. */
  scan(): Promise<void> {
    this.#scanAgain = true;
    this.#scanning ??= this.#scanAll().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.[Symbol.dispose]();
    this.#stopConfirming();
    this.#spare[Symbol.dispose]();
    await Promise.all([this.#telling, ...this.list().map((plugin) => plugin.stop())]);
  }

  async #scanAll(): Promise<void> {
    while (this.#scanAgain && !this.#isClosed) {
      this.#scanAgain = false;
      const entries = await this.#entries();
      if (this.#isClosed) return;
      const present = new Set(entries);
      for (const entry of entries) this.#missing.delete(entry);
      for (const plugin of this.list()) {
        if (!present.has(plugin.entry)) this.#miss(plugin);
        else if (plugin.isChanged) void plugin.load();
      }
      for (const entry of entries) if (!this.#plugins.has(entry)) void this.#add(entry).load();
      this.#follow();
    }
  }

  async #entries(): Promise<string[]> {
    try {
      const entries = await findEntries(this.#folder);
      this.#folderProblem = undefined;
      return entries;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#folderProblem) this.#options.log.error({ reason: problem }, "no plugins");
      this.#folderProblem = problem;
      return [...this.#plugins.keys()];
    }
  }

  #add(entry: string): Plugin {
    const sources = new Sources(entry);
    const { limits, abilities, isDisabled, onHealth, clock, log } = this.#options;
    this.#telling ??= this.#tell();
    const plugin = new Plugin({
      sources,
      limits,
      abilities,
      isDisabled,
      onHealth,
      clock,
      log,
      limit: this.#limit,
      startRunner: (isolation, host) => this.#spare.start(isolation, host),
      name: this.#freeName(entry),
      claim: (claimant, name) => this.#claim(claimant, name),
      onNews: (of) => this.#onNews(of),
    });
    this.#plugins.set(entry, plugin);
    this.#names.set(plugin.name, plugin);
    return plugin;
  }

  /** Once for all that are added at the same time. */
  async #tell(): Promise<void> {
    await Promise.resolve();
    await this.#options.onAdded(this.#folder);
    this.#telling = undefined;
  }

  /** An entry that is missing for long is gone. */
  #miss(plugin: Plugin): void {
    const { clock } = this.#options;
    const since = this.#missing.get(plugin.entry);
    if (since !== undefined && clock.now() - since >= GONE_AFTER_MS) {
      this.#missing.delete(plugin.entry);
      void this.#remove(plugin);
      return;
    }
    if (since === undefined) this.#missing.set(plugin.entry, clock.now());
    this.#stopConfirming();
    this.#stopConfirming = clock.after(GONE_AFTER_MS, () => void this.scan());
  }

  async #remove(plugin: Plugin): Promise<void> {
    const { name, entry } = plugin;
    this.#plugins.delete(entry);
    for (const [held, holder] of this.#names) if (holder === plugin) this.#names.delete(held);
    this.#options.log.info({ plugin: name, file: shown(entry) }, "plugin removed");
    await this.#options.onGone(plugin);
    this.onNameFree();
    await plugin.stop();
  }

  /** Keeps the name of its definition for a plugin. */
  #claim(plugin: Plugin, name: string): void {
    const file = shown(plugin.entry);
    this.#options.checkName(name, file);
    const holder = this.#names.get(name);
    if (holder === plugin) return;
    const isChosen = holder?.newest !== undefined || holder?.claimed === name;
    const isFirst = !this.#isOpen && holder !== undefined && plugin.entry < holder.entry;
    if (holder && isChosen && !isFirst) throw sameName(plugin, holder, name);
    this.#names.set(name, plugin);
    if (!holder) return;
    // A name that only a file gave must not be in the way of one that somebody chose.
    holder.name = this.#freeName(holder.entry, holder);
    this.#names.set(holder.name, holder);
    if (isChosen) holder.refuse(sameName(holder, plugin, name));
    void this.#onNews(holder);
  }

  async #onNews(plugin: Plugin): Promise<void> {
    this.#follow();
    if (this.#isOpen && !this.#isClosed) await this.#options.onNews(plugin);
    let isFreed = false;
    for (const [name, holder] of this.#names) {
      if (holder !== plugin || name === plugin.name || name === plugin.claimed) continue;
      this.#names.delete(name);
      isFreed = true;
    }
    if (isFreed) this.onNameFree();
  }

  /** A name after the entry's file that no other plugin has; `own`: who may still have it itself. */
  #freeName(entry: string, own?: Plugin): string {
    const base = fileNameOf(entry)
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[._-]+|[._-]+$/g, "")
      .slice(0, 50);
    const usable = NAME_RULE.test(base) ? base : "unnamed-plugin";
    let name = usable;
    const isTaken = () => this.#names.has(name) && this.#names.get(name) !== own;
    for (let n = 2; isTaken(); n += 1) name = `${usable}-${n}`;
    return name;
  }

  #follow(): void {
    this.#watcher?.follow(this.list().flatMap(({ files }) => files));
  }
}

function sameName({ entry }: Plugin, other: Plugin, name: string): BobbinError {
  const file = shown(entry);
  const message = `${file}: the plugin ${shown(other.entry)} is named ${name} too`;
  return new BobbinError("PLUGIN_INVALID", message, { place: { file }, step: "name" });
}
