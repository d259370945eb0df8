import { isTeuError, teuError } from '@teu/errors';
import { ZfsFailure, type ZfsFailureKind } from './zfs-failure.js';

const REASONS: Readonly<Record<ZfsFailureKind, Parameters<typeof teuError>[0]>> = {
  full: 'STORAGE_FULL',
  missing: 'SNAPSHOT_INVALID',
  busy: 'CONFLICT',
  exists: 'CONFLICT',
  'below-use': 'INVALID_STATE',
  timeout: 'STORAGE_FAILED',
  other: 'STORAGE_FAILED',
};

const WHY: Readonly<Record<ZfsFailureKind, string>> = {
  full: 'no space left in its pool; nothing was changed',
  missing: 'what it stands on is not in the pool',
  busy: 'it is in use',
  exists: 'something of its name is in the pool',
  'below-use': 'it holds more',
  timeout: 'zfs does not answer',
  other: 'zfs has refused',
};

/**
 * Says what a failed command means to the caller. Any other error is passed on as it is.
 *
 * @param what - What could not be done.
 */
export function storageError(error: unknown, what: string): unknown {
  if (isTeuError(error) || !(error instanceof ZfsFailure)) return error;
  return teuError(REASONS[error.kind], `${what}: ${WHY[error.kind]}`, { cause: error });
}
