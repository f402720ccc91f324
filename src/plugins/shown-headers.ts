/**
 * The headers of a request as a plugin sees them. Knows headers; not where the request came in.
 */

/** Several plugins, or one several times, may be asked for the sake of one request. */
const shown = new WeakMap<Request, Readonly<Record<string, string>>>();
const NONE: Readonly<Record<string, string>> = {};

/** The client's headers, without a token that opens the registry in any of them. */
export function shownHeaders(
  request: Request | undefined,
  writeToken: string | undefined,
): Readonly<Record<string, string>> {
  if (!request) return NONE;
  let headers = shown.get(request);
  if (!headers) {
    const all = [...request.headers];
    headers = Object.fromEntries(writeToken ? all.filter(([, value]) => !value.includes(writeToken)) : all);
    shown.set(request, headers);
  }
  return headers;
}
