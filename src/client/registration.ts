/**
 * Keeps one instance of one service registered: tries until the registry is there, renews the lease, reports whether
 * the program is ready, registers again where the registry has forgotten it, and removes the instance in the end.
 * Knows the calls; nothing of signals, nor of looking services up.
 */
import { pauseAfter } from "./pauses.ts";
import { failureOf, type RegistryCalls, refusalOf } from "./registry-calls.ts";
import { after, warn, within } from "./runtime.ts";

export interface RegistrationOptions {
  /** Asked once a second: while it says false (or throws), this instance gets no requests. Default: it is ready. */
  health?: () => boolean;
  /** Length of the lease in seconds; it is renewed three times as often. Default: 30. */
  ttl?: number;
}

export type Metadata = Readonly<Record<string, unknown>>;

export interface Registrant extends RegistrationOptions {
  readonly name: string;
  readonly url: string;
  readonly metadata: Metadata;
}

const TTL_SECONDS = 30;
const CALL_DEADLINE_MS = 5_000;
const LEAVE_DEADLINE_MS = 2_000;
/** What is under way when it leaves gets half of that time. */
const SETTLE_DEADLINE_MS = LEAVE_DEADLINE_MS / 2;
const HEALTH_EVERY_MS = 1_000;

export class Registration {
  readonly #calls: RegistryCalls;
  #registrant: Registrant;
  /** Whether the registry has it, as it is now, as far as is known. */
  #isKnown = false;
  #hasTried = false;
  #failures = 0;
  /** What the registry was told last. */
  #toldReady = true;
  /** The attempt under way. Those who come meanwhile have another one after it. */
  #attempt: Promise<void> | undefined;
  #isDue = false;
  #leaving: Promise<boolean> | undefined;
  #cancelNext = () => {};
  #cancelWatch = () => {};

  constructor(calls: RegistryCalls, registrant: Registrant) {
    this.#calls = calls;
    this.#registrant = registrant;
  }

  /** URLs of the same scheme, host and port, or of the same unix socket, are the same instance. */
  isOf(name: string, url: string): boolean {
    return !this.#leaving && this.name === name && originOf(this.url) === originOf(url);
  }

  get name(): string {
    return this.#registrant.name;
  }

  get url(): string {
    return this.#registrant.url;
  }

  /** Registers with what is new. True when the registry has it; false when it does not yet: attempts go on. */
  async register(registrant: Registrant): Promise<boolean> {
    this.#registrant = registrant;
    this.#isKnown = false;
    this.#watchHealth();
    await this.#attempt;
    await this.#try(true);
    return this.#isKnown;
  }

  /** Removes the instance. True when the registry has it no more. Never throws, and takes two seconds at most. */
  leave(): Promise<boolean> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /** The same for a process that ends in this moment, as well as can be done then. */
  leaveAtOnce(): void {
    if (this.#leaving || !this.#hasTried) return;
    this.#leaving = Promise.resolve(this.#calls.writeAtOnce("unregister", this.#instance));
  }

  get #instance() {
    return { serviceName: this.name, url: this.url };
  }

  get #periodMs(): number {
    return ((this.#registrant.ttl ?? TTL_SECONDS) * 1000) / 3;
  }

  /** One attempt; one that is asked for while another is under way follows it. */
  #try(attended = false): Promise<void> {
    if (this.#attempt) {
      this.#isDue = true;
      return this.#attempt;
    }
    this.#cancelNext();
    if (this.#leaving) return Promise.resolve();
    this.#attempt = this.#ask(attended).then((pauseMs) => {
      this.#attempt = undefined;
      if (this.#leaving) return;
      this.#cancelNext = after(this.#isDue ? 0 : pauseMs, () => void this.#try());
      this.#isDue = false;
    });
    return this.#attempt;
  }

  /** Renews the lease, or registers; returns how long to wait before the next attempt. */
  async #ask(attended: boolean): Promise<number> {
    this.#hasTried = true;
    try {
      const manner = { deadlineMs: CALL_DEADLINE_MS, attended };
      const ready = this.#isReady();
      if (this.#isKnown) {
        const renewed = await this.#calls.write("heartbeat", { ...this.#instance, ready }, manner);
        if (renewed.status === 200) return this.#succeeded(ready);
        if (renewed.status !== 404) return this.#failed(refusalOf(renewed));
        warn(`the registry at ${this.#calls.url} has forgotten ${this.name}; registering again`);
        this.#isKnown = false;
      }
      const asked = this.#registrant;
      const { metadata, ttl = TTL_SECONDS } = asked;
      const body = { ...this.#instance, metadata, ttl, ready };
      const answer = await this.#calls.write("register", body, manner);
      if (answer.status !== 200 && answer.status !== 201) return this.#failed(refusalOf(answer));
      this.#isKnown = asked === this.#registrant;
      return this.#succeeded(ready);
    } catch (error) {
      return this.#failed(failureOf(error));
    }
  }

  #succeeded(ready: boolean): number {
    if (this.#failures > 0) {
      const attempts = this.#failures + 1;
      warn(`${this.name} at ${this.url} is registered at ${this.#calls.url}, after ${attempts} attempts`);
    }
    this.#failures = 0;
    this.#toldReady = ready;
    // Not all in step, and never late.
    return this.#periodMs * (0.9 + 0.1 * Math.random());
  }

  #failed(why: string): number {
    this.#failures += 1;
    if (this.#failures === 1) {
      const what = this.#isKnown ? "lease cannot be renewed" : "instance cannot be registered";
      warn(`${this.name}: its ${what} at ${this.#calls.url}, which will be tried again: ${why}`);
    }
    return pauseAfter(this.#failures, this.#periodMs);
  }

  #isReady(): boolean {
    try {
      return this.#registrant.health?.() ?? true;
    } catch {
      return false;
    }
  }

  #watchHealth(): void {
    this.#cancelWatch();
    if (!this.#registrant.health || this.#leaving) return;
    const isTold = this.#failures > 0 || this.#isReady() === this.#toldReady;
    if (this.#isKnown && !isTold) void this.#try();
    this.#cancelWatch = after(HEALTH_EVERY_MS, () => this.#watchHealth());
  }

  async #leave(): Promise<boolean> {
    this.#cancelNext();
    this.#cancelWatch();
    const since = Date.now();
    await this.#settled();
    if (!this.#hasTried) return true;
    try {
      const manner = { deadlineMs: LEAVE_DEADLINE_MS - (Date.now() - since), attended: true };
      const answer = await this.#calls.write("unregister", this.#instance, manner);
      if (answer.status === 200 || answer.status === 404) return true;
      warn(`${this.name} cannot be removed from ${this.#calls.url}: ${refusalOf(answer)}`);
    } catch (error) {
      warn(`${this.name} cannot be removed from ${this.#calls.url}: ${failureOf(error)}; its lease runs out`);
    }
    return false;
  }

  /** Waits for what is under way: landing after the removal, it would undo it. */
  async #settled(): Promise<void> {
    if (!this.#attempt) return;
    const deadline = new Promise<() => void>((resolve) => {
      const cancel = within(SETTLE_DEADLINE_MS, () => resolve(cancel));
      void this.#attempt?.then(() => resolve(cancel));
    });
    (await deadline)();
  }
}

function originOf(url: string): string {
  try {
    // Not `origin`: it is "null" for all unix sockets.
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    // The registry says what is wrong with it.
    return url;
  }
}
