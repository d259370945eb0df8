import { isTeuError } from '@teu/errors';

/**
 * Runs a small change that makes room. A full disk is why many a removal is asked for, so it must not prevent one: when
 * the store has met a full disk it has given up its reserve, and the same change fits (libs/state, disk-reserve).
 * @throws what `change` does, but for the first STORAGE_FULL
 */
export function evenIfFull<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!isTeuError(error, 'STORAGE_FULL')) throw error;
    return change();
  }
}
