/** Services that stop and come back, and who may fail because of it. */
import type { Activity } from "./activity.ts";
import { NAMES, type Name, type Stage } from "./stage.ts";

const AWAY_MS = 1_500;
/** A probe finds it well again within its interval; its failure may have been noticed late. */
const SETTLES_MS = 8_000;

export class Restarts {
  readonly #until = new Map<Name, number>();
  readonly #stage: Stage;
  #next = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Whether a request that began then, and asks the service, may fail. */
  shook(name: Name, began: number): boolean {
    return began < (this.#until.get(name) ?? 0);
  }

  get activity(): Activity {
    return { name: "restart", everyMs: 40_000, act: () => this.#restart() };
  }

  async #restart(): Promise<void> {
    const name = NAMES[this.#next++ % NAMES.length]!;
    const service = this.#stage.services[name];
    this.#until.set(name, Date.now() + AWAY_MS + SETTLES_MS);
    await service.stop();
    await Bun.sleep(AWAY_MS);
    service.start();
    this.#until.set(name, Date.now() + SETTLES_MS);
  }
}
