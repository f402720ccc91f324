/**
 * The one client that the whole program shares, made when it is needed first, so that the environment may be set by
 * then. Knows nothing of how a client works.
 */
import { type Client, createClient } from "./client.ts";
import type { ClientOptions } from "./settings.ts";

let options: ClientOptions = {};
let client: Client | undefined;

export function defaultClient(): Client {
  client ??= createClient(options);
  return client;
}

/** Sets what the shared client is made with; before its first use, later is too late and throws. */
export function configure(given: ClientOptions): void {
  if (client) throw new Error("configure has to be called before the first other function of bobbin/client");
  options = given;
}

export const registerService: Client["registerService"] = (...given) =>
  defaultClient().registerService(...given);
export const unregisterService: Client["unregisterService"] = (name) =>
  defaultClient().unregisterService(name);
export const getServiceUrl: Client["getServiceUrl"] = (name) => defaultClient().getServiceUrl(name);
export const resolveService: Client["resolveService"] = (name) => defaultClient().resolveService(name);
export const listServices: Client["listServices"] = () => defaultClient().listServices();
export const serviceFetch: Client["serviceFetch"] = (...given) => defaultClient().serviceFetch(...given);
