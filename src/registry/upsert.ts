/**
 * Many rows of one table in one statement. Building a statement with drizzle costs more than carrying it out, so the
 * text is made once, but for the number of rows. Knows a table's columns; not what is in them.
 */
import type { InStatement, InValue } from "@libsql/client";
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** A statement has at most 32,766 parameters. */
const ROWS_PER_STATEMENT = 1_000;

export class Upsert<Table extends SQLiteTable> {
  readonly #columns: readonly [key: string, column: SQLiteColumn][];
  readonly #begin: string;
  readonly #places: string;
  readonly #end: string;

  /** `key`: the columns by which a row is known; the others are replaced where it is there. */
  constructor(table: Table, ...key: (keyof Table["$inferInsert"] & string)[]) {
    this.#columns = Object.entries(getTableColumns(table));
    const names = this.#columns.map(([, { name }]) => name);
    const isKey = new Set<string>(key);
    const [same, replaced] = [true, false].map((isSame) =>
      this.#columns.filter(([field]) => isKey.has(field) === isSame).map(([, { name }]) => name),
    ) as [string[], string[]];
    this.#begin = `INSERT INTO ${getTableName(table)} (${names.join()}) VALUES `;
    this.#places = `(${names.map(() => "?").join()})`;
    const assignments = replaced.map((name) => `${name} = excluded.${name}`);
    this.#end = ` ON CONFLICT (${same.join()}) DO UPDATE SET ${assignments.join()}`;
  }

  /** Statements that put the rows there, none where there are none. */
  *statements(rows: readonly Table["$inferSelect"][]): Generator<InStatement> {
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      const some = rows.slice(start, start + ROWS_PER_STATEMENT);
      const places = Array.from(some, () => this.#places).join();
      yield { sql: this.#begin + places + this.#end, args: some.flatMap((row) => this.#values(row)) };
    }
  }

  #values(row: Record<string, unknown>): InValue[] {
    return this.#columns.map(([key, column]) => {
      const value = row[key] ?? null;
      return value === null ? null : (column.mapToDriverValue(value) as InValue);
    });
  }
}
