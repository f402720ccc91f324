/**
 * Answers that a service packed although it was asked not to. Knows encodings; nothing of HTTP's framing.
 */
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { BobbinError } from "../../../errors.ts";
import { tooLarge } from "./answer-head.ts";
import { HttpAnswer } from "./http-answer.ts";

type Unpack = (
  packed: Buffer,
  options: { maxOutputLength: number },
  done: (error: NodeJS.ErrnoException | null, bytes: Buffer<ArrayBuffer>) => void,
) => void;

const UNPACK = new Map<string, Unpack>([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflate],
  ["br", brotliDecompress],
]);

/** No more than `maxBytes` are unpacked. Throws INVALID_SERVICE_RESPONSE. */
export function unpacked(answer: HttpAnswer, maxBytes: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const unpack = UNPACK.get(answer.encoding);
    if (!unpack) throw invalid("is encoded in a way that it was not asked for");
    unpack(answer.body, { maxOutputLength: maxBytes }, (error, body) => {
      if (!error) {
        const { status, contentType, door } = answer;
        resolve(new HttpAnswer({ status, contentType, door, encoding: "" }, body));
      } else if (error.code === "ERR_BUFFER_TOO_LARGE") reject(tooLarge(maxBytes));
      else reject(invalid("cannot be unpacked", error));
    });
  });
}

function invalid(what: string, cause?: unknown): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", `The service's answer ${what}.`, { cause });
}
