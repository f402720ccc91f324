/**
 * Reads services from the registry: one at once, for those who wait for it, and what changed in the background, together.
 * Knows the calls; not what is kept of the answers.
 */
import { failureOf, type RegisteredService, type RegistryCalls, refusalOf } from "./registry-calls.ts";
import { after } from "./runtime.ts";

export interface Readers {
  onService(name: string, service: RegisteredService): void;
  /** The registry does not have it. */
  onMissing(name: string): void;
  onFailure(why: string): void;
  /** Whether what could not be read is to be read again later: else the registry will tell everything anew. */
  isLive(): boolean;
}

const DEADLINE_MS = 2_000;
/** Where the registry did not answer, it is not asked again for this long. */
const SILENCE_MS = 1_000;
/** Changes within this time are read together; from so many on, by one call. */
const GATHER_MS = 20;
const MANY = 8;

export class Readings {
  readonly #calls: RegistryCalls;
  readonly #readers: Readers;
  /** Those who ask for the same at the same time share the call. */
  readonly #asked = new Map<string, Promise<boolean>>();
  readonly #changed = new Set<string>();
  #cancelGather: (() => void) | undefined;
  #silentUntil = 0;

  constructor(calls: RegistryCalls, readers: Readers) {
    this.#calls = calls;
    this.#readers = readers;
  }

  /** False where the registry does not say, or did not say a moment ago. Never throws, and is bounded in time. */
  ask(name: string): Promise<boolean> {
    if (Date.now() < this.#silentUntil) return Promise.resolve(false);
    let asking = this.#asked.get(name);
    if (!asking) {
      asking = this.#read(name, true).finally(() => this.#asked.delete(name));
      this.#asked.set(name, asking);
    }
    return asking;
  }

  /** Whether somebody waits for it at this moment. */
  isAsked(name: string): boolean {
    return this.#asked.has(name);
  }

  soon(name: string): void {
    this.#changed.add(name);
    this.#gather(GATHER_MS);
  }

  close(): void {
    this.#cancelGather?.();
  }

  #gather(forMs: number): void {
    this.#cancelGather ??= after(forMs, () => void this.#readChanged());
  }

  async #readChanged(): Promise<void> {
    const names = [...this.#changed];
    this.#changed.clear();
    const told =
      names.length < MANY
        ? await Promise.all(names.map((name) => this.#read(name, false)))
        : [await this.#readAll(names)];
    const isTold = told.every((each) => each);
    this.#cancelGather = undefined;
    if (!isTold && this.#readers.isLive()) for (const name of names) this.#changed.add(name);
    if (this.#changed.size > 0) this.#gather(isTold ? GATHER_MS : SILENCE_MS);
  }

  #read(name: string, attended: boolean): Promise<boolean> {
    return this.#get(`/services/${encodeURIComponent(name)}`, attended, (service) => {
      if (service) this.#readers.onService(name, service as RegisteredService);
      else this.#readers.onMissing(name);
    });
  }

  #readAll(names: readonly string[]): Promise<boolean> {
    return this.#get("/services", false, (answer) => {
      const { services } = answer as { services: readonly RegisteredService[] };
      const found = new Map(services.map((service) => [service.serviceName, service]));
      for (const name of names) {
        const service = found.get(name);
        if (service) this.#readers.onService(name, service);
        else this.#readers.onMissing(name);
      }
    });
  }

  /** `take`: is given what the registry has at the path, or undefined. */
  async #get(path: string, attended: boolean, take: (answer: unknown) => void): Promise<boolean> {
    try {
      const answer = await this.#calls.read(path, { deadlineMs: DEADLINE_MS, attended });
      if (answer.status !== 200 && answer.status !== 404) throw new Error(refusalOf(answer));
      take(answer.status === 200 ? JSON.parse(answer.text) : undefined);
      return true;
    } catch (error) {
      this.#silentUntil = Date.now() + SILENCE_MS;
      this.#readers.onFailure(failureOf(error));
      return false;
    }
  }
}
