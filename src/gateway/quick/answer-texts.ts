/**
 * The bytes of services' answers as text, a character for each byte, and back. Knows answers as they came; nothing of
 * what is in them.
 */
import { isAscii } from "node:buffer";
import type { ServiceAnswer } from "../remote/remote-executor.ts";

const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

/** Undefined where it may be something else than JSON. */
export function textOf(answer: ServiceAnswer): string | undefined {
  if (!("body" in answer) || answer.status !== 200 || !JSON_TYPE.test(answer.contentType)) return undefined;
  return answer.body.toString("latin1");
}

/** Of one request. */
export class AnswerTexts {
  /** Whether all bytes so far are their characters in every encoding, as they mostly are, and none is escaped. */
  #isAscii = true;

  /** Undefined where it may be something else than JSON. */
  of(answer: ServiceAnswer): string | undefined {
    const text = textOf(answer);
    if (text !== undefined && "body" in answer)
      this.#isAscii &&= isAscii(answer.body) && !text.includes("\\u");
    return text;
  }

  /** What a text that was made of these means. */
  decoded(text: string): string {
    return this.#isAscii ? text : Buffer.from(text, "latin1").toString("utf8");
  }

  /** What is to be sent of a text that was made of these. */
  sendable(text: string): string | Buffer<ArrayBuffer> {
    return this.#isAscii ? text : Buffer.from(text, "latin1");
  }
}
