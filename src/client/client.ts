/**
 * The client: the four functions of service discovery and what goes with them, over one registry. Puts the parts
 * together; each of them knows its own matter only.
 */
import { Directory, type Known } from "./directory.ts";
import { DiscoveryError } from "./errors.ts";
import { fallbackOf, variableOf } from "./fallbacks.ts";
import { fetchTransport } from "./fetch-transport.ts";
import { nodeTransport } from "./node-transport.ts";
import { onExit } from "./on-exit.ts";
import { type Metadata, Registration, type RegistrationOptions } from "./registration.ts";
import { failureOf, type RegisteredService, RegistryCalls, refusalOf } from "./registry-calls.ts";
import { type ServiceFetchInit, serviceFetch } from "./service-fetch.ts";
import { type ClientOptions, settingsOf } from "./settings.ts";

/** Where a service is, and how that is known. */
export interface Resolution {
  readonly name: string;
  readonly url: string;
  /**
   * REGISTRY: the registry has it. ENVIRONMENT: the variable {SERVICE_NAME}_URL. DEFAULT: a default for the developer's
   * own machine.
   */
  readonly source: "REGISTRY" | "ENVIRONMENT" | "DEFAULT";
  /** The registry had it when it was last heard, and cannot be asked now, or was replaced since. */
  readonly stale: boolean;
  /** Whether the registry finds this instance healthy; null where it was not the one to say. */
  readonly healthy: boolean | null;
  /** Every instance that the registry has. */
  readonly instances: readonly { readonly url: string; readonly healthy: boolean }[];
}

export interface Client {
  /**
   * Registers this process as an instance of the service, and keeps it registered from then on: see the options. The
   * promise never rejects: true when the registry has it, false when the first attempt failed; attempts go on.
   */
  registerService(
    name: string,
    url: string,
    metadata?: Metadata,
    options?: RegistrationOptions,
  ): Promise<boolean>;
  /**
   * Removes the instance that this process registered, and no other. The promise never rejects: true when the registry
   * has it no more, false when it could not be told within two seconds; the lease then runs out.
   */
  unregisterService(name: string): Promise<boolean>;
  /** A URL of the service: of a healthy instance, each in turn, where there is one. Throws SERVICE_NOT_FOUND. */
  getServiceUrl(name: string): Promise<string>;
  /** The same, with where the answer came from. */
  resolveService(name: string): Promise<Resolution>;
  /** Every service that the registry has; while it is away, as it answered last. Throws REGISTRY_UNAVAILABLE. */
  listServices(): Promise<readonly RegisteredService[]>;
  /** fetch at `path` below the service's URL, at that URL itself where it is empty: with one retry on another instance, and a deadline. */
  serviceFetch(name: string, path: string, init?: ServiceFetchInit): Promise<Response>;
  /** Unregisters what was registered, and lets go of the registry. */
  close(): Promise<void>;
}

const LIST_DEADLINE_MS = 5_000;

export function createClient(options: ClientOptions = {}): Client {
  const settings = settingsOf(options);
  const calls = new RegistryCalls(settings, nodeTransport() ?? fetchTransport());
  const directory = new Directory(calls);
  /** Each with the way to be forgotten when the process ends. */
  const registrations = new Map<Registration, () => void>();
  let lastList: readonly RegisteredService[] | undefined;

  async function registerService(
    name: string,
    url: string,
    metadata: Metadata = {},
    more: RegistrationOptions = {},
  ): Promise<boolean> {
    const registrant = { ...more, name, url, metadata };
    let registration = [...registrations.keys()].find((each) => each.isOf(name, url));
    if (!registration) {
      registration = new Registration(calls, registrant);
      registrations.set(registration, onExit(registration));
    }
    return registration.register(registrant);
  }

  async function leave(leaving: readonly Registration[]): Promise<boolean> {
    const results = leaving.map(async (registration) => {
      const isGone = await registration.leave();
      registrations.get(registration)?.();
      registrations.delete(registration);
      return isGone;
    });
    return (await Promise.all(results)).every((isGone) => isGone);
  }

  const resolved = (name: string, known: Known): Resolution | undefined => {
    const { instances } = known.rotation;
    const chosen = known.rotation.next();
    const stale = known.isMissing || !directory.isLive;
    return chosen && { name, url: chosen.url, source: "REGISTRY", stale, healthy: chosen.healthy, instances };
  };

  async function resolveService(name: string): Promise<Resolution> {
    const known = directory.find(name) ?? (await directory.lookUp(name));
    const registered = known && resolved(name, known);
    if (registered) return registered;
    const fallback = fallbackOf(name, settings.localDefaults);
    if (fallback) return { name, ...fallback, stale: false, healthy: null, instances: [] };
    const late = await directory.confirm(name);
    const found = late && resolved(name, late);
    if (found) return found;
    const { why } = directory;
    const registry = why ? `the registry at ${calls.url} is away (${why})` : `not registered at ${calls.url}`;
    throw new DiscoveryError(
      "SERVICE_NOT_FOUND",
      `${name}: ${registry}, ${variableOf(name)} is not set, and there is no local default.`,
    );
  }

  return {
    registerService,
    unregisterService: (name) => leave([...registrations.keys()].filter((each) => each.name === name)),
    async getServiceUrl(name) {
      const url = directory.find(name)?.rotation.next()?.url;
      return url ?? (await resolveService(name)).url;
    },
    resolveService,
    async listServices() {
      try {
        const manner = { deadlineMs: LIST_DEADLINE_MS, attended: true };
        const answer = await calls.read("/services", manner);
        if (answer.status !== 200) throw new Error(refusalOf(answer));
        lastList = (JSON.parse(answer.text) as { services: readonly RegisteredService[] }).services;
        return lastList;
      } catch (cause) {
        if (lastList) return lastList;
        const message = `the registry at ${calls.url} cannot be read: ${failureOf(cause)}`;
        throw new DiscoveryError("REGISTRY_UNAVAILABLE", message, { cause });
      }
    },
    serviceFetch: (name, path, init = {}) =>
      serviceFetch(
        async () => (await resolveService(name)).url,
        (url) => directory.find(name)?.rotation.other(url)?.url,
        path,
        init,
      ),
    async close() {
      await leave([...registrations.keys()]);
      directory.close();
    },
  };
}
