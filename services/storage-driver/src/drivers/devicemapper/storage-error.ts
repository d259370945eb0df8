import { isTeuError, teuError } from '@teu/errors';
import { diskError } from '@teu/snapshots';
import { KernelError } from '../../native-program.js';

/**
 * Says what a refusal of the kernel means to the caller. Any other error is passed on as it is.
 *
 * @param what - What could not be done, and what became of it.
 */
export function storageError(error: unknown, what: string): unknown {
  if (isTeuError(error) || !(error instanceof KernelError)) return error;
  const told = diskError(error, what);
  if (isTeuError(told)) return told;
  switch (error.code) {
    case 'ENODATA':
      return teuError('SNAPSHOT_INVALID', `${what}: what it stands on is not in the pool`, {
        cause: error,
      });
    case 'EBUSY':
      return teuError('CONFLICT', `${what}: it is in use`, { cause: error });
    default: {
      const { code, call, step } = error;
      const text = `${what}: the kernel has refused (${code} of ${call} to ${step})`;
      return teuError('STORAGE_FAILED', text, { metadata: { errno: code, step }, cause: error });
    }
  }
}
