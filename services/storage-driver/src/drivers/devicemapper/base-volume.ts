import { accessSync, constants } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { teuError } from '@teu/errors';
import type { FilesystemType } from './filesystem-type.js';
import type { ThinPool } from './thin-pool.js';
import { BASE, UNFINISHED_BASE } from './volume-ids.js';

const BLOCK_BYTES = 4096;
const TIME_LIMIT_MS = 120_000;
const MEBIBYTE = 2 ** 20;
/** Every container has a journal of its own in its first writes, so it is as small as does no harm. */
const JOURNAL_BYTES = 16 * MEBIBYTE;
const SMALL_JOURNAL_BYTES = 4 * MEBIBYTE;
const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin'];
const PACKAGES: Readonly<Record<FilesystemType, string>> = { ext4: 'e2fsprogs', xfs: 'xfsprogs' };
/** mkfs.xfs refuses less than 300 MiB; an ext4 of less is mostly journal. */
export const LEAST_BYTES: Readonly<Record<FilesystemType, number>> = {
  ext4: 64 * MEBIBYTE,
  xfs: 300 * MEBIBYTE,
};

const run = promisify(execFile);

/**
 * Makes the file system that every snapshot without a parent begins with, so that none needs mkfs. It is
 * made under another number: the base is whole if it is there.
 *
 * @throws DRIVER_UNSUPPORTED if there is no mkfs for it; STORAGE_FAILED
 */
export async function makeBase(pool: ThinPool, type: FilesystemType, bytes: number): Promise<void> {
  const program = findMkfs(type);
  await pool.deactivate(UNFINISHED_BASE);
  await pool.delete(UNFINISHED_BASE);
  await pool.create(UNFINISHED_BASE);
  await pool.activate(UNFINISHED_BASE, 'rw');
  try {
    await run(program, [...optionsOf(type, bytes, pool.device(UNFINISHED_BASE))], {
      env: {},
      cwd: '/',
      timeout: TIME_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    await pool.empty(UNFINISHED_BASE);
  } catch (cause) {
    const text = `storage driver devicemapper: no file system of type ${type} could be made`;
    throw teuError('STORAGE_FAILED', text, { cause });
  } finally {
    await pool.deactivate(UNFINISHED_BASE);
  }
  await pool.snapshot(UNFINISHED_BASE, BASE);
  await pool.delete(UNFINISHED_BASE);
}

/** @throws DRIVER_UNSUPPORTED */
export function findMkfs(type: FilesystemType): string {
  const found = DIRECTORIES.map((directory) => `${directory}/mkfs.${type}`).find(isProgram);
  if (found !== undefined) return found;
  const text = `storage driver devicemapper cannot run here: there is no mkfs.${type} (Debian: ${PACKAGES[type]})`;
  throw teuError('DRIVER_UNSUPPORTED', text, { metadata: { driver: 'devicemapper' } });
}

function* optionsOf(type: FilesystemType, bytes: number, device: string): Generator<string> {
  if (type === 'xfs') {
    // Times beyond 2038, which all kernels of the last years know.
    yield* ['-q', '-f', '-K', '-m', 'bigtime=1', '-d', `size=${bytes}`, device];
    return;
  }
  const journal = bytes < 16 * JOURNAL_BYTES ? SMALL_JOURNAL_BYTES : JOURNAL_BYTES;
  yield* ['-q', '-F', '-b', String(BLOCK_BYTES)];
  // No blocks for root alone; inodes with room for nanoseconds; and no more writing after an error.
  yield* ['-m', '0', '-I', '256', '-e', 'remount-ro', '-J', `size=${journal / MEBIBYTE}`];
  yield* ['-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=0'];
  yield* [device, String(Math.floor(bytes / BLOCK_BYTES))];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
