/**
 * What is known of the registry's services, kept fresh by its events: looking up asks nobody. Keeps what it knows while
 * the registry is away. Knows what is kept; neither how it is read nor what a program does with it.
 */
import { Rotation } from "./choose.ts";
import { Follower } from "./follower.ts";
import { Readings } from "./readings.ts";
import type { RegisteredService, RegistryCalls } from "./registry-calls.ts";
import { after, within } from "./runtime.ts";

export interface Known {
  readonly rotation: Rotation;
  /** Somebody asked for it: it is read again when it changes. What nobody asked for is forgotten then. */
  isWanted: boolean;
  /** The registry was replaced by one that does not have it. */
  readonly isMissing: boolean;
}

/**
 * OPENING: the first connection, for which those who ask wait. LIVE: what is known is what the registry has. AWAY: it
 * is what the registry had.
 */
type State = "IDLE" | "OPENING" | "LIVE" | "AWAY";

const OPENING_MS = 2_000;
/** A registry that lost what it had has it again when every lease was renewed: so long, what was known holds. */
const GRACE_MS = 30_000;
/** What the registry was asked for in vain is asked for again after this long, and so many names are remembered. */
const IN_VAIN_MS = 1_000;
const MOST_IN_VAIN = 1_000;

export class Directory {
  readonly #follower: Follower;
  readonly #readings: Readings;
  #state: State = "IDLE";
  #known = new Map<string, Known>();
  /** Services that came or changed, that nobody has asked for. */
  readonly #unread = new Set<string>();
  /** Name → until when it is not asked for again. */
  readonly #inVain = new Map<string, number>();
  /** Which registry it is, as far as the identity of its core tells. */
  #registry: string | undefined;
  /** Why the registry is away, in words. */
  #why: string | undefined;
  #opened = () => {};
  readonly #opening = new Promise<void>((resolve) => {
    this.#opened = resolve;
  });
  #cancelGrace = () => {};

  constructor(calls: RegistryCalls) {
    this.#readings = new Readings(calls, {
      onService: (name, service) => {
        this.#known.set(name, knownOf(service, true));
        this.#unread.delete(name);
      },
      onMissing: (name) => this.#miss(name),
      onFailure: (why) => {
        this.#why = why;
      },
      isLive: () => this.isLive,
    });
    this.#follower = new Follower(calls, {
      onSnapshot: (services) => this.#replace(services),
      onResumed: () => this.#become("LIVE"),
      onChange: (name, type) => this.#change(name, type),
      onAway: (why, isThere) => {
        this.#why = why;
        this.#become("AWAY");
        // A registry that gives no stream, or a proxy before it, still answers: what is wanted is read now and then.
        if (isThere) for (const [name, { isWanted }] of this.#known) if (isWanted) this.#readings.soon(name);
      },
    });
  }

  get isLive(): boolean {
    return this.#state === "LIVE";
  }

  /** Why nothing newer is known, in words; undefined while the registry is there. */
  get why(): string | undefined {
    return this.isLive ? undefined : this.#why;
  }

  /** What is known of the service at this moment. */
  find(name: string): Known | undefined {
    const known = this.#known.get(name);
    if (known) known.isWanted = true;
    return known;
  }

  /** The same once the registry was heard, where it can be. Never throws, and is bounded in time. */
  async lookUp(name: string): Promise<Known | undefined> {
    if (this.#state === "IDLE") {
      this.#state = "OPENING";
      void this.#follower.start();
    }
    if (this.#state === "OPENING") await this.#untilOpened();
    if (!this.#known.has(name) && (!this.isLive || this.#unread.has(name))) await this.#readings.ask(name);
    return this.find(name);
  }

  /** Asks for what is not known, because no event may have told of it yet; but not again and again. */
  async confirm(name: string): Promise<Known | undefined> {
    const now = Date.now();
    if (now < (this.#inVain.get(name) ?? 0) && !this.#readings.isAsked(name)) return undefined;
    if (this.#inVain.size >= MOST_IN_VAIN) this.#inVain.clear();
    this.#inVain.set(name, now + IN_VAIN_MS);
    await this.#readings.ask(name);
    return this.find(name);
  }

  close(): void {
    this.#follower.close();
    this.#readings.close();
    this.#cancelGrace();
  }

  #become(state: "LIVE" | "AWAY"): void {
    this.#state = state;
    this.#opened();
  }

  async #untilOpened(): Promise<void> {
    let cancel = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = within(OPENING_MS, resolve);
    });
    await Promise.race([this.#opening, deadline]);
    cancel();
    // Those who ask from now on do not wait for the same again.
    if (this.#state === "OPENING") this.#state = "AWAY";
  }

  #replace(services: readonly RegisteredService[]): void {
    const before = this.#known;
    const registry = services.find(({ serviceName }) => serviceName === "core")?.id;
    this.#known = new Map();
    this.#unread.clear();
    for (const service of services) {
      const isWanted = before.get(service.serviceName)?.isWanted ?? false;
      this.#known.set(service.serviceName, knownOf(service, isWanted));
    }
    const isOther = this.#registry !== undefined && registry !== this.#registry;
    for (const [name, known] of before) {
      if (this.#known.has(name)) continue;
      if (known.isMissing) this.#known.set(name, known);
      else if (isOther && known.isWanted) this.#keepMissing(name, known);
    }
    this.#registry = registry;
    this.#become("LIVE");
  }

  #miss(name: string): void {
    this.#unread.delete(name);
    const known = this.#known.get(name);
    if (!known || known.isMissing) return;
    // Before its snapshot is there, it may be another registry than the one that had it.
    if (this.isLive) this.#known.delete(name);
    else this.#keepMissing(name, known);
  }

  #keepMissing(name: string, known: Known): void {
    this.#known.set(name, { ...known, isMissing: true });
    this.#cancelGrace();
    this.#cancelGrace = after(GRACE_MS, () => {
      for (const [each, { isMissing }] of this.#known) if (isMissing) this.#known.delete(each);
    });
  }

  #change(name: string, type: string): void {
    if (type === "REMOVED") {
      this.#known.delete(name);
      this.#unread.delete(name);
    } else if (this.#known.get(name)?.isWanted) this.#readings.soon(name);
    else {
      this.#known.delete(name);
      this.#unread.add(name);
      // Who waits for it is told what it was; what it is now follows.
      if (this.#readings.isAsked(name)) this.#readings.soon(name);
    }
  }
}

function knownOf({ instances }: RegisteredService, isWanted: boolean): Known {
  const rotation = new Rotation(instances.map(({ url, healthy }) => ({ url, healthy })));
  return { rotation, isWanted, isMissing: false };
}
