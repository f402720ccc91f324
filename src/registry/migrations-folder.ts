/**
 * Where the migrations are: a folder beside the module inside the compiled binary, above it in the source tree.
 * Knows nothing of what is in it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

export function migrationsFolder(): string {
  const candidates = ["drizzle", "../drizzle", "../../drizzle"].map((path) => join(import.meta.dir, path));
  const found = candidates.find((path) => existsSync(join(path, "meta/_journal.json")));
  if (!found) throw new Error(`the migrations are missing; looked in ${candidates.join(", ")}`);
  return found;
}
