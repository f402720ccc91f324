/** What several commands are given as an argument: a JSON object, a file with text. Knows no command. */
import { BobbinError, messageOf } from "../errors.ts";

/** Throws INVALID_INPUT where the text is no JSON object. */
export function objectIn(option: string, json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Refused below, as everything else that is no object.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new BobbinError(
    "INVALID_INPUT",
    `${option} ${json.slice(0, 100)}: give a JSON object, such as '{ "key": 1 }'.`,
  );
}

/** Throws INVALID_INPUT where it cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    throw new BobbinError("INVALID_INPUT", `${path} cannot be read: ${messageOf(error)}`);
  }
}
