import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY (sqlite.org/rescode.html). */
const sqliteBusy = 5;

/**
 * Locks a run directory for one resident process. The kernel takes the lock (fcntl(2), by way of
 * SQLite) away from a process that dies, so none is ever left over.
 * @returns what ends the lock; undefined if another process holds it
 */
export function lockRunDirectory(runDir: string): (() => void) | undefined {
  const database = new DatabaseSync(join(runDir, 'up.lock'));
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) {
      return undefined;
    }
    throw error;
  }
  return () => {
    database.close();
  };
}
