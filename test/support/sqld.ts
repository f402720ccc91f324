/**
 * A remote libSQL server for tests: Hrana over HTTP (versions 2 and 3, JSON) in front of bun:sqlite, as far as
 * libSQL's client uses it. A double: it checks the token, can be stopped, and can fall silent.
 */
import { Database, type SQLQueryBindings } from "bun:sqlite";

export interface Sqld extends AsyncDisposable {
  readonly url: string;
  /** Stops listening, or listens again on the same port; what was written stays. */
  stop(): Promise<void>;
  start(): void;
  /** From now on requests are taken but not answered; false: they are answered again. */
  silence(silent: boolean): void;
  /** What a statement reads, past the network. */
  read(sql: string): Record<string, unknown>[];
}

type Value =
  | { type: "null" }
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };
type Statement = { sql?: string; sql_id?: number; args?: Value[] };
type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };
type Step = { stmt: Statement; condition?: Condition };
type StreamRequest = {
  type: string;
  stmt: Statement;
  batch: { steps: Step[] };
  sql?: string;
  sql_id: number;
};
/** A client's connection from its first request to its close; `baton` is its name. */
type Stream = { db: Database; texts: Map<number, string> };

const toHrana = (value: unknown): Value => {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: String(value) };
  if (typeof value === "number") return { type: "float", value };
  if (value instanceof Uint8Array) return { type: "blob", base64: Buffer.from(value).toString("base64") };
  return { type: "text", value: String(value) };
};

const fromHrana = (value: Value): SQLQueryBindings => {
  if (value.type === "null") return null;
  if (value.type === "integer") return BigInt(value.value);
  return value.type === "blob" ? Buffer.from(value.base64, "base64") : value.value;
};

function execute({ db, texts }: Stream, { sql, sql_id, args = [] }: Statement) {
  using statement = db.prepare(sql ?? texts.get(sql_id ?? -1) ?? "");
  const bindings = args.map(fromHrana);
  const cols = statement.columnNames.map((name) => ({ name }));
  if (cols.length > 0) {
    const rows = statement.values(...bindings).map((row) => row.map(toHrana));
    return { cols, rows, affected_row_count: 0 };
  }
  const { changes, lastInsertRowid } = statement.run(...bindings);
  return { cols, rows: [], affected_row_count: changes, last_insert_rowid: String(lastInsertRowid) };
}

function runBatch(stream: Stream, steps: readonly Step[]) {
  const step_results: unknown[] = [];
  const step_errors: unknown[] = [];
  const holds = (condition: Condition): boolean => {
    if (condition.type === "ok") return step_results[condition.step] != null;
    if (condition.type === "error") return step_errors[condition.step] != null;
    if (condition.type === "not") return !holds(condition.cond);
    if (condition.type === "and") return condition.conds.every(holds);
    if (condition.type === "or") return condition.conds.some(holds);
    return !stream.db.inTransaction;
  };
  for (const { stmt, condition } of steps) {
    let result: unknown = null;
    let error: unknown = null;
    try {
      if (!condition || holds(condition)) result = execute(stream, stmt);
    } catch (thrown) {
      error = toError(thrown);
    }
    step_results.push(result);
    step_errors.push(error);
  }
  return { step_results, step_errors };
}

function toError(thrown: unknown) {
  const { message, code } = thrown as Error & { code?: string };
  return { message, code: code ?? "SQLITE_ERROR" };
}

function answer(stream: Stream, request: StreamRequest): object {
  const { type } = request;
  if (type === "execute") return { type, result: execute(stream, request.stmt) };
  if (type === "batch") return { type, result: runBatch(stream, request.batch.steps) };
  if (type === "sequence") stream.db.run(request.sql ?? stream.texts.get(request.sql_id) ?? "");
  if (type === "store_sql") stream.texts.set(request.sql_id, request.sql ?? "");
  if (type === "close_sql") stream.texts.delete(request.sql_id);
  return type === "get_autocommit" ? { type, is_autocommit: !stream.db.inTransaction } : { type };
}

/** A server whose database is the file `path`; requests without `token` are refused. */
export function startSqld(path: string, token: string): Sqld {
  const streams = new Map<string, Stream>();
  let silent = false;

  function pipeline({ baton, requests }: { baton?: string; requests: StreamRequest[] }) {
    const known = baton === undefined ? undefined : streams.get(baton);
    const stream = known ?? { db: new Database(path, { safeIntegers: true }), texts: new Map() };
    if (!known) stream.db.run("PRAGMA busy_timeout = 2000");
    const results = requests.map((request) => {
      try {
        return { type: "ok", response: answer(stream, request) };
      } catch (thrown) {
        return { type: "error", error: toError(thrown) };
      }
    });
    if (baton !== undefined) streams.delete(baton);
    if (requests.some(({ type }) => type === "close")) {
      stream.db.close();
      return { baton: null, base_url: null, results };
    }
    const next = crypto.randomUUID();
    streams.set(next, stream);
    return { baton: next, base_url: null, results };
  }

  const listen = (port: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: 60,
      async fetch(request) {
        if (silent) return new Promise<Response>(() => {});
        if (request.headers.get("authorization") !== `Bearer ${token}`)
          return Response.json({ error: "unauthorized" }, { status: 401 });
        const { pathname } = new URL(request.url);
        if (/^\/v[23]\/?$/.test(pathname)) return new Response();
        if (!/^\/v[23]\/pipeline$/.test(pathname)) return new Response(null, { status: 404 });
        return Response.json(pipeline((await request.json()) as Parameters<typeof pipeline>[0]));
      },
    });
  let server: ReturnType<typeof listen> | undefined = listen(0);
  const port = server.port as number;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await server?.stop(true);
      server = undefined;
    },
    start() {
      server ??= listen(port);
    },
    silence: (next) => {
      silent = next;
    },
    read(sql) {
      using db = new Database(path);
      return db.query(sql).all() as Record<string, unknown>[];
    },
    async [Symbol.asyncDispose]() {
      await server?.stop(true);
      for (const { db } of streams.values()) db.close();
    },
  };
}
