/**
 * `bobbin restore`: puts a backup in the place of the database, which is kept beside it.
 * Knows the order of the steps: until the last one, nothing is different.
 */
import { Database } from "bun:sqlite";
import { link, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { messageOf } from "../../errors.ts";
import { readSettings } from "../settings.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { servicesIn } from "./backup.ts";
import { pathOf } from "./checked-copy.ts";
import { copyDatabase, inspect, isBusy, sync } from "./database-file.ts";

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function restore(
  file: string,
  flags: { readonly databaseUrl?: string },
  { env }: Terminal,
): Promise<Outcome> {
  const path = pathOf(readSettings(["databaseUrl"], flags, env).databaseUrl);
  const found = await inspect(file);
  if ("problem" in found) return failed(`Nothing was restored: ${found.problem}.`);
  const fresh = `${path}.restoring`;
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await copyDatabase(file, fresh);
    const copied = await inspect(fresh);
    if ("problem" in copied) return failed(`Nothing was restored: the copy, ${copied.problem}.`);
    await sync(fresh);
    const lock = lockOf(path, await isThere(path));
    if (lock === "LOCKED")
      return failed(`Nothing was restored: a running bobbin has ${path} open; end it first.`);
    const kept = await keep(path);
    await rename(fresh, path);
    // Whoever waits for the lock opens the file that is there now.
    lock?.close();
    await sync(dirname(resolve(path)));
    const before = kept ? [`what was there before is ${kept}`] : [];
    return done(`restored ${servicesIn(found)} from ${file} to ${path}`, ...before);
  } catch (error) {
    return failed(`Nothing was restored to ${path}: ${messageOf(error)}`);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Keeps every bobbin out, and leaves all of the database in its one file. Undefined where there is nothing to lock. */
function lockOf(path: string, exists: boolean): Database | "LOCKED" | undefined {
  if (!exists) return undefined;
  const database = new Database(path, { readwrite: true, create: false });
  try {
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("PRAGMA journal_mode = DELETE");
    database.run("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return "LOCKED";
    // It is damaged: which is why something is restored.
    return undefined;
  }
}

/** Gives what is there another name, beside its own where the system can; the new file then takes its place at once. */
async function keep(path: string): Promise<string | undefined> {
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  const kept = `${path}.before-restore-${stamp}`;
  // A log that was left behind belongs to the old file: beside the new one it would be taken for its own.
  for (const suffix of ["-wal", "-shm", "-journal"])
    if (await isThere(path + suffix)) await rename(path + suffix, kept + suffix);
  if (!(await isThere(path))) return undefined;
  await link(path, kept).catch(() => rename(path, kept));
  return kept;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
