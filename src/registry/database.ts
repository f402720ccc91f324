/**
 * The registry's durable form: opens libSQL, migrates it, loads every service, commits changes.
 * Knows rows and services, and nothing of what a change means.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Client, InStatement, InValue } from "@libsql/client";
import { createClient } from "@libsql/client/sqlite3";
import { and, asc, eq, inArray } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import { BobbinError, messageOf } from "../errors.ts";
import { embeddedPath } from "./embedded-path.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { toInstanceRows, toRow, toServices } from "./rows.ts";
import { goneOrigins, type Instance, type Service } from "./service.ts";
import * as tables from "./tables.ts";
import { Upsert } from "./upsert.ts";

export interface DatabaseOptions {
  url: string;
  authToken: string | undefined;
}

/** What one commit writes: services as they now are, and the names of those that are gone. */
export interface Change {
  readonly put: readonly Service[];
  readonly removed: readonly string[];
  readonly revision: number;
}

/** How long a statement to a remote database may take. */
const DEADLINE_MS = 3_000;

const SERVICES = new Upsert(tables.services, "name");
const INSTANCES = new Upsert(tables.instances, "service", "origin");
/** It never falls, whatever another process wrote. */
const REVISION = `INSERT INTO registry_state (id, revision) VALUES (1, ?)
  ON CONFLICT (id) DO UPDATE SET revision = max(revision, excluded.revision)`;

export class Database implements AsyncDisposable {
  readonly #client: Client;
  readonly #db: LibSQLDatabase;
  /** Of an embedded database. */
  readonly #path: string | undefined;
  /** Which file is open under the path. */
  #file: string | undefined;
  /** The instances of each service as they were written last: only those that differ are written again. */
  readonly #written = new Map<string, readonly Instance[]>();
  /** Services of which a commit failed: whatever is there of their instances gives way to the next one. */
  readonly #doubtful = new Set<string>();

  private constructor(client: Client, path: string | undefined) {
    this.#client = client;
    this.#db = drizzle({ client });
    this.#path = path;
  }

