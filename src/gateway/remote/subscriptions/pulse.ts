/**
 * Notices that a service which used to give signs of life gives none any more. Knows time only.
 */

/** Services send heartbeats every 5 to 30 seconds. */
const SILENCE_MS = 90_000;

export class Pulse {
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** The service sends heartbeats: from now on silence means something. */
  expect(): void {
    this.#timer ??= setTimeout(this.#onSilence, SILENCE_MS);
  }

  /** Something came. */
  beat(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
