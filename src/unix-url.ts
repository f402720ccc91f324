/**
 * The URLs of services that listen on a unix socket, `http+unix://%2Frun%2Fbobbin%2Fproducts.sock/graphql`: the host is
 * the socket's path, percent-encoded. Knows how they are written and how they are called; not which of them may be.
 */

const PROTOCOL = "http+unix:";
/** Absolute, without detours, and of characters that need no escape anywhere: one socket has one spelling. */
export const SOCKET_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.@+~-]+)+$/;
/** What the system has room for. */
const MOST_BYTES = 107;
/** The name that a service at a socket is called by. */
const HOST = "localhost";

/** The path of the socket that the URL leads to; null: it should, and names none; undefined: it leads to none. */
export function socketOf(url: string): string | null | undefined {
  if (!/^http\+unix:/i.test(url)) return undefined;
  const parsed = URL.parse(url);
  if (parsed?.protocol !== PROTOCOL || parsed.port || parsed.username || parsed.password) return null;
  try {
    const path = decodeURIComponent(parsed.hostname);
    return SOCKET_PATH.test(path) && Buffer.byteLength(path) <= MOST_BYTES ? path : null;
  } catch {
    return null;
  }
}

/** Scheme, host and port, or the socket: equal for URLs that lead to the same listener. */
export function originOf(url: string): string {
  const socket = socketOf(url);
  return socket ? `${PROTOCOL}//${encodeURIComponent(socket)}` : new URL(url).origin;
}

/** What HTTP is spoken to: the URL as the service sees it, and the socket, where it is at one. */
export function httpPlace(url: string): { readonly url: string; readonly unix?: string } {
  const unix = socketOf(url);
  if (!unix) return { url };
  const { pathname, search } = new URL(url);
  return { url: `http://${HOST}${pathname || "/"}${search}`, unix };
}
