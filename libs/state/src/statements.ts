import type { DatabaseSync, SQLInputValue, StatementResultingChanges } from 'node:sqlite';

/** A column value as node:sqlite gives it. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** A row, when the caller does not say more. */
export type SqlRow = Record<string, SqlValue>;

/** A prepared statement whose failures are the store's errors. `Row` is the caller's word. */
export interface Statement<Row = SqlRow> {
  run(...parameters: SQLInputValue[]): StatementResultingChanges;
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
}

/** Runs a piece of work on the database and turns its errors into the store's. */
export type Guard = <T>(work: () => T) => T;

/** Gives statements that are prepared once per text, for the life of the database. */
export function createStatementCache(
  db: DatabaseSync,
  guard: Guard,
): <Row = SqlRow>(sql: string) => Statement<Row> {
  const cache = new Map<string, Statement<unknown>>();
  return <Row>(sql: string): Statement<Row> => {
    let statement = cache.get(sql);
    if (!statement) {
      const prepared = guard(() => db.prepare(sql));
      statement = {
        run: (...parameters) => guard(() => prepared.run(...parameters)),
        get: (...parameters) => guard(() => prepared.get(...parameters)),
        all: (...parameters) => guard(() => prepared.all(...parameters)),
      };
      cache.set(sql, statement);
    }
    return statement as Statement<Row>;
  };
}
