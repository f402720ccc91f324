/**
 * One schema of a plugin, and the generation of its code that answers for it now: the code may be replaced, or be
 * restarted, under the same schema. Knows generations; nothing of files or of the graph.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import { BobbinError } from "../errors.ts";
import { gatewaySettings } from "../registry/metadata.ts";
import type { Generation } from "./generation.ts";
import type { Manifest } from "./runner/definition.ts";
import type { HttpRequest, PluginRequest } from "./runner/protocol.ts";

export class Version {
  readonly name: string;
  readonly sdl: string;
  #manifest: Manifest;
  #generation: Generation | undefined;
  /** The version that took over from this one. */
  readonly #current: () => Version | undefined;

  constructor(manifest: Manifest, generation: Generation | undefined, current: () => Version | undefined) {
    this.name = manifest.name;
    this.sdl = manifest.sdl;
    this.#manifest = manifest;
    this.#generation = generation;
    this.#current = current;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  get generation(): Generation | undefined {
    return this.#generation;
  }

  /** Whether the graph is the same with this version as with the manifest's. */
  hasSchemaOf(manifest: Manifest): boolean {
    return (
      this.name === manifest.name &&
      this.sdl === manifest.sdl &&
      namespaceOf(this.#manifest) === namespaceOf(manifest)
    );
  }

  /** Requests go to `generation` from now on; the one before finishes what it has begun. */
  replace(manifest: Manifest, generation: Generation | undefined): void {
    const before = this.#generation;
    this.#manifest = manifest;
    this.#generation = generation;
    void before?.retire();
  }

  retire(): Promise<void> {
    return this.#generation?.retire() ?? Promise.resolve();
  }

  /** Throws SERVICE_UNAVAILABLE, SERVICE_TIMEOUT, or what the answer was refused for. */
  async execute(request: PluginRequest): Promise<ExecutionResult> {
    return this.#serving().execute(request);
  }

  async fetch(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    return this.#serving().fetch(request, signal);
  }

  async health(): Promise<void> {
    return this.#serving().health();
  }

  /** Goes on with the version that follows where this one retires; ends with the plugin, or when the reader leaves. */
  subscribe(request: PluginRequest): AsyncIterableIterator<ExecutionResult> {
    const left = new AbortController();
    const results = this.#follow(request, left.signal);
    return {
      next: () => results.next(),
      return: async () => {
        left.abort();
        return results.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async *#follow(
    request: PluginRequest,
    left: AbortSignal,
  ): AsyncGenerator<ExecutionResult, void, undefined> {
    let generation: Generation | undefined = this.#serving();
    while (generation && !left.aborted) {
      yield* generation.subscribe(request, left);
      if (!generation.isOver) return;
      const next: Generation | undefined = this.#alive();
      generation = next === generation ? undefined : next;
    }
  }

  /** Requests that began on this version may come after it was retired. */
  #alive(): Generation | undefined {
    const own = this.#generation;
    return own && !own.isOver ? own : (this.#current()?.generation ?? own);
  }

  #serving(): Generation {
    const generation = this.#alive();
    if (generation) return generation;
    throw new BobbinError("SERVICE_UNAVAILABLE", `The plugin ${this.name} is not running.`);
  }
}

function namespaceOf({ metadata = {} }: Manifest): string | null {
  return gatewaySettings(metadata).namespace;
}
