/**
 * Whether files are still what they were, told without reading them.
 * Knows what the file system tells of a file; nothing of who asks.
 */
import { statSync } from "node:fs";

/**
 * A text that is another one once any of the files was changed, replaced, removed or made, or once a link leads
 * elsewhere. Takes a few microseconds per file, and blocks meanwhile: what it tells holds for one moment.
 */
export function fingerprint(files: readonly string[]): string {
  return files.map(markOf).join();
}

function markOf(file: string): string {
  try {
    const found = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (!found) return "missing";
    // The time of change besides that of modification: it cannot be set back, and tells when a file became readable.
    return `${found.mtimeNs}.${found.ctimeNs}.${found.size}.${found.ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
