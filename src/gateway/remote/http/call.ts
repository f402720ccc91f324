/**
 * One call on its way: what is sent, what it may take, and who waits for its answer. Knows nothing of sockets.
 */
import { BobbinError } from "../../../errors.ts";
import { connectionReason } from "../../../http.ts";
import type { HttpAnswer } from "./http-answer.ts";
import type { Message } from "./target.ts";
import { unpacked } from "./unpacked.ts";

export interface PostRequest {
  /** Besides those of the target. Those that frame the request are the client's own and refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From now on; the wait for a connection and connecting are part of it. */
  readonly deadlineMs: number;
  /** Of the answer's body. */
  readonly maxBytes: number;
  /** Gives up before the deadline. */
  readonly signal?: AbortSignal | undefined;
  /**
   * A query: it may be sent once more where a kept connection turns out to be closed before any of the answer came.
   * Others are so only where nothing of them was sent.
   */
  readonly isRepeatable: boolean;
}

export class Call {
  readonly message: Message;
  readonly maxBytes: number;
  /** Whether the service may get it twice. */
  readonly isRepeatable: boolean;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly answer: Promise<HttpAnswer>;
  /** A call is made at most twice. */
  isSecondTry = false;
  readonly reject: (error: BobbinError) => void;
  readonly #resolve: (answer: HttpAnswer | Promise<HttpAnswer>) => void;

  constructor(message: Message, { maxBytes, isRepeatable, deadlineMs }: PostRequest, now: number) {
    this.message = message;
    this.maxBytes = maxBytes;
    this.isRepeatable = isRepeatable;
    this.deadline = now + deadlineMs;
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.reject = reject;
  }

  /** Takes the answer as it came. */
  resolve(answer: HttpAnswer): void {
    const { encoding } = answer;
    this.#resolve(encoding === "" || encoding === "identity" ? answer : unpacked(answer, this.maxBytes));
  }
}

export function outOfTime(cause?: unknown): BobbinError {
  return new BobbinError("SERVICE_TIMEOUT", "The service did not answer in time.", { cause });
}

/** `error` is what Bun says of the connection. */
export function unreachable(error: unknown): BobbinError {
  const reason = connectionReason(error);
  return new BobbinError("SERVICE_UNAVAILABLE", `The service could not be reached: ${reason}.`, {
    cause: error,
  });
}
