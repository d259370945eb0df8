import { isTeuError, teuError } from '@teu/errors';

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
const FAILED: ReadonlySet<unknown> = new Set(['EIO', 'EROFS']);

/** Runs work on the store's files; what the disk refuses becomes STORAGE_FULL or STORAGE_FAILED. */
export async function onDisk<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}

function storageError(error: unknown): unknown {
  if (isTeuError(error) || !(error instanceof Error) || !('code' in error)) return error;
  const { code } = error;
  const metadata = { errno: String(code) };
  if (FULL.has(code)) {
    return teuError('STORAGE_FULL', 'the disk of the images is full; nothing was changed', {
      metadata,
      cause: error,
    });
  }
  if (!FAILED.has(code)) return error;
  return teuError('STORAGE_FAILED', 'the disk of the images cannot be written', {
    metadata,
    cause: error,
  });
}