  /** Opens and migrates. Throws when the database cannot be reached, is in use or is damaged. */
  static async open({ url, authToken }: DatabaseOptions): Promise<Database> {
    const path = embeddedPath(url);
    if (path) await mkdir(dirname(path), { recursive: true });
    // The protocols of remote databases are loaded for those only.
    const clientOf = path ? createClient : (await import("@libsql/client")).createClient;
    const client = clientOf({
      url,
      ...(authToken ? { authToken } : {}),
      // One connection: the PRAGMAs below hold for it alone, and a second one could never get the exclusive lock.
      concurrency: 1,
      // Waiting for the lock of a file would stop this thread: the registry tries again later instead.
      timeout: 0,
      fetch: fetchWithDeadline,
    });
    const database = new Database(client, path);
    try {
      if (path) await lockForThisProcess(client);
      await migrate(database.#db, { migrationsFolder: migrationsFolder() });
      if (path) database.#file = await fileAt(path);
      return database;
    } catch (error) {
      // What went wrong is told; that letting go fails as well says nothing new.
      await database[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
  }

  /** Every service and the revision, as last committed. */
  async load(): Promise<{ services: readonly Service[]; revision: number }> {
    const [serviceRows, instanceRows, stateRows] = await this.#db.batch([
      this.#db.select().from(tables.services).orderBy(asc(tables.services.createdRevision)),
      this.#db.select().from(tables.instances).orderBy(asc(tables.instances.position)),
      this.#db.select().from(tables.state),
    ]);
    const services = toServices(serviceRows, instanceRows);
    for (const { name, instances } of services) this.#written.set(name, instances);
    return { services, revision: stateRows[0]?.revision ?? 0 };
  }

  /** Writes one change whole or not at all; durable when it returns. */
  async commit({ put, removed, revision }: Change): Promise<void> {
    await this.#checkFile();
    try {
      await this.#client.batch([
        { sql: REVISION, args: [revision] },
        ...this.#removals(put, removed),
        ...this.#rows(put),
      ]);
    } catch (error) {
      for (const name of [...removed, ...put.map((service) => service.name)]) this.#doubtful.add(name);
      throw error;
    }
    for (const name of removed) this.#written.delete(name);
    for (const { name, instances } of put) this.#written.set(name, instances);
    // What a commit failed on is part of the next one.
    this.#doubtful.clear();
  }

  /** Writes a copy of an embedded database, as it was committed last, to a file that is not there yet. */
  async copyTo(path: string): Promise<void> {
    await this.#client.execute({ sql: "VACUUM INTO ?", args: [path] });
  }

  *#removals(put: readonly Service[], removed: readonly string[]): Generator<InStatement> {
    const { services, instances } = tables;
    const doubtful = put.map(({ name }) => name).filter((name) => this.#doubtful.has(name));
    for (const names of chunks([...removed, ...doubtful])) {
      yield statement(this.#db.delete(instances).where(inArray(instances.service, names)));
    }
    for (const names of chunks(removed)) {
      yield statement(this.#db.delete(services).where(inArray(services.name, names)));
    }
    for (const service of put) {
      for (const origins of chunks(goneOrigins(this.#writtenOf(service), service.instances))) {
        const gone = and(eq(instances.service, service.name), inArray(instances.origin, origins));
        yield statement(this.#db.delete(instances).where(gone));
      }
    }
  }

  *#rows(put: readonly Service[]): Generator<InStatement> {
    yield* SERVICES.statements(put.map(toRow));
    yield* INSTANCES.statements(put.flatMap((service) => toInstanceRows(service, this.#writtenOf(service))));
  }

  #writtenOf({ name }: Service): readonly Instance[] {
    return this.#doubtful.has(name) ? [] : (this.#written.get(name) ?? []);
  }

  /** A file that was deleted or replaced still takes what is written, and nobody ever finds it again. */
  async #checkFile(): Promise<void> {
    if (this.#path === undefined || (await fileAt(this.#path)) === this.#file) return;
    throw new BobbinError(
      "REGISTRY_UNAVAILABLE",
      "Nothing was written: the database's file was deleted or replaced while it was open; start bobbin again.",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#path !== undefined) await unlock(this.#client);
    } finally {
      this.#client.close();
    }
  }
}

/** Why a database cannot be had, in words: the first cause, which drizzle hides behind the query that failed. */
export function reasonOf(error: unknown): string {
  let first = error;
  while (first instanceof Error && first.cause !== undefined) first = first.cause;
  const { code } = (first ?? {}) as { code?: unknown };
  if (typeof code === "string" && code.startsWith("SQLITE_BUSY"))
    return "another bobbin has this database open";
  return messageOf(first);
}

/** Tells one file from another that has its path later; undefined where there is none. */
async function fileAt(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * An embedded file has one writer with an in-memory read model, so a second process must not open it: the exclusive
 * lock is the kernel's and is gone with the process, however that ends. `synchronous=FULL` makes a commit survive
 * the loss of power.
 */
async function lockForThisProcess(client: Client): Promise<void> {
  await client.execute("PRAGMA locking_mode=EXCLUSIVE");
  await client.execute("PRAGMA journal_mode=WAL");
  await client.execute("PRAGMA synchronous=FULL");
}

/**
 * Lets go of the file: closing alone would keep the lock until the garbage collector has met every statement. The lock
 * cannot be given back in WAL mode; leaving that writes everything into the one file.
 */
async function unlock(client: Client): Promise<void> {
  await client.execute("PRAGMA journal_mode=DELETE");
  await client.execute("PRAGMA locking_mode=NORMAL");
  // The lock is given back by the next use of the file.
  await client.execute("SELECT count(*) FROM sqlite_schema");
}

const fetchWithDeadline = (request: Request): Promise<Response> =>
  fetch(request, { signal: AbortSignal.timeout(DEADLINE_MS) });

function statement(query: { toSQL(): { sql: string; params: unknown[] } }): InStatement {
  const { sql, params } = query.toSQL();
  return { sql, args: params as InValue[] };
}

/** Names for one statement each: a statement has at most 32,766 parameters. */
const NAMES_PER_STATEMENT = 1_000;

function* chunks(names: readonly string[]): Generator<string[]> {
  for (let start = 0; start < names.length; start += NAMES_PER_STATEMENT) {
    yield names.slice(start, start + NAMES_PER_STATEMENT);
  }
}
