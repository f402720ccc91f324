/**
 * One folder under watch, and which folder it was that is being watched.
 * Knows the operating system's watches and Bun's ways with them; nothing of what a change means.
 */
// The object, not its members: a test has to be able to stand in for the operating system.
import fs from "node:fs";

export interface FolderWatchOptions {
  /** Folders in it are watched too, those that are still to come among them. Links are not followed. */
  recursive: boolean;
  onChange: () => void;
  /** The folder itself was removed or moved, and the watch says nothing any more. Told of recursive watches only. */
  onGone: () => void;
  /** The watch could not be opened, or came upon trouble. */
  onError: (error: NodeJS.ErrnoException) => void;
}

/** A folder that is there. */
export interface FolderPlace {
  /** Its path without links. */
  readonly real: string;
  /** Another one for another folder at the same path. */
  readonly identity: string;
}

/** Where the folder really is; undefined while it is missing, is no folder or cannot be reached. */
export function placeOf(folder: string): FolderPlace | undefined {
  try {
    const real = fs.realpathSync(folder);
    const found = fs.statSync(real, { bigint: true });
    // ext4 gives the number of a removed folder to the next one at once: only the time of birth tells them apart.
    const identity = `${real} ${found.dev} ${found.ino} ${found.birthtimeNs}`;
    return found.isDirectory() ? { real, identity } : undefined;
  } catch {
    // Expected of a folder that may be missing; whoever asks asks again.
    return undefined;
  }
}

/** Whether the operating system has no further watch to give. */
export function isExhausted({ code }: NodeJS.ErrnoException): boolean {
  return code === "ENOSPC" || code === "EMFILE" || code === "ENFILE";
}

/**
 * Watches until it is disposed of; never keeps the process alive. A path must not be watched anew before its former
 * watch is disposed of: Bun shares a watch among those of one path, even one whose folder is gone and which is silent.
 */
export class FolderWatch implements Disposable {
  #watch: fs.FSWatcher | undefined;

  constructor(path: string, { recursive, onChange, onGone, onError }: FolderWatchOptions) {
    try {
      const watch = fs.watch(path, { recursive, persistent: false }, (type, name) => {
        if (this.#watch !== watch) return;
        // Nameless: it is the folder itself.
        if (recursive && type === "rename" && !name) onGone();
        else onChange();
      });
      watch.on("error", (error) => {
        if (this.#watch === watch) onError(error);
      });
      this.#watch = watch;
    } catch (error) {
      onError(error as NodeJS.ErrnoException);
    }
  }

  /** Whether there is a watch: it could be opened, and was not disposed of. */
  get isOpen(): boolean {
    return this.#watch !== undefined;
  }

  [Symbol.dispose](): void {
    this.#watch?.close();
    this.#watch = undefined;
  }
}
