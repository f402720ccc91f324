/**
 * The library that composes federated services: loaded when the first of them comes, for it takes ten milliseconds of
 * every start and seven megabytes. Knows nothing of services.
 */
type Library = typeof import("@theguild/federation-composition");

export const federationLibrary = (): Library => require("@theguild/federation-composition");
