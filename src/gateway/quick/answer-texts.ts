/**
 * The bytes of services' answers as text, a character for each byte, and back. Knows answers as they came; nothing of
 * what is in them.
 */
import type { HttpAnswer } from "../remote/http/http-answer.ts";
import type { ServiceAnswer } from "../remote/remote-executor.ts";

const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

/** An answer that came as bytes and is JSON, as far as it says so itself; else undefined. */
export function jsonAnswer(answer: ServiceAnswer): HttpAnswer | undefined {
  if ("result" in answer || answer.status !== 200) return undefined;
  return JSON_TYPE.test(answer.contentType) ? answer : undefined;
}

/** Of one request. */
export class AnswerTexts {
  /** Whether all bytes so far are their characters in every encoding, as they mostly are, and none is escaped. */
  #isAscii = true;

  /** Undefined where it may be something else than JSON. */
  of(answer: ServiceAnswer): string | undefined {
    const json = jsonAnswer(answer);
    const text = json?.latin1;
    if (json && text !== undefined) this.#isAscii &&= json.isAscii && !text.includes("\\u");
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
