import { teuError } from '@teu/errors';
import { diskError } from '@teu/snapshots';
import { isUnionError } from './union-backend.js';

/** Says what a failed union means to the caller. @param what - What was not done: "the snapshot was not made" */
export function storageError(error: unknown, what: string): unknown {
  const told = diskError(error, what);
  if (told !== error || !isUnionError(error)) return told;
  const why = error.code === 'EBUSY' ? 'somebody has it mounted elsewhere' : 'its union failed';
  return teuError('STORAGE_FAILED', `${what}: ${why} (${error.code})`, { cause: error });
}
