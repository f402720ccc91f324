/**
 * What a plugin's code consists of on the disk: reads it, and tells whether it is another since.
 * Knows files and bundles; nothing of running them.
 */
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BobbinError, messageOf } from "../../errors.ts";
import { shown } from "../place.ts";
import { type Bundle, bundlePlugin } from "./bundle.ts";
import { bundleAfresh, isUnresolved } from "./bundle-afresh.ts";
import { configFileOf } from "./entries.ts";
import { fingerprint } from "./fingerprint.ts";

/** File systems stamp with a clock that is a little behind. */
const STAMP_LAG_MS = 10;

export class Sources {
  readonly entry: string;
  readonly #config: string;
  /** Not part of the code, but of what comes of it: the configuration, and what packages are installed. */
  readonly #beside: readonly string[];
  #code: readonly string[];
  /** As the files were when they were read; undefined: to be read again in any case. */
  #seen: string | undefined;
  #reads = 0;

  constructor(entry: string) {
    this.entry = entry;
    this.#config = configFileOf(entry);
    const folder = dirname(entry);
    this.#beside = [this.#config, join(folder, "package.json"), join(folder, "node_modules")];
    this.#code = [entry];
  }

  /** Every file that matters, packages' own files excepted. */
  get files(): readonly string[] {
    return [...this.#code, ...this.#beside];
  }

  get isChanged(): boolean {
    return this.#seen !== fingerprint(this.files);
  }

  /** Throws PLUGIN_LOAD_FAILED where the code cannot be bundled. */
  async read(): Promise<Bundle> {
    this.#reads += 1;
    const read = this.#reads;
    const startedAt = Date.now();
    this.#seen = fingerprint(this.files);
    try {
      const bundle = await this.#bundle();
      if (read === this.#reads) this.#takeNote(bundle, startedAt);
      return bundle;
    } catch (error) {
      if (read === this.#reads) this.#takeNoteOfFailure(error);
      throw error;
    }
  }

  /** What stands in the configuration file; `{}` without one. Throws PLUGIN_INVALID where it is no JSON. */
  async configuration(): Promise<unknown> {
    const file = Bun.file(this.#config);
    if (!(await file.exists())) return {};
    try {
      return await file.json();
    } catch (error) {
      const place = { file: shown(this.#config) };
      throw new BobbinError("PLUGIN_INVALID", `${place.file}: ${messageOf(error)}`, {
        place,
        step: "config",
      });
    }
  }

  async #bundle(): Promise<Bundle> {
    try {
      return await bundlePlugin(this.entry);
    } catch (error) {
      if (!isUnresolved(error)) throw error;
      return await bundleAfresh(this.entry);
    }
  }

  #takeNoteOfFailure(error: unknown): void {
    if (!(error instanceof BobbinError) || !error.place) return;
    const { place } = error;
    const file = resolve(place.file);
    const isKnown = this.#code.includes(file);
    if (!isKnown) this.#code = [...this.#code, file];
    // What an import did not find may come, from where nobody can say.
    if (!isKnown || isUnresolved(error)) this.#seen = undefined;
  }

  #takeNote({ files }: Bundle, startedAt: number): void {
    const code = [this.entry, ...files.filter((file) => !file.includes("/node_modules/")).sort()];
    const known = new Set(this.#code);
    const added = code.filter((file) => !known.has(file));
    const isSame = added.length === 0 && code.length === known.size;
    this.#code = code;
    if (isSame) return;
    // Of a file that is new here it is not known what it was when the bundler read it.
    const isSure = added.every((file) => changedAt(file) < startedAt - STAMP_LAG_MS);
    this.#seen = isSure ? fingerprint(this.files) : undefined;
  }
}

function changedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}
