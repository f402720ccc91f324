/**
 * What the client throws. Knows codes and words.
 */

/** SERVICE_NOT_FOUND: nobody knows the service. REGISTRY_UNAVAILABLE: whoever would know it cannot be asked. */
export type DiscoveryErrorCode = "SERVICE_NOT_FOUND" | "REGISTRY_UNAVAILABLE";

export class DiscoveryError extends Error {
  override readonly name = "DiscoveryError";
  readonly code: DiscoveryErrorCode;

  constructor(code: DiscoveryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
