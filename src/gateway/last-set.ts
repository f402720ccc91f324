/**
 * The last composed set on disk: which services made up the graph, with their SDLs, in order of precedence. It keeps
 * the graph whole over a restart while a service is down, or while the registry cannot be read.
 * Knows files; nothing of composing.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Service } from "../registry/service.ts";
import type { SubgraphSource } from "./subgraph/subgraph.ts";

/** A service, and what its part of the graph was built from. */
export interface ComposedService extends Omit<SubgraphSource, "name"> {
  readonly service: Service;
}

const FORMAT = 1;
const SERVICES_AT_ONCE = 20;

interface LastSetFile {
  readonly format: typeof FORMAT;
  readonly services: readonly ComposedService[];
}

export class LastSet {
  readonly #path: string;
  readonly #log: Log;
  #writing: Promise<void> | undefined;
  #next: readonly ComposedService[] | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** What was saved last; nothing where there is no file or it is damaged. */
  async read(): Promise<readonly ComposedService[]> {
    const file = Bun.file(this.#path);
    if (!(await file.exists())) return [];
    try {
      const { format, services } = (await file.json()) as LastSetFile;
      if (format !== FORMAT || !Array.isArray(services)) throw new Error("unknown format");
      return services.filter(isComposedService);
    } catch (error) {
      this.#log.warn({ path: this.#path, reason: messageOf(error) }, "the last composed set cannot be read");
      return [];
    }
  }

  /** Saves in the background; while one write runs, only the newest of the later sets is kept. */
  save(services: readonly ComposedService[]): void {
    this.#next = services;
    this.#writing ??= this.#writeAll();
  }

  /** Waits for what is being written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next) {
      const services = this.#next;
      this.#next = undefined;
      try {
        await this.#write(services);
      } catch (error) {
        this.#log.warn(
          { path: this.#path, reason: messageOf(error) },
          "the last composed set cannot be saved",
        );
      }
    }
    this.#writing = undefined;
  }

  /** Writes beside the file and renames, so that a crash leaves the old one whole. */
  async #write(services: readonly ComposedService[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.new`;
    const parts: string[] = [];
    for (const [i, service] of services.entries()) {
      parts.push(JSON.stringify(service));
      // The SDLs of many services come to megabytes: requests are served in between.
      if (i % SERVICES_AT_ONCE === SERVICES_AT_ONCE - 1) await setImmediate();
    }
    await writeFile(draft, `{"format":${FORMAT},"services":[${parts.join(",")}]}`, { flush: true });
    await rename(draft, this.#path);
  }
}

/** Whether it is of the shape that was written; what else became of the file is not taken over. */
function isComposedService(value: unknown): value is ComposedService {
  const { service, sdl, namespace } = (value ?? {}) as Partial<ComposedService>;
  const isService =
    typeof service === "object" &&
    service !== null &&
    typeof service.name === "string" &&
    typeof service.metadata === "object" &&
    service.metadata !== null &&
    Array.isArray(service.instances) &&
    service.instances.length > 0 &&
    service.instances.every((instance) => typeof instance?.origin === "string");
  return isService && typeof sdl === "string" && (namespace === null || typeof namespace === "string");
}
