import type { DatabaseSync } from 'node:sqlite';
import type { Guard } from './statements.js';
import type { TransactionOptions } from './store.js';

/** Transactions of one connection: nesting by savepoints, and work to do after the commit. */
export interface Transactions {
  run: <T>(fn: () => T, options?: TransactionOptions) => T;
  afterCommit: (listener: () => void) => void;
}

/** Makes the transactions of a connection; `guard` turns SQLite's errors into the store's. */
export function createTransactions(db: DatabaseSync, guard: Guard): Transactions {
  let listeners = new Set<() => void>();
  let depth = 0;

  const inside = <T>(begin: string, commit: string, undo: string, fn: () => T): T => {
    guard(() => db.exec(begin));
    depth += 1;
    try {
      const result = fn();
      if (result instanceof Promise) throw new TypeError('a transaction must be synchronous');
      guard(() => db.exec(commit));
      return result;
    } catch (error) {
      rollBack(db, undo);
      throw error;
    } finally {
      depth -= 1;
    }
  };

  const outermost = <T>(fn: () => T): T => {
    listeners = new Set();
    const result = inside('BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK', fn);
    const committed = listeners;
    listeners = new Set();
    for (const listener of committed) listener();
    return result;
  };

  const run = <T>(fn: () => T, options: TransactionOptions = {}): T => {
    if (depth > 0) {
      const name = `nested_${depth}`;
      const undo = `ROLLBACK TO ${name}; RELEASE ${name}`;
      return inside(`SAVEPOINT ${name}`, `RELEASE ${name}`, undo, fn);
    }
    if (options.durable ?? true) return outermost(fn);
    // In WAL mode NORMAL leaves out the fsync at commit and nothing else (sqlite.org/pragma.html).
    guard(() => db.exec('PRAGMA synchronous = NORMAL'));
    try {
      return outermost(fn);
    } finally {
      guard(() => db.exec('PRAGMA synchronous = FULL'));
    }
  };

  return {
    run,
    afterCommit: (listener) => {
      if (depth === 0) throw new Error('no transaction is open');
      listeners.add(listener);
    },
  };
}

function rollBack(db: DatabaseSync, undo: string): void {
  // SQLite itself rolls back on some errors (disk full), and then there is nothing to undo.
  if (!db.isOpen || !db.isTransaction) return;
  try {
    db.exec(undo);
  } catch {
    // Only a failing disk makes a rollback fail, and then the first error has said so already.
  }
}
