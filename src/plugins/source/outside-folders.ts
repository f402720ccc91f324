/**
 * What plugins consist of beyond their folder: files that they import from elsewhere, and what links in the folder
 * lead to. Knows the folders where those really are, and watches them; nothing of plugins.
 */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { Clock } from "../../clock.ts";
import { fingerprint } from "./fingerprint.ts";
import { FolderWatch, placeOf } from "./folder-watch.ts";

export interface OutsideFoldersOptions {
  /** A file was changed, or a link leads elsewhere. */
  onStir: () => void;
  onError: (error: NodeJS.ErrnoException) => void;
  clock: Clock;
}

const MOST_FOLDERS = 200;
const MOST_FILES = 1_000;
/** What the folders tell of leads to one look at the files, this long after. */
const LOOK_MS = 3;
/** So long for a second after a look that found nothing: much else may go on in these folders, all the time. */
const NEXT_LOOK_MS = 100;
const BUSY_MS = 1_000;

export class OutsideFolders implements Disposable {
  readonly #options: OutsideFoldersOptions;
  /** The real path of the folder that the others are outside of. */
  #root = "";
  #files: readonly string[] = [];
  /** Links in the root. */
  #links: readonly string[] = [];
  /** What is looked at: the links, and those of the files that are outside. */
  #looked: readonly string[] = [];
  #print = "";
  /** Identity of a folder, and in what way it is watched → its watch. */
  readonly #watches = new Map<string, FolderWatch>();
  #cancelLook: (() => void) | undefined;
  #inVainAt = 0;
  #isDisposed = false;

  constructor(options: OutsideFoldersOptions) {
    this.#options = options;
  }

  /**
   * From now on these are the files and the root. Returns whether there is more to follow than before, or a change that
   * nobody was told of: what was read before may be old.
   */
  follow(root: string, files: readonly string[]): boolean {
    this.#root = root;
    this.#files = files;
    const before = this.#looked.join() + this.#print;
    return this.#plan() || before !== this.#looked.join() + this.#print;
  }

  /** Looks at the files and links. Returns whether one is not what it was when it was looked at last. */
  look(): boolean {
    if (this.#isDisposed) return false;
    const isSame =
      fingerprint(this.#looked) === this.#print && linksIn(this.#root).join() === this.#links.join();
    if (isSame) return false;
    this.#plan();
    return true;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#cancelLook?.();
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
  }

  /** Finds out what to look at and what to watch. Returns whether a folder is watched that was not before. */
  #plan(): boolean {
    this.#links = linksIn(this.#root);
    const looked = new Set(this.#links);
    /** Path → whether all of it belongs to a plugin, as the folder that a link leads to. */
    const folders = new Map<string, boolean>();
    // Packages last: where there are too many folders, those are left out that are changed least.
    for (const path of [...this.#links, ...packagesLast(this.#files)]) {
      if (looked.size >= MOST_FILES && !looked.has(path)) break;
      const real = realPathOf(path);
      if (this.#isInside(real?.folder ?? path)) continue;
      looked.add(path);
      if (real) folders.set(real.folder, real.isFolder || (folders.get(real.folder) ?? false));
    }
    this.#looked = [...looked];
    // Before the watches are opened: what is changed meanwhile is found by the next look.
    this.#print = fingerprint(this.#looked);
    return this.#watchOnly([...folders].slice(0, MOST_FOLDERS));
  }

  #isInside(path: string): boolean {
    return path === this.#root || path.startsWith(this.#root + sep);
  }

  #watchOnly(folders: readonly (readonly [path: string, isWhole: boolean])[]): boolean {
    const wanted = new Map<string, () => FolderWatch>();
    for (const [path, isWhole] of folders) {
      const place = placeOf(path);
      const key = `${place?.identity} ${isWhole}`;
      if (place) wanted.set(key, () => this.#watch(path, key, isWhole));
    }
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch[Symbol.dispose]();
      this.#watches.delete(key);
    }
    let isNew = false;
    for (const [key, open] of wanted) {
      if (this.#isDisposed || this.#watches.has(key)) continue;
      const watch = open();
      if (!watch.isOpen) continue;
      this.#watches.set(key, watch);
      isNew = true;
    }
    return isNew;
  }

  #watch(path: string, key: string, isWhole: boolean): FolderWatch {
    const onChange = () => (isWhole ? this.#options.onStir() : this.#lookSoon());
    return new FolderWatch(path, {
      recursive: false,
      onChange,
      onGone: onChange,
      onError: (error) => {
        // The next plan opens it again.
        this.#watches.get(key)?.[Symbol.dispose]();
        this.#watches.delete(key);
        this.#options.onError(error);
      },
    });
  }

  #lookSoon(): void {
    const { clock, onStir } = this.#options;
    const isBusy = clock.now() - this.#inVainAt < BUSY_MS;
    this.#cancelLook ??= clock.after(isBusy ? NEXT_LOOK_MS : LOOK_MS, () => {
      this.#cancelLook = undefined;
      if (this.look()) onStir();
      else this.#inVainAt = clock.now();
    });
  }
}

/** Links that are directly in the folder. */
function linksIn(folder: string): string[] {
  try {
    const found = readdirSync(folder, { withFileTypes: true });
    const links = found.filter((each) => each.isSymbolicLink()).map(({ name }) => join(folder, name));
    return links.slice(0, MOST_FILES);
  } catch {
    // Missing or closed to us: whoever looks for plugins in it says so.
    return [];
  }
}

function packagesLast(files: readonly string[]): string[] {
  const isPackage = (file: string) => file.includes(`${sep}node_modules${sep}`);
  return [...files.filter((file) => !isPackage(file)), ...files.filter(isPackage)];
}

/** A folder without links: the path's own, or that of a file; of what is missing, where it would be. */
function realPathOf(path: string): { folder: string; isFolder: boolean } | undefined {
  try {
    const real = realpathSync(path);
    const isFolder = statSync(real).isDirectory();
    return { folder: isFolder ? real : dirname(real), isFolder };
  } catch {
    const above = placeOf(dirname(path));
    return above && { folder: above.real, isFolder: false };
  }
}
