/** Where an embedded database is. Knows the form of its URL; opens nothing. */

/** The file's path of an embedded database, or undefined for a remote one. */
export function embeddedPath(url: string): string | undefined {
  return url.startsWith("file:")
    ? decodeURIComponent(url.replace(/^file:(\/\/)?/, "").split("?")[0] ?? "")
    : undefined;
}
