/**
 * Asks what would become of the graph with a schema, one question at a time: it is no write, but it is work.
 * Knows the bounds; nothing of composing.
 */
import { BobbinError } from "../errors.ts";
import type { Trial } from "../gateway/trial.ts";
import { checkName } from "../registry/fields.ts";

/** Where nobody says whose schema it is. */
const NOBODY = "candidate";
/** The gateway rests as long as it worked, but no longer than this. */
const LONGEST_REST_MS = 1_000;

/** Takes the body of a request. Throws INVALID_JSON, INVALID_INPUT or OVERLOADED. */
export function trials(tryOut: (name: string, sdl: string) => Promise<Trial>) {
  let isBusy = false;
  let restsUntil = 0;
  return async (request: Request): Promise<Trial> => {
    const { name, sdl } = questionIn(await request.json().catch(() => undefined));
    if (isBusy) throw new BobbinError("OVERLOADED", "A schema is being tried already; try again.");
    isBusy = true;
    try {
      await Bun.sleep(Math.max(restsUntil - performance.now(), 0));
      const startedAt = performance.now();
      try {
        return await tryOut(name, sdl);
      } finally {
        const endedAt = performance.now();
        restsUntil = endedAt + Math.min(endedAt - startedAt, LONGEST_REST_MS);
      }
    } finally {
      isBusy = false;
    }
  };
}

function questionIn(body: unknown): { name: string; sdl: string } {
  if (typeof body !== "object" || body === null)
    throw new BobbinError("INVALID_JSON", "The body is no JSON object.");
  const { name = NOBODY, sdl } = body as { name?: unknown; sdl?: unknown };
  if (typeof sdl !== "string" || sdl.trim() === "")
    throw new BobbinError("INVALID_INPUT", "sdl: Expected the schema as a text.");
  if (typeof name !== "string")
    throw new BobbinError("INVALID_INPUT", "name: Expected the name of a service.");
  checkName(name);
  if (name === "core") throw new BobbinError("NAME_TAKEN", "The name core belongs to the core.");
  return { name, sdl };
}
