/**
 * The parts of a multipart/form-data body that is here whole. Knows RFC 7578 only; nothing of what the parts mean.
 * By hand because Bun's formData() takes a file's type from the ending of its name instead of from its part.
 */
import { BobbinError } from "../errors.ts";

export interface Part {
  readonly name: string;
  /** Of a file only. */
  readonly filename: string | undefined;
  /** As it was sent, parameters included; empty where it was not. */
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const MAX_HEADER_BYTES = 8_192;

/** Throws GRAPHQL_REQUEST_INVALID where the body is malformed, breaks off or has more than `mostParts`. */
export function parseMultipart(body: Buffer<ArrayBuffer>, contentType: string, mostParts: number): Part[] {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed("its content type names no boundary");
  const parts: Part[] = [];
  let at = body.indexOf(`--${boundary}`) + boundary.length + 2;
  if (at < boundary.length + 2) throw malformed("its boundary is not in it");
  while (body.toString("latin1", at, at + 2) !== "--") {
    if (parts.length === mostParts) throw malformed(`it has more than ${mostParts} parts`);
    const header = body.indexOf("\r\n", at) + 2;
    const content = body.indexOf("\r\n\r\n", at) + 4;
    const end = body.indexOf(`\r\n--${boundary}`, content);
    if (header < 2 || content < 4 || end < 0) throw malformed("it breaks off");
    if (content - at > MAX_HEADER_BYTES || body.toString("latin1", at, header).trim() !== "")
      throw malformed("a part has no proper header");
    parts.push(partOf(body.toString("utf8", header, content - 4), body.subarray(content, end)));
    at = end + boundary.length + 4;
  }
  return parts;
}

function partOf(header: string, content: Uint8Array<ArrayBuffer>): Part {
  const fields = new Map<string, string>();
  for (const line of header.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = fields.get("content-disposition") ?? "";
  const name = parameter(disposition, "name");
  if (name === undefined) throw malformed("a part has no name");
  return {
    name,
    filename: parameter(disposition, "filename"),
    type: fields.get("content-type") ?? "",
    content,
  };
}

/** A parameter of a header's value; browsers write a quotation mark in it as %22, others with a backslash. */
function parameter(value: string, name: string): string | undefined {
  const [, quoted, plain] =
    new RegExp(`;\\s*${name}=(?:"((?:\\\\"|[^"])*)"|([^\\s;"]+))`, "i").exec(value) ?? [];
  return quoted?.replaceAll('\\"', '"') ?? plain;
}

function malformed(problem: string): BobbinError {
  return new BobbinError("GRAPHQL_REQUEST_INVALID", `The multipart body cannot be read: ${problem}.`);
}
