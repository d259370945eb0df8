import { teuError } from '@teu/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const FAILING = new Set(['EIO', 'EROFS', 'ESTALE', 'EUCLEAN']);
/** Of those, what Node has no names for; numbers as in errno(3) of Linux. */
const UNNAMED: Readonly<Record<number, string>> = {
  [-116]: 'ESTALE',
  [-117]: 'EUCLEAN',
  [-122]: 'EDQUOT',
};

/**
 * Says what a failed file operation means to the caller: STORAGE_FULL or STORAGE_FAILED. Any other
 * error is passed on as it is.
 *
 * @param what - What could not be done, and what became of it: "snapshot "x" cannot be made".
 */
export function diskError(error: unknown, what: string): unknown {
  const found = (error ?? {}) as NodeJS.ErrnoException;
  const code = UNNAMED[found.errno ?? 0] ?? found.code ?? '';
  if (FULL.has(code)) {
    return teuError('STORAGE_FULL', `${what}: no space left on its disk; nothing was changed`, {
      cause: error,
    });
  }
  if (!FAILING.has(code)) return error;
  return teuError('STORAGE_FAILED', `${what}: its disk reports errors`, { cause: error });
}
