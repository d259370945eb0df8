import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isTeuError } from '@teu/errors';
import { createDiskReserve, type DiskReserve } from './disk-reserve.js';
import { createIntents } from './intents.js';
import { migrate } from './migrate.js';
import { createOutbox } from './outbox.js';
import { STATE_MIGRATIONS } from './schema.js';
import { damageOf, storageError, storageFailed } from './sqlite-error.js';
import { createStatementCache, type Guard } from './statements.js';
import type { Store } from './store.js';
import { createTransactions } from './transactions.js';

/** What `openStore` needs. */
export interface OpenStoreOptions {
  /** The file; its directory is made if it is missing. */
  path: string;
  /** SQL of the service's schema, one entry per version. Released entries are never changed. */
  migrations: readonly string[];
  /** Name of the service in error messages. Default: the name of the file's directory. */
  role?: string;
  /** Told once when the disk reports errors; the process should end and be started again. */
  onFatal?: (error: unknown) => void;
}

/** How long to wait at open for an earlier process of the same service that is still closing. */
const BUSY_TIMEOUT_MS = 2_000;

/**
 * Opens (or makes) the state of a service: WAL with synchronous=FULL, both read back; exclusive, so
 * that there is one writer; checked for damage; schema brought up to date.
 *
 * @throws STORAGE_FAILED damaged, of another service, of a newer version, in use, or unreadable
 * @throws STORAGE_FULL no space to open it
 */
export function openStore(options: OpenStoreOptions): Store {
  const { path } = options;
  const role = options.role ?? basename(dirname(path));
  makeDirectory(dirname(path));
  const db = openDatabase(path, role);
  try {
    const reserve = createDiskReserve(path);
    const store = assemble(db, role, reserve, options.onFatal);
    configure(db, role);
    store.transaction(() => {
      claim(db, role);
      migrate(db, role, 'state', STATE_MIGRATIONS);
      migrate(db, role, 'service', options.migrations);
    });
    chmodSync(path, 0o600);
    return store;
  } catch (error) {
    db.close();
    throw storageError(error, role);
  }
}

function openDatabase(path: string, role: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  } catch (error) {
    throw storageFailed(role, `the state of ${role} cannot be opened`, error);
  }
}

/** Sets what durability rests on, reads it back, and looks for damage. */
function configure(db: DatabaseSync, role: string): void {
  // Taken at the first access and held until close or death: a second writer cannot start.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  const expected: [pragma: string, set: string, value: number | string][] = [
    ['journal_mode', 'WAL', 'wal'],
    ['synchronous', 'FULL', 2],
    ['foreign_keys', 'ON', 1],
    ['trusted_schema', 'OFF', 0],
  ];
  for (const [pragma, set, value] of expected) {
    db.exec(`PRAGMA ${pragma} = ${set}`);
    const actual = db.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
    if (actual === value) continue;
    const got = `${pragma} is ${String(actual)} and not ${value}`;
    throw storageFailed(role, `the state of ${role} cannot be kept safely: ${got}`);
  }
  const verdict = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') {
    const cause = new Error(String(verdict));
    throw storageFailed(role, `the state of ${role} cannot be read: its file is damaged`, cause);
  }
}

/** Writes the owner's name into a new file, and refuses the file of another service. */
function claim(db: DatabaseSync, role: string): void {
  db.exec('CREATE TABLE IF NOT EXISTS owner (role TEXT NOT NULL) STRICT');
  const owner = db.prepare('SELECT role FROM owner').get()?.['role'];
  if (owner === undefined) db.prepare('INSERT INTO owner (role) VALUES (?)').run(role);
  else if (owner !== role) {
    throw storageFailed(
      role,
      `the state of ${role} is another's: the file belongs to ${String(owner)}`,
    );
  }
}

function assemble(
  db: DatabaseSync,
  role: string,
  reserve: DiskReserve,
  onFatal: ((error: unknown) => void) | undefined,
): Store {
  let failure: Error | undefined;
  const guard: Guard = (work) => {
    if (failure) throw failure;
    try {
      return work();
    } catch (error) {
      const damage = damageOf(error);
      const mapped = storageError(error, role);
      if (damage === 'full') makeRoom(db, reserve);
      if (damage === 'fatal') {
        failure = mapped as Error;
        onFatal?.(mapped);
      }
      throw mapped;
    }
  };
  const transactions = createTransactions(db, guard);
  const transaction: Store['transaction'] = (fn, options) => {
    try {
      const result = transactions.run(fn, options);
      if (!db.isTransaction) reserve.refill();
      return result;
    } catch (error) {
      // The log can be begun anew only now that the failed transaction is rolled back.
      if (isTeuError(error, 'STORAGE_FULL')) makeRoom(db, reserve);
      throw error;
    }
  };
  const core = {
    role,
    db,
    transaction,
    afterCommit: transactions.afterCommit,
    inTransaction: () => db.isTransaction,
    prepare: createStatementCache(db, guard),
    migrate: (component: string, migrations: readonly string[]) =>
      transaction(() => migrate(db, role, component, migrations)),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
  return { ...core, intents: createIntents(core), outbox: createOutbox(core) };
}

/** Lets the next small transaction succeed on a full disk; most likely it deletes something. */
function makeRoom(db: DatabaseSync, reserve: DiskReserve): void {
  reserve.release();
  if (db.isTransaction) return;
  try {
    db.exec('PRAGMA wal_checkpoint(RESTART)');
  } catch {
    // The log then goes on growing into the space that was just freed.
  }
}

/** Makes the directory and has its name on disk too; SQLite does that for the file itself. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
