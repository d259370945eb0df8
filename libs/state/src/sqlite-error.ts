import { teuError, type TeuError } from '@teu/errors';

/** Primary result codes of SQLite that mean different things to us (sqlite.org/rescode.html). */
const RESULT = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, NOTADB: 26 } as const;

/** How bad a failed statement is for the store as a whole. */
export type Damage = 'full' | 'fatal' | 'corrupt' | 'busy' | 'none';

/** Error of node:sqlite: `errcode` is SQLite's extended result code. */
interface SqliteError extends Error {
  code: 'ERR_SQLITE_ERROR';
  errcode: number;
}

/** Tells errors of SQLite from all others, by code and never by text. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/**
 * Judges an error by its primary result code. I/O errors are fatal: after a failed fsync the kernel
 * may have dropped the data, so repeating and then acknowledging would be a lie.
 */
export function damageOf(error: unknown): Damage {
  if (!isSqliteError(error)) return 'none';
  switch (error.errcode & 0xff) {
    case RESULT.FULL:
      return 'full';
    case RESULT.IOERR:
    case RESULT.READONLY:
      return 'fatal';
    case RESULT.CORRUPT:
    case RESULT.NOTADB:
      return 'corrupt';
    case RESULT.BUSY:
      return 'busy';
    default:
      return 'none';
  }
}

/**
 * Makes the error that callers see. The message names the store by its role ("engine"); path and
 * SQLite's own words go into the cause. Errors that are not the disk's fault are passed on as they are.
 */
export function storageError(error: unknown, role: string): unknown {
  const state = `the state of ${role}`;
  switch (damageOf(error)) {
    case 'full':
      return teuError('STORAGE_FULL', `cannot write ${state}: no space left on its disk`, {
        metadata: { role },
        cause: error,
      });
    case 'fatal':
      return storageFailed(
        role,
        `${state} cannot be read or written: its disk reports errors`,
        error,
      );
    case 'corrupt':
      return storageFailed(role, `${state} cannot be read: its file is damaged`, error);
    case 'busy':
      return storageFailed(role, `${state} is in use by another process`, error);
    case 'none':
      return error;
  }
}

/** The STORAGE_FAILED error of a store. */
export function storageFailed(role: string, message: string, cause?: unknown): TeuError {
  return teuError('STORAGE_FAILED', message, { metadata: { role }, cause });
}
