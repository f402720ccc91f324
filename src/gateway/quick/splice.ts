/**
 * Puts the client's answer together of the bytes that services answered. Knows answers as they came; nothing of what
 * is in them.
 */
import type { RawAnswer } from "../remote/graphql-call.ts";
import type { ServiceAnswer } from "../remote/remote-executor.ts";
import type { Splicing } from "./scanning.ts";

const BEGIN = Buffer.from('{"data":{');
const END = Buffer.from("}}");
const COMMA = 44;
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

/** Undefined where an answer is another than is expected. */
export function splice(
  { scans, pieces, isWhole }: Splicing,
  answers: readonly ServiceAnswer[],
): Buffer<ArrayBuffer> | undefined {
  if (!areBytes(answers)) return undefined;
  const found: (readonly number[])[] = [];
  for (let i = 0; i < answers.length; i++) {
    const { status, contentType, body } = answers[i] as RawAnswer;
    if (status !== 200 || !JSON_TYPE.test(contentType)) return undefined;
    const spans = scans[i]?.(body.toString("latin1"));
    if (!spans) return undefined;
    found.push(spans);
  }
  return isWhole ? (answers[0]?.body as Buffer<ArrayBuffer>) : joined(pieces, answers, found);
}

function areBytes(answers: readonly ServiceAnswer[]): answers is readonly RawAnswer[] {
  return answers.every((answer) => "body" in answer);
}

function joined(
  pieces: Splicing["pieces"],
  answers: readonly RawAnswer[],
  found: readonly (readonly number[])[],
): Buffer<ArrayBuffer> {
  let size = BEGIN.length + END.length + Math.max(0, pieces.length - 1);
  for (const { call, field } of pieces) {
    const spans = found[call] as readonly number[];
    size += (spans[2 * field + 1] as number) - (spans[2 * field] as number);
  }
  const out = Buffer.allocUnsafe(size);
  let at = BEGIN.copy(out);
  for (let i = 0; i < pieces.length; i++) {
    const { call, field } = pieces[i] as Splicing["pieces"][number];
    const spans = found[call] as readonly number[];
    if (i > 0) out[at++] = COMMA;
    at += (answers[call] as RawAnswer).body.copy(out, at, spans[2 * field], spans[2 * field + 1]);
  }
  END.copy(out, at);
  return out;
}
