/**
 * The services that a process serves itself, replaced as one set: what it had before and has no more is gone.
 * Knows drafts and registrations; not who serves what, nor when.
 */
import { type BobbinError, toBobbinError } from "../errors.ts";
import type { Draft } from "./draft.ts";
import { nameTaken, type Registration, register } from "./registration.ts";
import { type Instance, NO_SCHEMA, type Service, type Source } from "./service.ts";

/** A registration of this process itself that could not be taken. */
export interface Refused {
  readonly name: string;
  readonly error: BobbinError;
}

/** Adds one such service, or renews it. Throws NAME_TAKEN where the name belongs to another source. */
export function registerLocal(draft: Draft, input: Registration, now: number): void {
  const current = draft.get(input.name);
  if (current && current.source !== input.source) throw nameTaken(current);
  draft.put(register(current && blank(current), input, now), "REGISTERED", "served by this process");
}

/** What a service of this process tells of itself it tells whole: what it says no more is gone. */
function blank(service: Service): Service {
  const nothing = { displayName: null, description: null, version: null, healthCheck: null };
  return { ...service, ...nothing, metadata: {}, dependencies: [], tags: [] };
}

/** Without `node` it is every process's. Returns those that were refused, each alone. */
export function replaceLocalSet(
  draft: Draft,
  source: Source,
  node: string | undefined,
  registrations: readonly Registration[],
  now: number,
): Refused[] {
  const owned = (instance: Instance) => node === undefined || instance.node === node;
  const served = new Map<string, Service>();
  const refused: Refused[] = [];
  for (const input of registrations) {
    const current = draft.get(input.name);
    try {
      if (current && current.source !== source) throw nameTaken(current);
      // What the schema of an earlier process was worth says nothing of this one's.
      const foreign = current && {
        ...blank(current),
        schema: NO_SCHEMA,
        instances: current.instances.filter((each) => !owned(each)),
      };
      served.set(input.name, register(foreign, input, now));
    } catch (thrown) {
      refused.push({ name: input.name, error: toBobbinError(thrown) });
    }
  }
  for (const name of draft.names()) {
    const service = draft.get(name);
    if (service?.source !== source || served.has(name)) continue;
    if (service.instances.every(owned)) draft.remove(name, "no longer served by this process");
  }
  for (const service of served.values()) draft.put(service, "REGISTERED", "served by this process");
  return refused;
}
