/**
 * Tells that something changed in the plugin folder, or in what plugins take from elsewhere; never what.
 * Knows folders and when to look; nothing of plugins.
 */
import { resolve } from "node:path";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import { Debouncer } from "./debouncer.ts";
import { type FolderPlace, FolderWatch, isExhausted, placeOf } from "./folder-watch.ts";
import { OutsideFolders } from "./outside-folders.ts";

/** `poll`: for folders of which the operating system tells nothing, such as those mounted from another machine. */
export type WatchMode = "on" | "poll" | "off";

export interface WatcherOptions {
  folder: string;
  mode: WatchMode;
  /** The first sign of a change in a quiet time; `onChange` follows. Not called when polling. */
  onStir: () => void;
  /** Something may have changed. A change that comes later leads to a call of its own. */
  onChange: () => void;
  clock: Clock;
  log: Log;
}

export const POLL_MS = 1_000;
/** How often it is looked whether the folder is still the one that is watched, and what links outside lead to. */
export const CHECK_MS = 500;

/** Files that are named at the same time are looked for together: there may be many, again and again. */
export const FOLLOW_MS = 20;

export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  readonly #folder: string;
  readonly #debouncer: Debouncer;
  readonly #outside: OutsideFolders;
  #files: readonly string[] = [];
  #mode: WatchMode;
  #root: { readonly place: FolderPlace; readonly watch: FolderWatch } | undefined;
  #cancelTick = () => {};
  #cancelFollow: (() => void) | undefined;
  /** Codes of the errors that were logged. */
  readonly #told = new Set<string>();

  /** Watches from now on, also for a folder that is still to come. */
  constructor(options: WatcherOptions) {
    const { folder, mode, clock, onStir } = options;
    this.#options = options;
    this.#folder = resolve(folder);
    this.#mode = mode;
    this.#debouncer = new Debouncer({ onStir, onQuiet: () => this.#settle(), clock });
    this.#outside = new OutsideFolders({
      onStir: () => this.#debouncer.stir(),
      onError: (error) => this.#handle(error, "a folder beyond the plugin folder"),
      clock,
    });
    if (mode === "off") return;
    if (mode === "on" && this.#check()) this.#debouncer.expect();
    this.#tickLater();
  }

  /**
   * All files that plugins consist of: those that are not in the folder are watched too, from soon on. `onChange` is
   * called then, so that a change that came before is found.
   */
  follow(files: readonly string[]): void {
    this.#files = files;
    if (this.#mode !== "on") return;
    this.#cancelFollow ??= this.#options.clock.after(FOLLOW_MS, () => {
      this.#cancelFollow = undefined;
      if (this.#followOutside()) this.#debouncer.expect();
    });
  }

  [Symbol.dispose](): void {
    this.#mode = "off";
    this.#cancelTick();
    this.#cancelFollow?.();
    this.#debouncer[Symbol.dispose]();
    this.#letGo();
    this.#outside[Symbol.dispose]();
  }

  #followOutside(): boolean {
    return this.#outside.follow(this.#root?.place.real ?? this.#folder, this.#files);
  }

  #settle(): void {
    if (this.#mode === "on") {
      this.#check();
      this.#outside.look();
    }
    this.#options.onChange();
  }

  #tickLater(): void {
    const pause = this.#mode === "poll" ? POLL_MS : CHECK_MS;
    this.#cancelTick = this.#options.clock.after(pause, () => {
      this.#tickLater();
      if (this.#mode === "poll") this.#options.onChange();
      else if (this.#check() || this.#outside.look()) this.#debouncer.stir();
    });
  }

  /** Watches the folder that is there now. Returns whether it is another one than before, or none any more. */
  #check(): boolean {
    const before = this.#root?.place.identity;
    const place = placeOf(this.#folder);
    if (place?.identity === before) return false;
    this.#letGo();
    if (place) this.#arm(place);
    if (this.#mode === "on") this.#followOutside();
    return this.#root?.place.identity !== before;
  }

  #arm(place: FolderPlace): void {
    const watch = new FolderWatch(place.real, {
      recursive: true,
      onChange: () => this.#debouncer.stir(),
      onGone: () => {
        this.#letGo();
        this.#debouncer.stir();
      },
      onError: (error) => {
        // A folder in it that is closed to us is left out; the others are watched all the same.
        if (!isClosed(error)) this.#letGo();
        this.#handle(error, "the plugin folder");
      },
    });
    if (watch.isOpen) this.#root = { place, watch };
  }

  #letGo(): void {
    this.#root?.watch[Symbol.dispose]();
    this.#root = undefined;
  }

  /** What was let go is watched again at the next tick, unless there are no watches to be had. */
  #handle(error: NodeJS.ErrnoException, what: string): void {
    const { folder, log } = this.#options;
    const code = error.code ?? error.name;
    if (isExhausted(error)) this.#fallBack(error);
    // It was removed since it was looked for: no trouble.
    if (isExhausted(error) || code === "ENOENT" || this.#told.has(code)) return;
    this.#told.add(code);
    log.warn({ folder, code, reason: error.message }, `${what} cannot be watched in full`);
  }

  #fallBack({ code, message }: NodeJS.ErrnoException): void {
    if (this.#mode !== "on") return;
    this.#mode = "poll";
    this.#cancelFollow?.();
    this.#letGo();
    this.#outside[Symbol.dispose]();
    this.#options.log.warn(
      { folder: this.#options.folder, code, reason: message },
      "no watches are left: the plugin folder is looked at every second; raise fs.inotify.max_user_watches and " +
        "fs.inotify.max_user_instances, or set PLUGINS_WATCH=poll",
    );
    this.#debouncer.expect();
  }
}

/** Bun says EPERM where the operating system said EACCES. */
function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === "EACCES" || code === "EPERM";
}
