/**
 * One running version of a plugin, as the host sees it: its calls with their deadline, its end in order, its crash.
 * Knows the runner; nothing of files, of other versions or of the graph.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import type { Clock } from "../clock.ts";
import { BobbinError, messageOf, type Place } from "../errors.ts";
import type { Log } from "../log.ts";
import { untilAborted } from "../until-aborted.ts";
import { shown } from "./place.ts";
import type { HostAbilities } from "./runner/context.ts";
import type { Manifest } from "./runner/definition.ts";
import { responseOf } from "./runner/http-parts.ts";
import type { Crash, Running, startRunner } from "./runner/isolation.ts";
import type { HttpRequest, PluginRequest } from "./runner/protocol.ts";
import type { Bundle } from "./source/bundle.ts";
import { watchOver } from "./watchdog.ts";

export interface GenerationLimits {
  /** For loading and for the setup, each. */
  readonly startDeadlineMs: number;
  readonly callDeadlineMs: number;
  readonly memoryLimitBytes: number;
}

export interface GenerationOptions {
  readonly host: HostAbilities;
  readonly startRunner: typeof startRunner;
  readonly limits: GenerationLimits;
  readonly clock: Clock;
  readonly log: Log;
}

const MOST_IN_FLIGHT = 1_024;

export class Generation {
  readonly bundle: Bundle;
  readonly manifest: Manifest;
  /** Resolves where it ended without having been told to. */
  readonly crashed: Promise<BobbinError>;
  readonly #crash = Promise.withResolvers<BobbinError>();
  readonly #running: Running;
  readonly #options: GenerationOptions;
  /** Aborts when streams have to end. */
  readonly #streams = new AbortController();
  #inFlight = 0;
  #onIdle = () => {};
  #isOver = false;
  #retiring: Promise<void> | undefined;

  private constructor(bundle: Bundle, manifest: Manifest, running: Running, options: GenerationOptions) {
    this.bundle = bundle;
    this.manifest = manifest;
    this.#running = running;
    this.#options = options;
    this.crashed = this.#crash.promise;
    void running.crashed.then((crash) => this.#crashedBy(crash));
  }

  /**
   * Runs the bundle's code up to its manifest. Throws PLUGIN_LOAD_FAILED or PLUGIN_INVALID; `signal` gives it up.
   */
  static async load(bundle: Bundle, options: GenerationOptions, signal: AbortSignal): Promise<Generation> {
    const { code, entry, isolation } = bundle;
    const file = shown(entry);
    const { startRunner, host, limits, clock } = options;
    const { callDeadlineMs: hungAfterMs, memoryLimitBytes } = limits;
    const running = watchOver(startRunner(isolation, host), { hungAfterMs, memoryLimitBytes, clock });
    try {
      const loading = running.runner.load({ code, file, isolation });
      const manifest = await atMost(loading, "load", file, running, options, signal);
      return new Generation(bundle, manifest, running, options);
    } catch (error) {
      running.end();
      throw error;
    }
  }

  /** Runs the plugin's setup. Throws likewise; the generation is of no use then. */
  async start(config: unknown, signal: AbortSignal): Promise<void> {
    const { entry } = this.bundle;
    const { runner } = this.#running;
    const starting = runner.configure(config).then(() => runner.start());
    await atMost(starting, "setup", shown(entry), this.#running, this.#options, signal);
  }

  get isOver(): boolean {
    return this.#isOver || this.#retiring !== undefined;
  }

  /** Throws SERVICE_TIMEOUT, SERVICE_UNAVAILABLE where it ended, or what the runner refused. */
  execute(request: PluginRequest): Promise<ExecutionResult> {
    return this.#call((signal) => this.#running.runner.execute(request, signal));
  }

  /** Ends without an error when this generation retires. */
  subscribe(request: PluginRequest, signal: AbortSignal): AsyncIterable<ExecutionResult> {
    const either = AbortSignal.any([signal, this.#streams.signal]);
    return untilAborted(this.#running.runner.subscribe(request, either), either);
  }

  /** The plugin's own answer; its body comes as it is read. */
  fetch(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    return this.#call(() =>
      responseOf(this.#counted(this.#running.runner.fetch(request, signal)), request.method),
    );
  }

  /** Throws where the plugin is not well. */
  health(): Promise<void> {
    return this.#call(() => this.#running.runner.health());
  }

  /** Ends it in order: streams first, then once the calls in flight are done. */
  retire(): Promise<void> {
    this.#retiring ??= this.#retire();
    return this.#retiring;
  }

  /** Ends it at once. */
  end(): void {
    this.#isOver = true;
    this.#streams.abort();
    this.#running.end();
  }

  async #retire(): Promise<void> {
    const { limits, clock, log } = this.#options;
    this.#streams.abort();
    if (this.#inFlight > 0) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      const stop = clock.after(limits.callDeadlineMs, idle.resolve);
      await idle.promise;
      stop();
    }
    if (this.#isOver) return;
    const late = Promise.withResolvers<void>();
    const stop = clock.after(limits.startDeadlineMs, () => late.reject(new Error("it took too long")));
    try {
      await Promise.race([this.#running.runner.dispose(), late.promise]);
    } catch (error) {
      log.warn({ plugin: this.manifest.name, reason: messageOf(error) }, "dispose did not finish");
    } finally {
      stop();
    }
    this.end();
  }

  /** A body that is still being read is in flight. */
  async *#counted<T>(parts: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    this.#inFlight += 1;
    try {
      yield* parts;
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle();
  }

  async #call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { limits, clock } = this.#options;
    if (this.#inFlight >= MOST_IN_FLIGHT)
      throw new BobbinError("SERVICE_OVERLOADED", `${MOST_IN_FLIGHT} calls to the plugin are in flight.`);
    const controller = new AbortController();
    const late = Promise.withResolvers<never>();
    const stop = clock.after(limits.callDeadlineMs, () => {
      const message = `The plugin ${this.manifest.name} did not answer within ${limits.callDeadlineMs} ms.`;
      const error = new BobbinError("SERVICE_TIMEOUT", message);
      controller.abort(error);
      late.reject(error);
    });
    this.#inFlight += 1;
    try {
      return await Promise.race([work(controller.signal), late.promise]);
    } finally {
      stop();
      this.#leave();
    }
  }

  #crashedBy({ reason, place }: Crash): void {
    if (this.#isOver) return;
    const file = shown(this.bundle.entry);
    this.end();
    this.#crash.resolve(
      new BobbinError("PLUGIN_CRASHED", `${file} crashed: ${reason}`, {
        place: place ?? { file },
        step: "run",
      }),
    );
  }
}

/** Waits for a step of the start: no longer than its deadline, the code's own end, or until it is given up. */
async function atMost<T>(
  work: Promise<T>,
  step: string,
  file: string,
  running: Running,
  { limits, clock }: GenerationOptions,
  signal: AbortSignal,
): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const fail = (problem: string, place: Place = { file }) =>
    stopped.reject(new BobbinError("PLUGIN_LOAD_FAILED", `${file}: ${step} ${problem}`, { place, step }));
  const giveUp = () => stopped.reject(signal.reason);
  const stop = clock.after(limits.startDeadlineMs, () =>
    fail(`did not finish within ${limits.startDeadlineMs} ms`),
  );
  void running.crashed.then(({ reason, place }) => fail(`did not finish: ${reason}`, place));
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    stop();
    signal.removeEventListener("abort", giveUp);
  }
}
