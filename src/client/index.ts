/**
 * What `bobbin/client` exports. Knows names only.
 */
export { type Client, createClient, type Resolution } from "./client.ts";
export {
  configure,
  getServiceUrl,
  listServices,
  registerService,
  resolveService,
  serviceFetch,
  unregisterService,
} from "./default-client.ts";
export { DiscoveryError, type DiscoveryErrorCode } from "./errors.ts";
export { joinApollo } from "./join/apollo.ts";
export { joinElysia } from "./join/elysia.ts";
export { joinFastify } from "./join/fastify.ts";
export { joinHttp } from "./join/http.ts";
export type { Joining } from "./join/join.ts";
export { joinYoga } from "./join/yoga.ts";
export type { Metadata, RegistrationOptions } from "./registration.ts";
export type { RegisteredInstance, RegisteredService } from "./registry-calls.ts";
export type { ServiceFetchInit } from "./service-fetch.ts";
export type { ClientOptions } from "./settings.ts";
