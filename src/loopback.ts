/**
 * Which hosts are this machine itself and nobody else's. Knows names and addresses; resolves nothing.
 */

/** Whether a host name or address, as in a URL or a Host header without its port, is a loopback one. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare)
  );
}
