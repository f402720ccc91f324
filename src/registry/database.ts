/**
 * The registry's durable form: opens libSQL, migrates it, loads every service, commits changes.
 * Knows rows and services, and nothing of what a change means.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { asc, getTableColumns, inArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle, type LibSQLDatabase } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";
import { BobbinError, messageOf } from "../errors.ts";
import { migrationsFolder } from "./migrations-folder.ts";
import { type Instance, leadingInstance, type Service } from "./service.ts";
import * as tables from "./tables.ts";

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

export class Database implements AsyncDisposable {
  readonly #client: Client;
  readonly #db: LibSQLDatabase;
  /** Of an embedded database. */
  readonly #path: string | undefined;
  /** Which file is open under the path. */
  #file: string | undefined;

  private constructor(client: Client, path: string | undefined) {
    this.#client = client;
    this.#db = drizzle({ client });
    this.#path = path;
  }

  /** Opens and migrates. Throws when the database cannot be reached, is in use or is damaged. */
  static async open({ url, authToken }: DatabaseOptions): Promise<Database> {
    const path = embeddedPath(url);
    if (path) await mkdir(dirname(path), { recursive: true });
    const client = createClient({
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
  async load(): Promise<{ services: Service[]; revision: number }> {
    const [serviceRows, instanceRows, stateRows] = await this.#db.batch([
      this.#db.select().from(tables.services).orderBy(asc(tables.services.createdRevision)),
      this.#db.select().from(tables.instances).orderBy(asc(tables.instances.position)),
      this.#db.select().from(tables.state),
    ]);
    const instancesOf = Map.groupBy(instanceRows, (row) => row.service);
    const services = serviceRows.map((row) =>
      toService(row, (instancesOf.get(row.name) ?? []).map(toInstance)),
    );
    return { services, revision: stateRows[0]?.revision ?? 0 };
  }

  /** Writes one change whole or not at all; durable when it returns. */
  async commit({ put, removed, revision }: Change): Promise<void> {
    await this.#checkFile();
    const db = this.#db;
    const statements: BatchItem<"sqlite">[] = [];
    const gone = [...removed, ...put.map(({ name }) => name)];
    for (const names of chunks(gone)) {
      statements.push(db.delete(tables.instances).where(inArray(tables.instances.service, names)));
    }
    for (const names of chunks(removed)) {
      statements.push(db.delete(tables.services).where(inArray(tables.services.name, names)));
    }
    for (const rows of chunks(put.map(toRow))) {
      const { name: target } = tables.services;
      statements.push(
        db.insert(tables.services).values(rows).onConflictDoUpdate({ target, set: AS_INSERTED }),
      );
    }
    for (const rows of chunks(put.flatMap(toInstanceRows))) {
      statements.push(db.insert(tables.instances).values(rows));
    }
    await db.batch([
      db
        .insert(tables.state)
        .values({ id: 1, revision })
        .onConflictDoUpdate({
          target: tables.state.id,
          set: { revision: sql`max(${tables.state.revision}, ${revision})` },
        }),
      ...statements,
    ]);
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

/** The file's path of an embedded database, or undefined for a remote one. */
export function embeddedPath(url: string): string | undefined {
  return url.startsWith("file:")
    ? decodeURIComponent(url.replace(/^file:(\/\/)?/, "").split("?")[0] ?? "")
    : undefined;
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

type ServiceRow = typeof tables.services.$inferSelect;
type InstanceRow = typeof tables.instances.$inferSelect;

function toService({ url: _url, schemaState, ...row }: ServiceRow, instances: Instance[]): Service {
  return { ...row, schema: schemaState, instances };
}

function toInstance({
  service: _service,
  position: _position,
  revision: _revision,
  ...instance
}: InstanceRow): Instance {
  return instance;
}

function toRow({ schema, instances: _instances, ...service }: Service): ServiceRow {
  const leading = leadingInstance({ ...service, schema, instances: _instances });
  return {
    ...service,
    schemaState: schema,
    url: leading.url,
    lastHealthCheck: leading.lastHealthCheck,
    metadata: { ...service.metadata },
    dependencies: [...service.dependencies],
    tags: [...service.tags],
  };
}

function toInstanceRows(service: Service): InstanceRow[] {
  const { name, revision } = service;
  return service.instances.map((instance, position) => ({ ...instance, service: name, position, revision }));
}

/** Every column of a service as the insert that met it has it. */
const AS_INSERTED = Object.fromEntries(
  Object.entries(getTableColumns(tables.services)).map(([key, { name }]) => [
    key,
    sql.raw(`excluded.${name}`),
  ]),
);

/** Rows or names for one statement each: a statement has at most 32,766 parameters. */
const ROWS_PER_STATEMENT = 1_000;

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += ROWS_PER_STATEMENT) {
    yield items.slice(start, start + ROWS_PER_STATEMENT);
  }
}
