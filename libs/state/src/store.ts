import type { DatabaseSync } from 'node:sqlite';
import type { Intents } from './intents.js';
import type { Outbox } from './outbox.js';
import type { SqlRow, Statement } from './statements.js';

/** How a transaction is committed. */
export interface TransactionOptions {
  /**
   * True (the default): on disk before `transaction` returns. False: on disk with the next durable
   * one; for bookkeeping whose loss in a power cut only means doing something again.
   */
  durable?: boolean;
}

/** The durable state of one service: one SQLite file, one writer. All calls are synchronous. */
export interface Store {
  /** Name of the service that the file belongs to. */
  readonly role: string;
  /** The database itself, for what the methods below do not offer. Its errors are SQLite's own. */
  readonly db: DatabaseSync;
  readonly intents: Intents;
  readonly outbox: Outbox;
  /**
   * Runs `fn` in a transaction and gives its result; all of it happens or nothing. Inside another
   * one it is a savepoint. `fn` must be synchronous.
   * @throws STORAGE_FULL no space; nothing was changed, deleting still works
   * @throws STORAGE_FAILED the disk reports errors; the store refuses all work from now on
   */
  transaction: <T>(fn: () => T, options?: TransactionOptions) => T;
  /** Gives the statement of this text, prepared once. */
  prepare: <Row = SqlRow>(sql: string) => Statement<Row>;
  /** Brings the tables of a component up to date; see `migrate`. */
  migrate: (component: string, migrations: readonly string[]) => void;
  /** Calls back once after the outermost commit; not at all if it is rolled back. */
  afterCommit: (listener: () => void) => void;
  /** Tells whether a transaction is open. */
  inTransaction: () => boolean;
  /** Writes everything into the file and releases it. Twice is no error. */
  close: () => void;
}
