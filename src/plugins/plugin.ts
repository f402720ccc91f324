/**
 * One plugin: what is on the disk becomes a running version beside the one that serves, and takes its place once the
 * graph has it. Whatever fails on the way leaves the old version as it is. Knows bundles, generations and versions;
 * nothing of the folder, of the registry or of how the graph is composed.
 */
import type { LimitFunction } from "p-limit";
import type { Clock } from "../clock.ts";
import { BobbinError, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { Crashes } from "./crashes.ts";
import { Generation, type GenerationLimits } from "./generation.ts";
import { shown } from "./place.ts";
import type { HostAbilities } from "./runner/context.ts";
import type { Manifest } from "./runner/definition.ts";
import type { startRunner } from "./runner/isolation.ts";
import type { Bundle } from "./source/bundle.ts";
import type { Sources } from "./source/sources.ts";
import { Version } from "./version.ts";

export interface PluginOptions {
  readonly sources: Sources;
  /** The name that it goes by until its definition is known. */
  readonly name: string;
  readonly limits: GenerationLimits;
  readonly abilities: (plugin: Plugin) => HostAbilities;
  /** Keeps this name for the plugin. Throws PLUGIN_INVALID or NAME_TAKEN where it cannot have it. */
  readonly claim: (plugin: Plugin, name: string) => void;
  readonly startRunner: typeof startRunner;
  /** Places for plugins that are being loaded. */
  readonly limit: LimitFunction;
  /** Whether a person took the plugin out of service: it is loaded for its schema, and not started. */
  readonly isDisabled: (name: string) => boolean;
  /** Another version, or a failure, is there to be told of. Resolves when the graph has been composed with it. */
  readonly onNews: (plugin: Plugin) => Promise<void>;
  /** Its code does not run (the reason), or runs again (null). */
  readonly onHealth: (plugin: Plugin, reason: string | null) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const PLACE_MS = 500;

/** One way from code to a running version. */
interface Attempt {
  readonly bundle: () => Promise<Bundle>;
  /** What ran before runs anew; what is on the disk is another matter. */
  readonly isRestart: boolean;
}

export class Plugin {
  readonly entry: string;
  /** Under which it is registered: its newest version's, or one of the host's choice where none ever ran. */
  name: string;
  readonly #options: PluginOptions;
  readonly #crashes: Crashes;
  /** In the graph. */
  #serving: Version | undefined;
  /** Runs, but is not in the graph: yet, or because it does not fit. */
  #candidate: Version | undefined;
  #failure: BobbinError | undefined;
  #attempt: AbortController | undefined;
  #claimed: string | undefined;
  #isStopped = false;
  #settled: Promise<void> = Promise.resolve();
  #stopRestart = () => {};

  constructor(options: PluginOptions) {
    this.#options = options;
    this.entry = options.sources.entry;
    this.name = options.name;
    this.#crashes = new Crashes(options.clock);
  }

  /** The newest version that runs or ran, whether it is in the graph or not. */
  get newest(): Version | undefined {
    return this.#candidate ?? this.#serving;
  }

  /** The one that requests go to. */
  get serving(): Version | undefined {
    return this.#serving;
  }

  /** Why what is on the disk is not what runs. */
  get failure(): BobbinError | undefined {
    return this.#failure;
  }

  /** Every file that matters to it. */
  get files(): readonly string[] {
    return this.#options.sources.files;
  }

  /** Whether what is on the disk is not what was taken from it last. */
  get isChanged(): boolean {
    return this.#options.sources.isChanged;
  }

  /** Resolves when the attempt that is under way, if any, has come to its end. */
  get settled(): Promise<void> {
    return this.#untilSettled(this.#settled);
  }

  /** The name that an attempt under way has claimed. */
  get claimed(): string | undefined {
    return this.#claimed;
  }

  /** Whether it was refused for its name, which may become free. */
  get waitsForName(): boolean {
    return this.#failure?.step === "name";
  }

  /** How often its code ended without having been told to, in the last five minutes. */
  get crashes(): number {
    return this.#crashes.recent;
  }

  /**
   * Takes what is on the disk now; an attempt under way is ended for it. Resolves when the latest attempt has come to
   * its end.
   */
  load(): Promise<void> {
    this.#crashes.forget();
    const { sources } = this.#options;
    return this.#begin({ bundle: () => sources.read(), isRestart: false });
  }

  /** The newest version cannot be used although it runs; the one before it, if any, is the newest again. */
  refuse(error: BobbinError): void {
    this.#giveUp();
    void this.#candidate?.retire();
    this.#candidate = undefined;
    if (this.#serving) this.name = this.#serving.name;
    this.#fail(error);
  }

  /** Takes note of a new graph. `isIn`: whether a version is in it; `drained` resolves when nothing uses the old one. */
  onComposed(isIn: (version: Version) => boolean, drained: () => Promise<void>): void {
    const candidate = this.#candidate;
    if (!candidate || !isIn(candidate)) return;
    const before = this.#serving;
    this.#serving = candidate;
    this.#candidate = undefined;
    const { version } = candidate.manifest;
    this.#options.log.info({ plugin: this.name, version }, before ? "plugin replaced" : "plugin loaded");
    if (before) void drained().then(() => before.retire());
  }

  /** Ends its code in order: it was taken out of service, or is gone. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#giveUp();
    this.#isStopped = true;
    await Promise.all([this.#candidate?.retire(), this.#serving?.retire()]);
  }

  #giveUp(): void {
    this.#stopRestart();
    this.#attempt?.abort();
    this.#attempt = undefined;
    this.#claimed = undefined;
  }

  #begin(attempt: Attempt): Promise<void> {
    this.#giveUp();
    const controller = new AbortController();
    this.#isStopped = false;
    this.#attempt = controller;
    const mine = this.#run(attempt, controller.signal).finally(() => {
      if (this.#attempt === controller) this.#attempt = undefined;
    });
    this.#settled = mine;
    return this.#untilSettled(mine);
  }

  /** Who waits for an attempt that a later one replaced waits for that one. */
  async #untilSettled(mine: Promise<void>): Promise<void> {
    await mine;
    if (this.#settled !== mine) await this.#untilSettled(this.#settled);
  }

  async #run({ bundle, isRestart }: Attempt, signal: AbortSignal): Promise<void> {
    const { claim, sources, isDisabled, limit, onNews } = this.#options;
    let generation: Generation | undefined;
    try {
      const { preparing } = await limit(() => this.#beginPreparing(bundle, signal));
      generation = await preparing;
      signal.throwIfAborted();
      const { manifest } = generation;
      claim(this, manifest.name);
      this.#claimed = manifest.name;
      if (isDisabled(manifest.name)) {
        generation.end();
        this.#take(manifest, undefined);
      } else {
        await generation.start(await sources.configuration(), signal);
        signal.throwIfAborted();
        this.#take(manifest, generation);
      }
      if (!isRestart) this.#failure = undefined;
    } catch (error) {
      generation?.end();
      if (signal.aborted) return;
      this.#fail(this.#asFailure(error));
      const dead = this.#serving?.generation;
      if (dead?.isOver && !isDisabled(this.name)) this.#recover(dead.bundle, this.#asFailure(error));
    }
    this.#claimed = undefined;
    await onNews(this);
  }

  /** Gives its place to the next one after a while: code that hangs is not to keep others from being loaded. */
  async #beginPreparing(bundleOf: () => Promise<Bundle>, signal: AbortSignal) {
    const preparing = this.#prepare(bundleOf, signal);
    const long = Promise.withResolvers<void>();
    const stop = this.#options.clock.after(PLACE_MS, long.resolve);
    // That it failed is for who waits for it.
    await Promise.race([preparing.catch(() => {}), long.promise]);
    stop();
    return { preparing };
  }

  async #prepare(bundleOf: () => Promise<Bundle>, signal: AbortSignal): Promise<Generation> {
    const { limits, abilities, startRunner, clock, log } = this.#options;
    signal.throwIfAborted();
    const bundle = await bundleOf();
    signal.throwIfAborted();
    return Generation.load(bundle, { host: abilities(this), startRunner, limits, clock, log }, signal);
  }

  #asFailure(error: unknown): BobbinError {
    if (error instanceof BobbinError && error.code !== "INTERNAL") return error;
    const file = shown(this.entry);
    return new BobbinError("PLUGIN_LOAD_FAILED", `${file}: ${messageOf(error)}`, {
      place: { file },
      cause: error,
    });
  }

  #fail(error: BobbinError): void {
    const isNews = this.#failure?.message !== error.message;
    this.#failure = error;
    if (!isNews) return;
    const { code, message, place, step } = error;
    const isServed = this.#serving?.generation?.isOver === false;
    const outcome = isServed ? "plugin refused; the version before it goes on serving" : "plugin refused";
    this.#options.log.error({ plugin: this.name, code, step, reason: message, ...place }, outcome);
  }

  /** The generation serves from now on where its schema is one that is known; otherwise once the graph has it. */
  #take(manifest: Manifest, generation: Generation | undefined): void {
    this.name = manifest.name;
    const known = [this.#serving, this.#candidate].find((version) => version?.hasSchemaOf(manifest));
    if (known !== this.#candidate) {
      void this.#candidate?.retire();
      this.#candidate = undefined;
    }
    if (known) {
      known.replace(manifest, generation);
      const { version } = manifest;
      if (known === this.#serving) this.#options.log.info({ plugin: this.name, version }, "plugin replaced");
    } else {
      this.#candidate = new Version(manifest, generation, () => this.#serving);
    }
    if (!generation) return;
    this.#options.onHealth(this, null);
    void generation.crashed.then((error) => this.#onCrash(generation, error));
  }

  #onCrash(generation: Generation, error: BobbinError): void {
    const isCurrent = this.newest?.generation === generation || this.#serving?.generation === generation;
    if (!isCurrent || this.#isStopped) return;
    this.#recover(generation.bundle, error);
  }

  /** Nothing of it runs any more: restarts what ran, after a pause, unless that was tried too often. */
  #recover(bundle: Bundle, { message: reason, place }: BobbinError): void {
    const { clock, log, onHealth, onNews } = this.#options;
    const pauseMs = this.#crashes.add();
    if (pauseMs !== undefined) {
      log.error({ plugin: this.name, reason, pauseMs, ...place }, "plugin crashed; it is restarted");
      onHealth(this, reason);
      this.#stopRestart = clock.after(pauseMs, () => {
        void this.#begin({ bundle: async () => bundle, isRestart: true });
      });
      return;
    }
    const text = `${reason}; stopped after ${this.#crashes.recent} crashes until it changes or is reloaded`;
    this.#fail(new BobbinError("PLUGIN_CRASHED", text, { place, step: "run" }));
    onHealth(this, text);
    void onNews(this);
  }
}
