/**
 * What the client needs of HTTP: one request, or one stream, with a deadline. Knows neither who does it nor what is
 * asked.
 */

export interface Call {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly deadlineMs: number;
  /** Somebody waits for the answer: the process stays for it, at most until the deadline. */
  readonly attended: boolean;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface StreamCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The answer has begun. `header` gives its headers by their lower-case names. */
  onOpen(status: number, header: (name: string) => string | null): void;
  onText(text: string): void;
}

export interface Transport {
  /** The answer, whatever its status. Throws where there is none. */
  send(call: Call): Promise<Answer>;
  /** Returns when the stream has ended; throws when it broke off. Keeps no process alive, where that can be had. */
  stream(call: StreamCall): Promise<void>;
  /**
   * For a process that ends in this very moment: writes the call to a connection that is open anyway and waits for
   * nothing. False where there is none.
   */
  sendAtOnce(call: Pick<Call, "url" | "headers" | "body">): boolean;
}

/** What one answer may be long: a registry with ten thousand services fits. */
export const MOST_CHARACTERS = 64 * 1024 * 1024;
/** A stream has to begin within this time, and says something at least every 15 s from then on. */
export const OPEN_DEADLINE_MS = 5_000;
export const SILENCE_MS = 45_000;
