/** What the running registry says of itself, be it well or not. Knows its answer; nothing of what follows from it. */
import { ask } from "../../api-client.ts";
import type { Environment } from "../../settings.ts";

export interface RegistryHealth {
  readonly database: string;
  /** When it answered, by its own clock. */
  readonly date: string | undefined;
}

const DEADLINE_MS = 3_000;

/** Undefined where no registry answers. */
export async function registryHealth(env: Environment): Promise<RegistryHealth | undefined> {
  const answer = await ask({
    door: "registry",
    place: {},
    env,
    path: "/health",
    deadlineMs: DEADLINE_MS,
    // What is not well has a status of its own, and is told all the same.
    inAnyAnswer: true,
    find: ({ body, headers }) => {
      const { database } = (body ?? {}) as { database?: unknown };
      return typeof database === "string" ? { database, date: headers.get("date") ?? undefined } : undefined;
    },
  });
  return "found" in answer ? answer.found : undefined;
}
