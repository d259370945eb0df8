import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { Intent } from '@teu/state';
import type { ImageParts } from './image-parts.js';

export const SAVE_OPERATION = 'save';

const UNFINISHED = /^\.teu-save-[0-9a-f-]{36}$/;

/**
 * Has a file written beside its place and puts it there when it is whole and on the disk; whatever was there is replaced. If that
 * fails nothing is left of it, also after a crash.
 * @param path absolute; a plain file, or nothing yet
 * @param write writes the file and syncs it
 * @throws INVALID_ARGUMENT, STORAGE_FAILED, and what `write` throws
 */
export async function writeFileWhole<T>(
  { store }: Pick<ImageParts, 'store'>,
  path: string,
  write: (file: FileHandle) => Promise<T>,
): Promise<T> {
  await requireFilePlace(path);
  const unfinished = join(dirname(path), `.teu-save-${randomUUID()}`);
  const intent = store.intents.begin({ operation: SAVE_OPERATION, objectKey: unfinished });
  try {
    failpoint('image.save.after-intent');
    const result = await writeNew(unfinished, write);
    failpoint('image.save.after-write');
    await rename(unfinished, path).catch(refuseCause);
    failpoint('image.save.after-rename');
    await syncDirectory(dirname(path));
    return result;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    store.intents.finish(intent);
  }
}

/** Removes what a crash has left of a file. */
export function undoSave({ store, log }: Pick<ImageParts, 'store' | 'log'>, intent: Intent): void {
  try {
    if (UNFINISHED.test(basename(intent.objectKey))) rmSync(intent.objectKey, { force: true });
  } catch (error) {
    log.warn({ err: error }, 'an unfinished archive stays');
  }
  store.intents.finish(intent.id);
}

/** Devices, pipes and links are not what anybody wants to have replaced by a file. */
async function requireFilePlace(path: string): Promise<void> {
  const metadata = { field: 'path' };
  if (!isAbsolute(path) || path.includes('\0') || path.endsWith('/')) {
    throw teuError('INVALID_ARGUMENT', 'path is not the absolute path of a file', { metadata });
  }
  const present = await lstat(path).catch(() => undefined);
  if (present !== undefined && !present.isFile()) {
    throw teuError('INVALID_ARGUMENT', 'path is there, and is not a plain file', { metadata });
  }
}

async function writeNew<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx', 0o600).catch(refuseCause);
  try {
    return await write(file);
  } finally {
    await file.close();
  }
}

function refuseCause(cause: unknown): never {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    throw teuError('INVALID_ARGUMENT', 'the directory of path is not there', {
      metadata: { field: 'path' },
      cause,
    });
  }
  const reason = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'STORAGE_FULL' : 'STORAGE_FAILED';
  throw teuError(reason, `the file cannot be made (${errno})`, { metadata: { errno }, cause });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
