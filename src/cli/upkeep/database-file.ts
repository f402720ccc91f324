/**
 * An embedded database that no server has open: whether it is one of bobbin's and whole, and copies of it.
 * Knows files and SQLite; nothing of what is kept.
 */
import { Database } from "bun:sqlite";
import { constants, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import { migrationsFolder } from "../../registry/migrations-folder.ts";

/** What is in a file, or in words why it cannot be used. */
export type Inspected =
  | { readonly services: number; readonly bytes: number }
  | { readonly problem: string; readonly kind: "MISSING" | "LOCKED" | "BROKEN" | "FOREIGN" };

/** Reads all of it. */
export async function inspect(path: string): Promise<Inspected> {
  const file = await stat(path).catch(() => undefined);
  if (!file?.isFile()) return { problem: `there is no file ${path}`, kind: "MISSING" };
  const known = await migrations();
  try {
    using database = new Database(path, { readonly: true });
    const check = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
    const found = check?.integrity_check ?? "no answer";
    if (found !== "ok") return { problem: `${path} is damaged: ${found}`, kind: "BROKEN" };
    return ownContent(database, path, known) ?? { services: count(database), bytes: file.size };
  } catch (error) {
    if (isBusy(error)) return { problem: `a running bobbin has ${path} open`, kind: "LOCKED" };
    return { problem: `${path} is no usable database: ${messageOf(error)}`, kind: "BROKEN" };
  }
}

/** A file as this or an earlier version writes it; or why it is none. */
function ownContent(database: Database, path: string, known: ReadonlySet<number>): Inspected | undefined {
  const names = database.query<{ name: string }, []>("SELECT name FROM sqlite_schema").all();
  const tables = new Set(names.map(({ name }) => name));
  if (!tables.has("service_registry") || !tables.has("__drizzle_migrations"))
    return { problem: `${path} is a database, but not of bobbin`, kind: "FOREIGN" };
  const applied = database
    .query<{ created_at: number }, []>("SELECT created_at FROM __drizzle_migrations")
    .all();
  if (applied.length > 0 && applied.every(({ created_at }) => known.has(Number(created_at))))
    return undefined;
  return {
    problem: `${path} was written by another version, that this bobbin does not know`,
    kind: "FOREIGN",
  };
}

/** When each version of the tables was made that this bobbin knows. */
async function migrations(): Promise<ReadonlySet<number>> {
  const journal = await readFile(join(migrationsFolder(), "meta/_journal.json"), "utf8");
  const { entries } = JSON.parse(journal) as { entries: { when: number }[] };
  return new Set(entries.map(({ when }) => when));
}

function count(database: Database): number {
  const sql = "SELECT count(*) AS n FROM service_registry WHERE source = 'REMOTE'";
  return database.query<{ n: number }, []>(sql).get()?.n ?? 0;
}

export function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith("SQLITE_BUSY");
}

/** Writes a whole copy to a new file; what is in a write-ahead log beside it is in the copy. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  using database = new Database(from, { readonly: true });
  database.query("VACUUM INTO ?").run(to);
}

/** Returns when the file, or the folder's list of files, is on the disk. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
